//! Errors of numbers: absolute and squared.

use std::sync::Arc;

use super::elementwise::rows;
use super::{Comparison, Metric};
use crate::data::TargetKind;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, StepState, View};
use crate::error::{Error, Misfit, Result};

/// The factor that converts one of a target's numbers to the unit in which it is reported.
#[derive(Clone, Debug, Default, PartialEq)]
struct Units(Option<Arc<[f32]>>);

impl Units {
    fn view(&self, pass: &Comparison<'_>) -> Result<View> {
        let units = match &self.0 {
            Some(units) => units.to_vec(),
            None => vec![1.0; pass.outputs],
        };
        match units.len() == pass.outputs {
            true => pass.constants("units", &units),
            false => Err(Error::Shape(Misfit::OneEach {
                what: "units",
                found: units.len(),
                of: "outputs",
                needed: pass.outputs,
            })),
        }
    }
}

/// The mean over samples and outputs of the absolute error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AbsoluteError {
    units: Units,
}

/// The mean over samples and outputs of the squared error, whatever the loss is.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SquaredError {
    units: Units,
}

/// The metric of a kernel with units.
macro_rules! error_metric {
    ($metric:ident, $name:literal, $kernel:ident, $params:ident) => {
        impl $metric {
            /// Each output's error times its unit: the deviation by which its targets were divided.
            pub fn in_units(units: Vec<f32>) -> Self {
                Self {
                    units: Units(Some(units.into())),
                }
            }
        }

        impl Metric for $metric {
            fn name(&self) -> &str {
                $name
            }

            fn higher_is_better(&self) -> bool {
                false
            }

            fn takes(&self, targets: TargetKind, outputs: usize) -> bool {
                targets == TargetKind::Values(outputs)
            }

            fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
                let kernel = $kernel {
                    params: $params {
                        outputs: pass.outputs as u32,
                        lanes: pass.lanes as u32,
                    },
                    step: pass.step.clone(),
                    output: pass.output.clone(),
                    targets: pass.targets.clone(),
                    scores: pass.scores.clone(),
                    units: self.units.view(pass)?,
                };
                plan.dispatch(kernel, Grid::Items(pass.lanes))
            }
        }
    };
}

error_metric!(
    AbsoluteError,
    "MAE",
    AbsoluteErrorScore,
    AbsoluteErrorScoreParams
);
error_metric!(
    SquaredError,
    "MSE",
    SquaredErrorScore,
    SquaredErrorScoreParams
);

crate::kernel! {
    /// For each sample of the batch, the mean over its outputs of `|output - target| unit`.
    ///
    /// Shapes: `output` and `targets` `[outputs][lanes]`, `scores` `[lanes]`, `units` `[outputs]`; lanes from
    /// `step.count` on get zero. Grid: [`Items`](crate::engine::Grid::Items) = lanes.
    pub AbsoluteErrorScore, AbsoluteErrorScoreParams, AbsoluteErrorScoreTwin =
        "loss/absolute_error", shader!("loss/absolute_error");
    params {
        /// Rows of `output`.
        outputs: u32,
        /// Lanes.
        lanes: u32,
    }
    loops |p, _| looped(p.outputs, NONE);
    uniform step: StepState,
    read output: f32,
    read targets: f32,
    write scores: f32,
    read units: f32,
}

impl AbsoluteErrorScoreTwin<'_> {
    fn run(self) {
        let outputs = self.params.outputs as f32;
        let part = |o: usize, y: f32, t: f32| (y - t).abs() * self.units[o];
        rows!(self).score(self.scores, part, |sum| sum / outputs);
    }
}

crate::kernel! {
    /// For each sample of the batch, the mean over its outputs of `((output - target) unit)²`. Shapes and grid: as
    /// [`AbsoluteErrorScore`].
    pub SquaredErrorScore, SquaredErrorScoreParams, SquaredErrorScoreTwin =
        "loss/squared_error", shader!("loss/squared_error");
    params {
        /// Rows of `output`.
        outputs: u32,
        /// Lanes.
        lanes: u32,
    }
    loops |p, _| looped(p.outputs, NONE);
    uniform step: StepState,
    read output: f32,
    read targets: f32,
    write scores: f32,
    read units: f32,
}

impl SquaredErrorScoreTwin<'_> {
    fn run(self) {
        let outputs = self.params.outputs as f32;
        let part = |o: usize, y: f32, t: f32| {
            let error = (y - t) * self.units[o];
            error * error
        };
        rows!(self).score(self.scores, part, |sum| sum / outputs);
    }
}
