//! Applies the rules of a training: from a row's cells to the network's inputs.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::cells::{Column, MISSING, Row, Table};
use super::preprocessing::{ColumnRule, Preprocessing, Rule, TargetRule};
use super::roles::Roles;
use crate::words::{counted, grouped, listed};

/// Rules, and where their columns are in a table.
#[derive(Debug)]
pub(super) struct Prepared {
    pub rules: Arc<Preprocessing>,
    sources: Vec<Source>,
    /// For each column of the table, the source that it is.
    by_column: Vec<Option<usize>>,
    /// The inputs for a row whose numbers are all 0.
    zeros: Vec<f32>,
}

/// Where the cells of a rule come from, and where its inputs go.
#[derive(Debug)]
struct Source {
    column: usize,
    at: usize,
    /// For a column of texts, the place of each category of the table among those of the rule.
    places: Vec<Option<usize>>,
}

/// Adds the columns that a table of mostly zeros does not have, and labels that no row has: all are 0 there.
pub(super) fn complete(table: &mut Table, rules: &Preprocessing) {
    if !table.is_sparse() {
        return;
    }
    let labels = match &rules.target {
        TargetRule::Labels { columns } => &columns[..],
        TargetRule::Classes { .. } | TargetRule::Values { .. } => &[],
    };
    let there: HashSet<String> = table.columns.iter().map(|c| c.name.clone()).collect();
    let all = rules
        .columns
        .iter()
        .map(|column| &column.name)
        .chain(labels);
    let new = all
        .filter(|name| !there.contains(*name))
        .map(Column::numbers);
    table.columns.extend(new.collect::<Vec<_>>());
}

/// The roles of a table's columns for existing rules. The target may be missing if it is not needed, and so may the
/// weights unless `weight` names them.
///
/// # Errors
/// Columns with other names: a reason that fits after the file's name.
pub(super) fn roles(
    table: &Table,
    rules: &Preprocessing,
    needs_target: bool,
    weight: Option<&str>,
) -> Result<Roles, String> {
    let mut gone = Vec::new();
    let mut find = |names: &mut dyn Iterator<Item = &String>| -> Vec<usize> {
        let columns = names.filter_map(|name| {
            let column = table.find(name);
            gone.extend(column.is_none().then(|| name.clone()));
            column
        });
        columns.collect()
    };
    let inputs = find(&mut rules.columns.iter().map(|column| &column.name));
    let targets = match needs_target {
        true => find(&mut rules.target.columns().iter()),
        false => Vec::new(),
    };
    let weight = weight.map(|name| find(&mut std::iter::once(&name.to_owned())));
    let is_known: HashSet<&str> = (rules.columns.iter().map(|c| &c.name))
        .chain(rules.target.columns())
        .chain(&rules.ignored)
        .chain(&rules.weight)
        .map(String::as_str)
        .collect();
    let new: Vec<&str> = (table.columns.iter().map(|c| c.name.as_str()))
        .filter(|name| !is_known.contains(name))
        .collect();
    let is_left_out = table.is_sparse() && !new.is_empty();
    if gone.is_empty() && (new.is_empty() || is_left_out) {
        let note = is_left_out.then(|| {
            format!(
                "{} that no training row has are left out: {}",
                counted(new.len() as u64, "column"),
                listed(new.len() as u64, &new)
            )
        });
        return Ok(Roles {
            inputs,
            targets,
            weight: weight.and_then(|columns| columns.first().copied()),
            note,
        });
    }
    let mut differences = Vec::new();
    if !gone.is_empty() {
        differences.push(format!("not there: {}", listed(gone.len() as u64, &gone)));
    }
    if !new.is_empty() {
        differences.push(format!("unknown to it: {}", listed(new.len() as u64, &new)));
    }
    Err(format!(
        "its columns are not those that the network was trained on; {}",
        differences.join("; ")
    ))
}

