//! Rows of a file that a network is to predict for, by the rules of its training.

use std::path::Path;
use std::sync::Arc;

use super::Watch;
use super::cells::{MISSING, Table};
use super::faults::Faults;
use super::how::How;
use super::open::open;
use super::prepared::{self, Prepared};
use super::preprocessing::{ColumnRule, Missing, Preprocessing};
use super::roles::Roles;
use super::rows::Rows;
use crate::data::Images;
use crate::error::{Error, Result};

/// Rows to predict for.
#[derive(Debug)]
pub struct RowsToPredict {
    /// The rows, in the order of the file.
    pub rows: Images,
    /// What the user should know about them, in whole sentences.
    pub notes: Vec<String>,
}

/// The rows of a file as seen by a network that was trained with these rules, for prediction; the target may be
/// missing. With `skip`, rows that the rules do not take are left out ([`DataSource::fault`](crate::data::DataSource));
/// otherwise the first of them is an error.
///
/// # Errors
/// As [`load`](crate::data::load); columns with other names, and rows that the rules do not take.
pub fn rows_of(
    path: &Path,
    rules: &Arc<Preprocessing>,
    skip: bool,
    watch: Watch<'_>,
) -> Result<RowsToPredict> {
    let wrong = |reason| Error::Data {
        path: path.to_owned(),
        reason,
    };
    let texts = rules.text_columns();
    // What is not used cannot be a fault.
    let unused: Vec<String> = (rules.ignored.iter())
        .chain(rules.target.columns())
        .chain(&rules.weight)
        .cloned()
        .collect();
    let how = How {
        texts: &texts,
        ignore: &unused,
        keeps_faults: true,
        weight: rules.weight.as_deref(),
        labels: rules.has_labels(),
        ..How::default()
    };
    let mut table = open(path, how, watch)?;
    prepared::complete(&mut table, rules);
    let mut roles = prepared::roles(&table, rules, false, None)
        .map_err(|reason| wrong(table.doubted(reason)))?;
    if table.rows == 0 {
        return Err(wrong("it has no rows".to_owned()));
    }
    if u32::try_from(table.rows).is_err() {
        return Err(wrong(format!(
            "its {} rows are more than a set can have",
            table.rows
        )));
    }
    let mut faults = std::mem::take(&mut table.faults);
    missing_values(&table, &roles, rules, &mut faults).map_err(wrong)?;
    if let (false, Some((row, why))) = (skip, faults.first()) {
        return Err(Error::DamagedRow {
            path: path.to_owned(),
            row: row as u64 + 1,
            why: table.doubted(why.to_owned()),
            others: faults.len() as u64 - 1,
        });
    }
    let prepared = Prepared::new(&table, &roles, Arc::clone(rules)).map_err(wrong)?;
    let all: Vec<u32> = (0..table.rows as u32).collect();
    let sound: Vec<u32> = (all.iter().copied())
        .filter(|row| !faults.has(*row as usize))
        .collect();
    let mut notes: Vec<String> = roles
        .note
        .take()
        .into_iter()
        .chain(table.doubt.clone())
        .collect();
    notes.extend(
        prepared
            .unseen(&table, &sound, "to predict for")
            .map_err(wrong)?,
    );
    let rows = Rows::new(Arc::new(table), Arc::new(prepared), &roles, all).map_err(wrong)?;
    Ok(RowsToPredict {
        rows: rows.without(faults.into_map()).into(),
        notes,
    })
}

/// Finds missing values where training had none, or left out the rows that lacked one.
///
/// # Errors
/// As [`Table::each`].
fn missing_values(
    table: &Table,
    roles: &Roles,
    rules: &Preprocessing,
    faults: &mut Faults,
) -> std::result::Result<(), String> {
    if table.is_sparse() || !matches!(rules.missing, Missing::Refuse | Missing::Drop) {
        return Ok(());
    }
    table.each(0..table.rows as u32, |row, cells| {
        let gap = (rules.columns.iter().zip(&roles.inputs))
            .find(|(_, column)| cells.word(**column) == MISSING);
        if let Some((ColumnRule { name, .. }, _)) = gap {
            faults.add(row as usize, || {
                format!(
                    "column `{name}`: the value is missing, and training says nothing in its place"
                )
            });
        }
    })
}
