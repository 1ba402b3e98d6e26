//! Binary cross-entropy, for samples to which several classes may apply.

use std::sync::Arc;

use super::elementwise::rows;
use super::{Comparison, Loss};
use crate::data::TargetKind;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, StepState};
use crate::error::{Error, Misfit, Result};

/// The mean over a sample's outputs of the cross-entropy of the output's sigmoid against whether its class applies:
/// `torch.nn.BCEWithLogitsLoss`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BinaryCrossEntropy {
    /// For each class; `None`: all 1.
    positive: Option<Arc<[f32]>>,
}

impl BinaryCrossEntropy {
    /// For each class, how much it counts where it applies, compared with 1 where it does not: PyTorch's `pos_weight`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a weight that is below 0 or not finite.
    pub fn weighted(positive: Vec<f32>) -> Result<Self> {
        match positive.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
            None => Ok(BinaryCrossEntropy {
                positive: Some(positive.into()),
            }),
            Some(at) => Err(Error::Shape(Misfit::Weight {
                of: "class",
                number: at,
                weight: positive[at],
            })),
        }
    }
}

impl Loss for BinaryCrossEntropy {
    fn name(&self) -> &'static str {
        "binary-cross-entropy"
    }

    fn targets(&self, outputs: usize) -> TargetKind {
        TargetKind::Flags(outputs)
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let weights = match &self.positive {
            Some(weights) if pass.training => weights.to_vec(),
            _ => vec![1.0; pass.outputs],
        };
        if weights.len() != pass.outputs {
            return Err(Error::Shape(Misfit::OneEach {
                what: "class weights",
                found: weights.len(),
                of: "outputs",
                needed: pass.outputs,
            }));
        }
        let kernel = BinaryCrossEntropyLoss {
            params: BinaryCrossEntropyLossParams {
                outputs: pass.outputs as u32,
                lanes: pass.lanes as u32,
            },
            step: pass.step.clone(),
            output: pass.output.clone(),
            targets: pass.targets.clone(),
            delta: pass.delta.clone(),
            losses: pass.losses.clone(),
            positive: pass.constants("class weights", &weights)?,
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}

crate::kernel! {
    /// The loss of each sample of the batch, which is the mean over its outputs y with targets t in [0, 1] of
    /// `-positive t log σ(y) - (1 - t) log (1 - σ(y))`, and the gradient of the mean loss over the whole batch of
    /// `step.total` samples.
    ///
    /// Shapes: `output`, `targets` and `delta` `[outputs][lanes]`, `losses` `[lanes]`, `positive` `[outputs]`; lanes
    /// from `step.count` on get zero. Grid: [`Items`](crate::engine::Grid::Items) = lanes.
    pub BinaryCrossEntropyLoss, BinaryCrossEntropyLossParams, BinaryCrossEntropyLossTwin =
        "loss/binary_cross_entropy", shader!("loss/binary_cross_entropy");
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
    write delta: f32,
    write losses: f32,
    read positive: f32,
}

/// log(1 + e), for e in [0, 1].
fn log_above_one(e: f32) -> f32 {
    match e < 1e-3 {
        true => e * (1.0 - e * (0.5 - e / 3.0)),
        false => (1.0 + e).ln(),
    }
}

impl BinaryCrossEntropyLossTwin<'_> {
    fn run(self) {
        rows!(self).lose(self.losses, self.delta, |o, y, t| {
            let e = (-y.abs()).exp();
            let rest = log_above_one(e);
            let (against, for_it) = (y.max(0.0) + rest, (-y).max(0.0) + rest);
            let large = 1.0 / (1.0 + e);
            let small = e * large;
            let (sigmoid, opposite) = match y >= 0.0 {
                true => (large, small),
                false => (small, large),
            };
            let weight = self.positive[o] * t;
            [
                (1.0 - t) * against + weight * for_it,
                (1.0 - t) * sigmoid - weight * opposite,
            ]
        });
    }
}
