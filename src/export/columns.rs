//! How rows of a table become a network's inputs, as numbers for each input: a form that programs compute for all
//! inputs at once.

use crate::data::table::{ColumnRule, Preprocessing, Rule};
use serde::Serialize;

/// A row is given as a number for each column: of a column of numbers the number, of a column of texts the number of
/// the text among its names, counted from 0 (another number for a text that training did not have), and NaN for a
/// missing value. Input `i` is made from column `source[i]` as `kind[i]` says.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Columns {
    pub columns: Vec<Column>,
    /// `[input]`: the column that it is made from.
    pub source: Vec<usize>,
    /// `[input]`.
    pub kind: Vec<Kind>,
    /// `[input]`: what replaces a missing value; NaN where none may be missing, and -1 for a missing text that has no
    /// replacement.
    #[serde(skip)]
    pub fill: Vec<f64>,
    /// `[input]`: of numbers `(x - first) / second`; of texts the number that is 1.
    pub first: Vec<f64>,
    pub second: Vec<f64>,
}

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct Column {
    pub name: String,
    /// The texts of a column of texts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<Vec<String>>,
}

/// How an input is made from a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// `(x - first) / second`.
    Number,
    /// 1 if x equals `first`, otherwise 0.
    Category,
    /// 1 if x is missing, otherwise 0.
    Missing,
}

impl Columns {
    pub fn of(rules: &Preprocessing) -> Self {
        let mut all = Self {
            columns: Vec::new(),
            source: Vec::new(),
            kind: Vec::new(),
            fill: Vec::new(),
            first: Vec::new(),
            second: Vec::new(),
        };
        for ColumnRule { name, rule } in &rules.columns {
            let missing = match rule {
                Rule::Number {
                    mean,
                    deviation,
                    fill,
                    missing_input,
                } => {
                    all.add(Kind::Number, fill.unwrap_or(f64::NAN), *mean, *deviation);
                    *missing_input
                }
                Rule::Category {
                    names,
                    fill,
                    missing_input,
                } => {
                    for category in 0..names.len() {
                        let fill = fill.map_or(-1.0, |fill| fill as f64);
                        all.add(Kind::Category, fill, category as f64, 1.0);
                    }
                    *missing_input
                }
            };
            if missing {
                all.add(Kind::Missing, 0.0, 0.0, 1.0);
            }
            all.columns.push(Column {
                name: name.clone(),
                categories: match rule {
                    Rule::Number { .. } => None,
                    Rule::Category { names, .. } => Some(names.clone()),
                },
            });
        }
        all
    }

    /// Adds an input that is made from the column that is added next.
    fn add(&mut self, kind: Kind, fill: f64, first: f64, second: f64) {
        self.source.push(self.columns.len());
        self.kind.push(kind);
        self.fill.push(fill);
        self.first.push(first);
        self.second.push(second);
    }

    /// For each input 1 if it is of this kind, otherwise 0.
    pub fn mask(&self, kind: Kind) -> Vec<f64> {
        let is = |own: &Kind| f64::from(u8::from(*own == kind));
        self.kind.iter().map(is).collect()
    }
}
