//! Mean squared error.

use super::elementwise::rows;
use super::{Comparison, Loss};
use crate::data::TargetKind;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, StepState};
use crate::error::Result;

/// The mean over a sample's outputs of the squared error: `torch.nn.MSELoss`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MeanSquaredError;

impl Loss for MeanSquaredError {
    fn name(&self) -> &'static str {
        "mean-squared-error"
    }

    fn targets(&self, outputs: usize) -> TargetKind {
        TargetKind::Values(outputs)
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = MeanSquaredErrorLoss {
            params: MeanSquaredErrorLossParams {
                outputs: pass.outputs as u32,
                lanes: pass.lanes as u32,
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
    /// The loss of each sample of the batch, which is the mean of `(output - target)²` over its outputs, and the
    /// gradient of the mean loss over the whole batch of `step.total` samples.
    ///
    /// Shapes: `output`, `targets` and `delta` `[outputs][lanes]`, `losses` `[lanes]`; lanes from `step.count` on get
    /// zero. Grid: [`Items`](crate::engine::Grid::Items) = lanes.
    pub MeanSquaredErrorLoss, MeanSquaredErrorLossParams, MeanSquaredErrorLossTwin =
        "loss/mean_squared_error", shader!("loss/mean_squared_error");
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
}

impl MeanSquaredErrorLossTwin<'_> {
    fn run(self) {
        rows!(self).lose(self.losses, self.delta, |_, y, t| {
            let error = y - t;
            [error * error, 2.0 * error]
        });
    }
}
