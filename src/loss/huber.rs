//! Huber's loss.

use super::elementwise::rows;
use super::{Comparison, Loss};
use crate::bounds::{check, positive};
use crate::data::TargetKind;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, StepState};
use crate::error::Result;

/// The largest threshold: beyond it the square of an error leaves f32's range before the linear part begins.
const LARGEST_DELTA: f64 = 1e18;

/// The mean over a sample's outputs of half the squared error, continued linearly from an error of `delta` on with the
/// slope there, so that outliers pull no harder (Huber 1964): `torch.nn.HuberLoss`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Huber {
    delta: f32,
}

impl Huber {
    /// `delta` is the error at which the linear part begins.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): the delta is not above 0, or is above 1e18.
    pub fn new(delta: f64) -> Result<Self> {
        check(
            positive(delta, LARGEST_DELTA),
            "huber_delta",
            "must be above 0 and at most 1e18",
            delta,
        )?;
        Ok(Huber {
            delta: delta as f32,
        })
    }
}

impl Loss for Huber {
    fn name(&self) -> &'static str {
        "huber"
    }

    fn targets(&self, outputs: usize) -> TargetKind {
        TargetKind::Values(outputs)
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = HuberLoss {
            params: HuberLossParams {
                outputs: pass.outputs as u32,
                lanes: pass.lanes as u32,
                threshold: self.delta,
            },
            step: pass.step.clone(),
            output: pass.output.clone(),
            targets: pass.targets.clone(),
            delta: pass.delta.clone(),
            losses: pass.losses.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}

crate::kernel! {
    /// The loss of each sample of the batch, which is the mean over its outputs of `e² / 2` if the error e is at most
    /// `threshold` and of `threshold (|e| - threshold / 2)` if it is larger, and the gradient of the mean loss over the
    /// whole batch of `step.total` samples.
    ///
    /// Shapes: `output`, `targets` and `delta` `[outputs][lanes]`, `losses` `[lanes]`; lanes from `step.count` on get
    /// zero. Grid: [`Items`](crate::engine::Grid::Items) = lanes.
    pub HuberLoss, HuberLossParams, HuberLossTwin = "loss/huber", shader!("loss/huber");
    params {
        /// Rows of `output`.
        outputs: u32,
        /// Lanes.
        lanes: u32,
        /// The error from which the loss is linear.
        threshold: f32,
    }
    loops |p, _| looped(p.outputs, NONE);
    uniform step: StepState,
    read output: f32,
    read targets: f32,
    write delta: f32,
    write losses: f32,
}

impl HuberLossTwin<'_> {
    fn run(self) {
        let threshold = self.params.threshold;
        rows!(self).lose(self.losses, self.delta, |_, y, t| {
            let error = y - t;
            let slope = error.clamp(-threshold, threshold);
            [slope * (error - 0.5 * slope), slope]
        });
    }
}