impl Prepared {
    /// The rules for a table whose columns have these roles.
    ///
    /// # Errors
    /// A column of texts where training had numbers, or the reverse: a reason that fits after the file's name.
    pub fn new(table: &Table, roles: &Roles, rules: Arc<Preprocessing>) -> Result<Self, String> {
        let mut by_column = vec![None; table.columns.len()];
        let (mut sources, mut at) = (Vec::new(), 0);
        for (index, (rule, &column)) in rules.columns.iter().zip(&roles.inputs).enumerate() {
            let own = &table.columns[column].categories;
            let places = match (&rule.rule, own) {
                (Rule::Number { .. }, None) => Vec::new(),
                (Rule::Category { names, .. }, Some(own)) => {
                    let known: HashMap<&str, usize> = names
                        .iter()
                        .enumerate()
                        .map(|(i, name)| (name.as_str(), i))
                        .collect();
                    own.iter()
                        .map(|name| known.get(name.as_str()).copied())
                        .collect()
                }
                (Rule::Number { .. }, Some(own)) => {
                    return Err(format!(
                        "its column `{}` has texts, such as {}, and those of training were numbers",
                        rule.name,
                        listed(3, own.iter().rev().take(3))
                    ));
                }
                (Rule::Category { .. }, None) => {
                    return Err(format!(
                        "its column `{}` has numbers, and those of training were texts",
                        rule.name
                    ));
                }
            };
            by_column[column] = Some(index);
            sources.push(Source { column, at, places });
            at += rule.rule.inputs();
        }
        let mut prepared = Self {
            rules,
            sources,
            by_column,
            zeros: Vec::new(),
        };
        if table.is_sparse() {
            let mut zeros = vec![0.0; at];
            (0..prepared.sources.len()).for_each(|index| prepared.put(index, 0, &mut zeros));
            prepared.zeros = zeros;
        }
        Ok(prepared)
    }

    /// Writes the inputs of a row.
    pub fn inputs(&self, row: Row<'_>, inputs: &mut [f32]) {
        match row {
            Row::Dense(words) => {
                for (index, source) in self.sources.iter().enumerate() {
                    self.put(index, words[source.column], inputs);
                }
            }
            Row::Sparse(columns, values) => {
                inputs.copy_from_slice(&self.zeros);
                for (&column, value) in columns.iter().zip(values) {
                    if let Some(index) = self.by_column[column as usize] {
                        self.put(index, value.to_bits(), inputs);
                    }
                }
            }
        }
    }

    /// Writes the inputs of one rule.
    fn put(&self, index: usize, word: u32, inputs: &mut [f32]) {
        let (source, rule) = (&self.sources[index], &self.rules.columns[index].rule);
        let own = &mut inputs[source.at..][..rule.inputs()];
        match rule {
            // The word of a missing cell is that of a NaN; if missing cells are not allowed, there are none.
            Rule::Number { .. } => {
                let inputs = rule.of_number(f32::from_bits(word)).into_iter().flatten();
                own.iter_mut()
                    .zip(inputs)
                    .for_each(|(own, input)| *own = input);
            }
            Rule::Category {
                names,
                fill,
                missing_input,
            } => {
                own.fill(0.0);
                let place = match word {
                    MISSING if *missing_input => Some(names.len()),
                    MISSING => *fill,
                    category => source.places[category as usize],
                };
                if let Some(place) = place {
                    own[place] = 1.0;
                }
            }
        }
    }

