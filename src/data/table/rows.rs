//! Rows of a table as a source of samples.

use std::collections::BTreeMap;
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use super::cells::{Row, Table};
use super::prepared::Prepared;
use super::preprocessing::TargetRule;
use super::roles::Roles;
use super::targets::classes;
use super::weights::weights;
use crate::data::TargetKind;
use crate::data::augmentation::Draws;
use crate::data::sources::DataSource;
use crate::error::Result;

/// Some rows of a table, whose inputs and values are made when they are read.
#[derive(Debug)]
pub(super) struct Rows {
    table: Arc<Table>,
    prepared: Arc<Prepared>,
    /// Their numbers in the table.
    rows: Vec<u32>,
    /// Their classes; empty for values.
    labels: Vec<u32>,
    /// The column of each value, and what makes it a value of the network: its mean and its deviation.
    scales: Vec<(usize, f64, f64)>,
    /// Their weights; empty if all count the same.
    weights: Vec<f32>,
    kind: TargetKind,
    /// Why some of them are left out, by their place.
    faults: BTreeMap<usize, String>,
}

impl Rows {
    /// These rows of a table; without targets if no column is one.
    ///
    /// # Errors
    /// A class that training did not have, or an impossible weight: a reason that fits after the file's name.
    pub fn new(
        table: Arc<Table>,
        prepared: Arc<Prepared>,
        roles: &Roles,
        rows: Vec<u32>,
    ) -> Result<Self, String> {
        let columns = &roles.targets;
        let (mut labels, mut scales) = (Vec::new(), Vec::new());
        let kind = match &prepared.rules.target {
            // For prediction: nothing is compared.
            _ if columns.is_empty() => {
                labels = vec![0; rows.len()];
                TargetKind::Labels
            }
            TargetRule::Classes { names, .. } => {
                labels = classes(&table, columns[0], names, &rows)?;
                TargetKind::Labels
            }
            TargetRule::Values {
                mean, deviation, ..
            } => {
                let of_columns = columns.iter().zip(mean).zip(deviation);
                scales.extend(
                    of_columns.map(|((&column, &mean), &deviation)| (column, mean, deviation)),
                );
                TargetKind::Values(columns.len())
            }
            TargetRule::Labels { .. } => {
                scales.extend(columns.iter().map(|&column| (column, 0.0, 1.0)));
                TargetKind::Flags(columns.len())
            }
        };
        Ok(Self {
            weights: match roles.weight {
                Some(column) => weights(&table, column, &rows)?,
                None => Vec::new(),
            },
            table,
            prepared,
            rows,
            labels,
            scales,
            kind,
            faults: BTreeMap::new(),
        })
    }

    /// These, of which some are left out for these reasons, by their place.
    pub fn without(self, faults: BTreeMap<usize, String>) -> Self {
        Self { faults, ..self }
    }

    /// Writes the values of a row.
    fn values(&self, row: Row<'_>, values: &mut [f32]) {
        for (value, &(column, mean, deviation)) in values.iter_mut().zip(&self.scales) {
            let x = f64::from(f32::from_bits(row.word(column)));
            *value = ((x - mean) / deviation) as f32;
        }
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
        self.labels.get(number).copied().unwrap_or(0)
    }

    fn weight(&self, number: usize) -> f32 {
        self.weights.get(number).copied().unwrap_or(1.0)
    }

    fn is_weighted(&self) -> bool {
        !self.weights.is_empty()
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
        self.table.read(self.rows[number] as usize, |row| {
            self.prepared.inputs(row, inputs);
            self.values(row, values);
        })
    }

    /// Over classes, inputs and values of all rows, and over the weights if there are any.
    fn fingerprint(&self) -> Result<String> {
        let mut hash = Xxh3::new();
        let mut inputs = vec![0.0; self.features()];
        let mut values = vec![0.0; self.scales.len()];
        let mut number = 0;
        let read = self.table.each(self.rows.iter().copied(), |_, row| {
            self.prepared.inputs(row, &mut inputs);
            self.values(row, &mut values);
            hash.update(&self.label(number).to_le_bytes());
            hash.update(bytemuck::cast_slice(&inputs));
            hash.update(bytemuck::cast_slice(&values));
            number += 1;
        });
        read.map_err(|reason| self.table.wrong(reason))?;
        hash.update(bytemuck::cast_slice(&self.weights));
        Ok(format!("{:032x}", hash.digest128()))
    }
}
