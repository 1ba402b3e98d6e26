//! The outcomes of an evaluation, batch by batch.

use std::collections::BTreeMap;

use super::counts::OfClass;
use super::flags::Flags;
use super::labels::Labels;
use super::measure::Measure;
use super::values::Values;
use crate::data::{TargetKind, Targets};
use crate::error::{Error, Misfit, Result};

#[derive(Clone, Debug)]
enum Kind {
    Labels(Labels),
    Flags(Flags),
    Values(Values),
}

/// Outputs and targets of an evaluation's samples, with all that a [`Measure`] needs.
#[derive(Clone, Debug)]
pub struct Outcomes {
    outputs: usize,
    kind: Kind,
    units: Vec<f32>,
}

impl Outcomes {
    /// Empty, for samples with such targets.
    pub fn new(targets: TargetKind, outputs: usize) -> Self {
        Outcomes {
            outputs,
            kind: match targets {
                TargetKind::Labels => Kind::Labels(Labels::new(outputs)),
                TargetKind::Flags(_) => Kind::Flags(Flags::new(outputs)),
                TargetKind::Values(_) => Kind::Values(Values::new(outputs)),
            },
            units: Vec::new(),
        }
    }

    /// The same for values that were divided by these units, one per value, and are reported in them.
    pub fn in_units(self, units: Vec<f32>) -> Self {
        Outcomes { units, ..self }
    }

    /// Adds a batch: the network's outputs `[output][lanes]`, the targets as in a [`Batch`](crate::data::Batch), and
    /// how many of the lanes are samples.
    ///
    /// # Errors
    /// [`Error::Shape`] for sizes that do not fit each other, or a class that is not among the outputs.
    pub fn add(
        &mut self,
        told: &[f32],
        targets: &Targets,
        lanes: usize,
        count: usize,
    ) -> Result<()> {
        let words = match targets {
            Targets::Labels(_) | Targets::Mixed(_) => lanes,
            Targets::Flags(_) | Targets::Values(_) => self.outputs * lanes,
        };
        let misfit = || {
            Error::Shape(Misfit::Unfit {
                found: format!("{} outputs and {} targets", told.len(), targets.words()),
                expected: format!(
                    "a batch of {count} samples in {lanes} lanes with {} outputs each",
                    self.outputs
                ),
            })
        };
        if told.len() != self.outputs * lanes || targets.words() != words || count > lanes {
            return Err(misfit());
        }
        let of = |rows: &[f32], lane: usize, sample: &mut Vec<f32>| {
            sample.clear();
            sample.extend(rows.iter().skip(lane).step_by(lanes.max(1)));
        };
        let (mut outputs, mut own) = (Vec::new(), Vec::new());
        for lane in 0..count {
            of(told, lane, &mut outputs);
            match (&mut self.kind, targets) {
                (Kind::Labels(all), Targets::Labels(labels))
                    if (labels[lane] as usize) < self.outputs =>
                {
                    all.add(&outputs, labels[lane]);
                }
                (Kind::Flags(all), Targets::Flags(flags)) => {
                    of(flags, lane, &mut own);
                    all.add(&outputs, &own);
                }
                (Kind::Values(all), Targets::Values(values)) => {
                    of(values, lane, &mut own);
                    all.add(&outputs, &own);
                }
                _ => return Err(misfit()),
            }
        }
        Ok(())
    }

    /// Names of the scores that they can give of a whole evaluation, except for one class per sample.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        match &self.kind {
            Kind::Labels(_) => Vec::new(),
            Kind::Flags(flags) => flags.names(),
            Kind::Values(_) => vec!["RMSE", "MAE", "R2"],
        }
    }

    /// Their metrics.
    pub fn measures(&self) -> Vec<Measure> {
        match &self.kind {
            Kind::Labels(labels) => labels.measures(),
            Kind::Flags(flags) => flags.measures(),
            Kind::Values(values) => values.measures(&self.units),
        }
    }

    /// The confusion matrix: how many samples of a class got an answer, by class and answer, without the pairs that
    /// never occurred; `None` unless samples have one class each.
    pub fn confusion(&self) -> Option<&BTreeMap<(u32, u32), u64>> {
        match &self.kind {
            Kind::Labels(labels) => Some(&labels.confusion),
            Kind::Flags(_) | Kind::Values(_) => None,
        }
    }

    /// The counts for each class; empty if samples have values.
    pub fn classes(&self) -> &[OfClass] {
        match &self.kind {
            Kind::Labels(labels) => &labels.classes,
            Kind::Flags(flags) => &flags.classes,
            Kind::Values(_) => &[],
        }
    }
}
