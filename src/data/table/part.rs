//! A file of rows: which columns and rows are used, and which rows belong to which part of a data set.

use std::path::Path;
use std::sync::Arc;

use super::cells::{Table, with_doubt};
use super::how::How;
use super::open::open;
use super::options::TableOptions;
use super::preprocessing::{Missing, Preprocessing, TargetRule};
use super::roles::{self, Roles};
use super::targets::{Kind, classes};
use super::{Watch, fit, missing, prepared, split};
use crate::data::parts::TestPart;
use crate::data::{DataOptions, Task};
use crate::error::option::STREAM;
use crate::error::{Error, Result};

/// The name of a file, without its folders.
pub(super) fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    name.to_string_lossy().into_owned()
}

/// A file that was read, and which of its columns and rows are used.
pub(super) struct Part {
    pub table: Arc<Table>,
    pub roles: Roles,
    /// The rows that can be used.
    pub rows: Vec<u32>,
    pub notes: Vec<String>,
    /// The task, if it was named.
    task: Option<Task>,
}

impl Part {
    /// Reads a file, by existing rules or by what it seems to contain.
    pub fn open(
        path: &Path,
        options: &TableOptions,
        rules: Option<&Arc<Preprocessing>>,
        watch: Watch<'_>,
    ) -> Result<Self> {
        let (texts, ignore) = match rules {
            Some(rules) => (rules.text_columns(), rules.ignored.clone()),
            None => (Vec::new(), roles::names(options.ignore.as_deref())),
        };
        let how = How {
            texts: &texts,
            ignore: &ignore,
            target: options.target.as_deref(),
            weight: match rules {
                Some(rules) => rules.weight.as_deref(),
                None => options.weight.as_deref(),
            },
            stream: options.stream.into(),
            labels: match rules {
                Some(rules) => rules.has_labels(),
                None => options.task == Some(Task::MultiLabel),
            },
            keeps_faults: false,
        };
        // Tests ignore weights.
        let weight = options.weight.as_deref().filter(|_| !options.tests_all);
        let mut table = open(path, how, watch)?;
        if let Some(rules) = rules {
            prepared::complete(&mut table, rules);
        }
        let doubt = table.doubt.clone();
        let part = match rules {
            Some(rules) => prepared::roles(&table, rules, true, weight)
                .and_then(|roles| Self::of(table, roles, rules.missing, None)),
            None => Roles::choose(&table, options)
                .and_then(|roles| Self::of(table, roles, options.missing, options.task)),
        };
        part.map_err(|reason| Error::Data {
            path: path.to_owned(),
            reason: with_doubt(reason, doubt.as_deref()),
        })
    }

    pub fn of(
        table: Table,
        mut roles: Roles,
        missing: Missing,
        task: Option<Task>,
    ) -> Result<Self, String> {
        if table.rows == 0 {
            return Err("it has no rows".to_owned());
        }
        if u32::try_from(table.rows).is_err() {
            return Err(format!(
                "its {} rows are more than a set can have",
                table.rows
            ));
        }
        let (rows, left_out) = missing::usable(&table, &roles, missing)?;
        let stored = table.is_stored().then(|| {
            format!("its rows are read from a file as they are needed; {STREAM} false keeps them in memory")
        });
        Ok(Self {
            notes: roles
                .note
                .take()
                .into_iter()
                .chain(table.doubt.clone())
                .chain(left_out)
                .chain(stored)
                .collect(),
            table: Arc::new(table),
            roles,
            rows,
            task,
        })
    }

    /// The rule of the target, without the scale of values.
    fn target(&self) -> Result<TargetRule, String> {
        let columns = &self.roles.targets;
        Kind::of(&self.table, columns, &self.rows, self.task)?.rule(&self.table, columns)
    }

    /// What is done with the columns, determined from these rows.
    pub fn fit(&self, missing: Missing, rows: &[u32]) -> Result<Preprocessing, String> {
        let target = self.target()?;
        fit::fit(&self.table, &self.roles, target, missing, rows)
    }

    /// Which of its rows belong to which part.
    pub fn divide(&self, source: &DataOptions) -> Result<Divided> {
        let options = &source.table;
        if options.tests_all {
            return Ok(Divided {
                test: self.rows.clone(),
                test_part: TestPart::Given,
                ..Divided::default()
            });
        }
        let test_part = match &options.test {
            Some(path) => TestPart::File(name(path)),
            None => TestPart::Nothing,
        };
        let (share, seed) = (source.share(options.test.is_some())?, source.seed);
        if share == 0.0 {
            return Ok(Divided {
                train: self.rows.clone(),
                test_part,
                ..Divided::default()
            });
        }
        let [train, validation] =
            self.hold_out(options, share, seed)
                .map_err(|reason| Error::Data {
                    path: source.name.clone().into(),
                    reason,
                })?;
        let part = TestPart::SplitOff {
            share,
            seed,
            trained_on: false,
            rows: true,
        };
        Ok(Divided {
            train,
            validation,
            validation_part: Some(part),
            test_part,
            ..Divided::default()
        })
    }

    /// Rows to train on and rows that are held out.
    fn hold_out(
        &self,
        options: &TableOptions,
        share: f64,
        seed: u32,
    ) -> Result<[Vec<u32>; 2], String> {
        let target = match &options.prepared {
            Some(rules) => rules.target.clone(),
            None => self.target()?,
        };
        let classes = match &target {
            TargetRule::Classes { names, .. } => Some(classes(
                &self.table,
                self.roles.targets[0],
                names,
                &self.rows,
            )?),
            TargetRule::Values { .. } | TargetRule::Labels { .. } => None,
        };
        split::split(&self.table, &self.rows, classes.as_deref(), share, seed)
    }
}

/// Which rows of a file belong to which part.
#[derive(Default)]
pub(super) struct Divided {
    pub train: Vec<u32>,
    pub validation: Vec<u32>,
    /// `None` without validation rows.
    pub validation_part: Option<TestPart>,
    pub test: Vec<u32>,
    pub test_part: TestPart,
}
