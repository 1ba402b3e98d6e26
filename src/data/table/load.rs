//! From files to a data set: which columns, which rows, and what the training rows say about them.

use std::path::Path;
use std::sync::Arc;

use super::cells::Table;
use super::open::{How, open};
use super::options::TableOptions;
use super::prepared::{self, Prepared, doubtful};
use super::preprocessing::{Missing, Preprocessing, TargetRule};
use super::roles::{self, Roles};
use super::rows::Rows;
use super::svmlight::MOST_COLUMNS;
use super::targets::{Kind, classes};
use super::{Watch, fit, missing, split};
use crate::data::dataset::Dataset;
use crate::data::parts::{HeldOut, TestPart};
use crate::data::{DataOptions, DataSource, ImageShape, Normalisation, TargetKind, Task};
use crate::error::{Error, Result};

/// Reads the table that `source` names and the file to test on, if `source` has one.
///
/// # Errors
/// [`Error::Io`] for a file that cannot be read, [`Error::Data`] for one that is not a table, or not the requested one.
pub(in crate::data) fn load(source: &DataOptions, watch: Watch<'_>) -> Result<Dataset> {
    let (path, options) = (Path::new(&source.name), &source.table);
    let first = Part::open(path, options, options.prepared.as_ref(), watch)?;
    of_part(first, source, watch)
}

/// As [`load`], for a file that has been read.
pub(super) fn of_part(first: Part, source: &DataOptions, watch: Watch<'_>) -> Result<Dataset> {
    let (path, options) = (Path::new(&source.name), &source.table);
    let wrong = |reason| Error::Data {
        path: path.to_owned(),
        reason,
    };
    let mut divided = first.divide(source)?;
    for rows in [
        &mut divided.train,
        &mut divided.validation,
        &mut divided.test,
    ] {
        rows.truncate(source.limit.unwrap_or(usize::MAX));
    }
    let rules = match &options.prepared {
        Some(rules) => Arc::clone(rules),
        None => Arc::new(Preprocessing {
            ignored: roles::names(options.ignore.as_deref()),
            ..first.fit(options.missing, &divided.train).map_err(wrong)?
        }),
    };
    if rules.inputs() > MOST_COLUMNS {
        return Err(wrong(format!(
            "its columns make {} inputs, more than the {MOST_COLUMNS} that a table may have; leave columns out",
            rules.inputs()
        )));
    }
    let mut notes: Vec<String> = first.notes.clone();
    let of_train = Prepared::new(&first.table, &first.roles, Arc::clone(&rules)).map_err(wrong)?;
    if options.prepared.is_none() {
        notes.extend(doubtful(&first.table, &first.roles, &rules));
        notes.extend(of_numbers(&first, &rules.target));
    }
    notes.extend(of_train.unseen(&first.table, &divided.validation, "to validate by"));
    notes.extend(of_train.unseen(&first.table, &divided.test, "to test by"));
    let prepared = Arc::new(of_train);
    let rows = |part: &Part, prepared: &Arc<Prepared>, rows| {
        Rows::new(
            Arc::clone(&part.table),
            Arc::clone(prepared),
            &part.roles,
            rows,
        )
    };
    let train = rows(&first, &prepared, divided.train).map_err(wrong)?;
    let validation = match divided.validation_part {
        Some(part) => Some(HeldOut {
            images: rows(&first, &prepared, divided.validation)
                .map_err(wrong)?
                .into(),
            part,
        }),
        None => None,
    };
    let test = match &options.test {
        Some(path) if !options.tests_all => {
            let wrong = |reason| Error::Data {
                path: path.clone(),
                reason,
            };
            let part = Part::open(path, options, Some(&rules), watch)?;
            let mut of_test = part.rows.clone();
            of_test.truncate(source.limit.unwrap_or(usize::MAX));
            let prepared =
                Prepared::new(&part.table, &part.roles, Arc::clone(&rules)).map_err(wrong)?;
            notes.extend(
                part.notes
                    .iter()
                    .map(|note| format!("{}: {note}", name(path))),
            );
            notes.extend(prepared.unseen(&part.table, &of_test, "to test by"));
            rows(&part, &Arc::new(prepared), of_test).map_err(wrong)?
        }
        _ => rows(&first, &prepared, divided.test).map_err(wrong)?,
    };
    let class_names = match &rules.target {
        TargetRule::Classes { names, .. } => names.clone(),
        TargetRule::Labels { columns } => columns.clone(),
        TargetRule::Values { .. } => Vec::new(),
    };
    let inputs = rules.inputs();
    let mut data = Dataset {
        name: name(path),
        shape: ImageShape::vector(inputs),
        classes: class_names.len(),
        class_names,
        // The rules have normalised already.
        normalisation: Normalisation {
            mean: vec![0.0; inputs],
            std: vec![1.0; inputs],
        },
        train: train.into(),
        validation,
        test: test.into(),
        test_part: divided.test_part,
        notes,
        untaught: Vec::new(),
        preprocessing: Some(rules),
    };
    if data.train.targets() == TargetKind::Labels && !options.tests_all {
        data.note_classes();
    }
    Ok(data)
}