    /// What these rows, used for that purpose, contain that training did not see, in sentences: categories, and missing
    /// cells in columns that had none.
    ///
    /// # Errors
    /// The table's file cannot be read: a reason that fits after its name.
    pub fn unseen(
        &self,
        table: &Table,
        rows: &[u32],
        purpose: &str,
    ) -> Result<Vec<String>, String> {
        let of_texts = self.sources.iter().zip(&self.rules.columns);
        let mut unseen: Vec<Unseen<'_>> = of_texts
            .filter_map(|(source, rule)| match &rule.rule {
                Rule::Category {
                    fill,
                    missing_input,
                    ..
                } => Some(Unseen {
                    source,
                    name: &rule.name,
                    takes_missing: *missing_input || fill.is_some(),
                    rows: 0,
                    words: BTreeSet::new(),
                }),
                Rule::Number { .. } => None,
            })
            .collect();
        if !unseen.is_empty() {
            table.each(rows.iter().copied(), |_, row| {
                unseen.iter_mut().for_each(|unseen| unseen.see(row));
            })?;
        }
        let notes = unseen.iter().filter(|unseen| unseen.rows > 0).map(|unseen| {
            let names: BTreeSet<String> = (unseen.words.iter())
                .map(|&word| match word {
                    MISSING => "none".to_owned(),
                    word => table.text(unseen.source.column, word),
                })
                .collect();
            format!(
                "the column `{}` has categories in {} {purpose} that no training row has, which become zeros: {}",
                unseen.name,
                counted(unseen.rows, "row"),
                listed(names.len() as u64, &names)
            )
        });
        Ok(notes.collect())
    }
}

/// What a column of texts contains that training did not see.
struct Unseen<'a> {
    source: &'a Source,
    name: &'a str,
    takes_missing: bool,
    rows: u64,
    words: BTreeSet<u32>,
}

impl Unseen<'_> {
    fn see(&mut self, row: Row<'_>) {
        let word = row.word(self.source.column);
        let known = match word {
            MISSING => self.takes_missing,
            category => self.source.places[category as usize].is_some(),
        };
        if !known {
            self.rows += 1;
            self.words.insert(word);
        }
    }
}

/// Columns of texts that hardly look like categories, and columns with a single value, in sentences.
///
/// # Errors
/// The table's file cannot be read: a reason that fits after its name.
pub(super) fn doubtful(
    table: &Table,
    roles: &Roles,
    rules: &Preprocessing,
) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    let mut constant = Vec::new();
    let is_constant = constants(table, roles, rules)?;
    for (rule, &column) in rules.columns.iter().zip(&roles.inputs) {
        match &rule.rule {
            Rule::Category { names, .. } if names.len() > 20 && 2 * names.len() > table.rows => {
                notes.push(format!(
                    "the column `{}` has {} different texts in {} rows, an input each: hardly a category",
                    rule.name,
                    grouped(names.len() as u64),
                    grouped(table.rows as u64)
                ));
            }
            Rule::Category {
                names,
                missing_input: false,
                ..
            } if names.len() < 2 => constant.push(rule.name.as_str()),
            Rule::Number { deviation: 1.0, .. } if is_constant.contains(&column) => {
                constant.push(rule.name.as_str());
            }
            _ => {}
        }
    }
    if !constant.is_empty() {
        notes.push(format!(
            "the same value stands in every row of {}: {}",
            counted(constant.len() as u64, "column"),
            listed(constant.len() as u64, &constant)
        ));
    }
    Ok(notes)
}

/// The columns of numbers, among those whose deviation suggests it, that have the same value in all rows.
fn constants(
    table: &Table,
    roles: &Roles,
    rules: &Preprocessing,
) -> Result<BTreeSet<usize>, String> {
    let may_be = |(rule, column): (&ColumnRule, &usize)| {
        let is_one = matches!(rule.rule, Rule::Number { deviation: 1.0, .. });
        (is_one && !table.is_sparse()).then_some((*column, None))
    };
    let mut all: Vec<(usize, Option<u32>)> = (rules.columns.iter().zip(&roles.inputs))
        .filter_map(may_be)
        .collect();
    if !all.is_empty() {
        table.each(0..table.rows as u32, |_, row| {
            all.retain_mut(|(column, first)| {
                let word = row.word(*column);
                *first.get_or_insert(word) == word
            });
        })?;
    }
    Ok(all.into_iter().map(|(column, _)| column).collect())
}
