//! Rows of a table as a source of samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cells::Table;
use super::prepared::Prepared;
use super::preprocessing::TargetRule;
use super::roles::Roles;
use super::targets::classes;
use crate::data::augmentation::Draws;
use crate::data::sources::DataSource;
use crate::data::{TargetKind, Targets};
use crate::error::Result;

/// Some rows of a table, whose inputs are made when they are read.
#[derive(Debug)]
pub(super) struct Rows {
    table: Arc<Table>,
    prepared: Arc<Prepared>,
    /// Their numbers in the table.
    rows: Vec<u32>,
    /// Their classes, or their values in the network's unit.
    targets: Targets,
    kind: TargetKind,
    /// Why some of them are left out, by their place.
    faults: BTreeMap<usize, String>,
}

impl Rows {
    /// These rows of a table; without targets if no column is one.
    ///
    /// # Errors
    /// A class that training did not have: a reason that fits after the file's name.
    pub fn new(
        table: Arc<Table>,
        prepared: Arc<Prepared>,
        roles: &Roles,
        rows: Vec<u32>,
    ) -> Result<Self, String> {
        let columns = &roles.targets;
        if columns.is_empty() {
            // For prediction: nothing is compared.
            return Ok(Self {
                targets: Targets::Labels(vec![0; rows.len()]),
                kind: TargetKind::Labels,
                faults: BTreeMap::new(),
                table,
                prepared,
                rows,
            });
        }
        let values = |scales: &[(f64, f64)]| -> Vec<f32> {
            let cells = rows.iter().flat_map(|&row| {
                let row = table.row(row as usize);
                let scaled = columns.iter().zip(scales);
                scaled.map(move |(&column, (mean, deviation))| {
                    let x = f64::from(f32::from_bits(row.word(column)));
                    ((x - mean) / deviation) as f32
                })
            });
            cells.collect()
        };
        let targets = match &prepared.rules.target {
            TargetRule::Classes { names, .. } => {
                Targets::Labels(classes(&table, columns[0], names, &rows)?)
            }
            TargetRule::Values {
                mean, deviation, ..
            } => {
                let scales: Vec<(f64, f64)> = mean
                    .iter()
                    .copied()
                    .zip(deviation.iter().copied())
                    .collect();
                Targets::Values(values(&scales))
            }
            TargetRule::Labels { columns } => {
                Targets::Flags(values(&vec![(0.0, 1.0); columns.len()]))
            }
        };
        Ok(Self {
            kind: match &targets {
                Targets::Labels(_) | Targets::Mixed(_) => TargetKind::Labels,
                Targets::Flags(_) => TargetKind::Flags(columns.len()),
                Targets::Values(_) => TargetKind::Values(columns.len()),
            },
            table,
            prepared,
            rows,
            targets,
            faults: BTreeMap::new(),
        })
    }

    /// These, of which some are left out for these reasons, by their place.
    pub fn without(self, faults: BTreeMap<usize, String>) -> Self {
        Self { faults, ..self }
    }
}

impl DataSource for Rows {
    fn len(&self) -> usize {
        self.rows.len()
    }

    fn features(&self) -> usize {
        self.prepared.rules.inputs()
    }

    fn targets(&self) -> TargetKind {
        self.kind
    }

    fn label(&self, number: usize) -> u32 {
        match &self.targets {
            Targets::Labels(labels) => labels[number],
            Targets::Mixed(_) | Targets::Flags(_) | Targets::Values(_) => 0,
        }
    }

    fn name(&self, number: usize) -> Option<String> {
        // Rows are counted from 1, as in messages.
        self.rows
            .get(number)
            .map(|row| (u64::from(*row) + 1).to_string())
    }

    fn fault(&self, number: usize) -> Option<String> {
        self.faults.get(&number).cloned()
    }

    fn read(&self, number: usize, _: Draws, inputs: &mut [f32], values: &mut [f32]) -> Result<()> {
        let row = self.table.row(self.rows[number] as usize);
        self.prepared.inputs(row, inputs);
        if let Some(all) = self.targets.numbers() {
            let count = values.len();
            values.copy_from_slice(&all[number * count..][..count]);
        }
        Ok(())
    }
}