/// A note that numbers are taken for classes.
fn of_numbers(part: &Part, target: &TargetRule) -> Option<String> {
    let TargetRule::Classes { column, names } = target else {
        return None;
    };
    let about = &part.table.columns[part.roles.targets[0]];
    (about.categories.is_none() && names.len() > 2).then(|| {
        format!(
            "the whole numbers of the target `{column}` are taken for {} classes",
            names.len()
        )
    })
}

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
    fn open(
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
            labels: match rules {
                Some(rules) => rules.has_labels(),
                None => options.task == Some(Task::MultiLabel),
            },
        };
        let mut table = open(path, how, watch)?;
        if let Some(rules) = rules {
            prepared::complete(&mut table, rules);
        }
        let part = match rules {
            Some(rules) => prepared::roles(&table, rules, true)
                .and_then(|roles| Self::of(table, roles, rules.missing, None)),
            None => Roles::choose(&table, options)
                .and_then(|roles| Self::of(table, roles, options.missing, options.task)),
        };
        part.map_err(|reason| Error::Data {
            path: path.to_owned(),
            reason,
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
        Ok(Self {
            notes: roles.note.take().into_iter().chain(left_out).collect(),
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
    fn fit(&self, missing: Missing, rows: &[u32]) -> Result<Preprocessing, String> {
        let target = self.target()?;
        Ok(fit::fit(&self.table, &self.roles, target, missing, rows))
    }

    /// Which of its rows belong to which part.
    fn divide(&self, source: &DataOptions) -> Result<Divided> {
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
struct Divided {
    train: Vec<u32>,
    validation: Vec<u32>,
    /// `None` without validation rows.
    validation_part: Option<TestPart>,
    test: Vec<u32>,
    test_part: TestPart,
}

/// For the fuzzers: what a training would make of a table.
pub(super) fn fuzz(table: Table) {
    let options = TableOptions {
        missing: Missing::Category,
        ..TableOptions::default()
    };
    let roles = Roles::choose(&table, &options);
    let Ok(part) = roles.and_then(|roles| Part::of(table, roles, options.missing, None)) else {
        return;
    };
    let source = DataOptions {
        name: "./table".to_owned(),
        table: options,
        ..DataOptions::default()
    };
    let Ok(Divided {
        train, validation, ..
    }) = part.divide(&source)
    else {
        return;
    };
    let Ok(rules) = part.fit(Missing::Category, &train) else {
        return;
    };
    let text = serde_json::to_string(&rules).unwrap_or_default();
    let again: Result<Preprocessing, _> = serde_json::from_str(&text);
    assert!(
        again.is_ok_and(|again| again == rules),
        "not saved as it is"
    );
    let Ok(prepared) = Prepared::new(&part.table, &part.roles, Arc::new(rules)) else {
        return;
    };
    let prepared = Arc::new(prepared);
    for (rows, taught) in [(train, true), (validation, false)] {
        let count = rows.len();
        let rows = Rows::new(
            Arc::clone(&part.table),
            Arc::clone(&prepared),
            &part.roles,
            rows,
        );
        let Ok(rows) = rows else { return };
        let mut inputs = vec![0.0; rows.features()];
        let mut values = vec![0.0; rows.targets().words()];
        for number in 0..count.min(8) {
            let read = rows.read(number, Default::default(), &mut inputs, &mut values);
            assert!(read.is_ok());
            assert!(!taught || inputs.iter().all(|x| x.is_finite()));
        }
    }
}
