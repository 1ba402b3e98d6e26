//! From files to a data set: which columns, which rows, and what the training rows say about them.

use std::path::Path;
use std::sync::Arc;

use super::Watch;
use super::cells::MOST_COLUMNS;
use super::options::TableOptions;
use super::part::{Part, name};
use super::prepared::{Prepared, doubtful};
use super::preprocessing::{Preprocessing, TargetRule};
use super::roles::{self, Roles};
use super::rows::Rows;
use super::weights;
use crate::data::dataset::Dataset;
use crate::data::parts::HeldOut;
use crate::data::{DataOptions, ImageShape, Normalisation, TargetKind};
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
    if let Some(column) = first.roles.weight {
        weights::check(&first.table, column, &first.rows).map_err(wrong)?;
    }
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
        notes.extend(doubtful(&first.table, &first.roles, &rules).map_err(wrong)?);
        notes.extend(of_numbers(&first, &rules.target));
    }
    for (rows, purpose) in [
        (&divided.validation, "to validate by"),
        (&divided.test, "to test by"),
    ] {
        notes.extend(
            of_train
                .unseen(&first.table, rows, purpose)
                .map_err(wrong)?,
        );
    }
    let prepared = Arc::new(of_train);
    let rows = |part: &Part, prepared: &Arc<Prepared>, rows| {
        // Weights are for training alone.
        let roles = Roles {
            weight: None,
            ..part.roles.clone()
        };
        Rows::new(Arc::clone(&part.table), Arc::clone(prepared), &roles, rows)
    };
    let train = Rows::new(
        Arc::clone(&first.table),
        Arc::clone(&prepared),
        &first.roles,
        divided.train,
    )
    .map_err(wrong)?;
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
            // Weights are for training alone.
            let unweighted = TableOptions {
                weight: None,
                ..options.clone()
            };
            let part = Part::open(path, &unweighted, Some(&rules), watch)?;
            let mut of_test = part.rows.clone();
            of_test.truncate(source.limit.unwrap_or(usize::MAX));
            let prepared =
                Prepared::new(&part.table, &part.roles, Arc::clone(&rules)).map_err(wrong)?;
            notes.extend(
                part.notes
                    .iter()
                    .map(|note| format!("{}: {note}", name(path))),
            );
            notes.extend((prepared.unseen(&part.table, &of_test, "to test by")).map_err(wrong)?);
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
