//! A loss and a metric from outside the crate: mean squared and mean absolute error, each a shader with its twin and
//! the trait.

use rootlet::data::TargetKind;
use rootlet::engine::loops::{NONE, looped};
use rootlet::engine::{Grid, Plan, StepState};
use rootlet::loss::{Comparison, Loss, Metric};
use rootlet::{Result, kernel};

kernel! {
    /// Mean over a sample's outputs of `(output - target)²`, and its gradient. Grid: Items = lanes.
    pub Squares, SquaresParams, SquaresTwin = "custom/squares", include_str!("squares.wgsl");
    params { outputs: u32, lanes: u32 }
    loops |p, _| looped(p.outputs, NONE);
    uniform step: StepState,
    read output: f32,
    read targets: f32,
    write delta: f32,
    write losses: f32,
}

impl SquaresTwin<'_> {
    fn run(self) {
        let SquaresParams { outputs, lanes } = self.params;
        let scale = 2.0 / (outputs * self.step.total) as f32;
        for lane in 0..lanes as usize {
            let mut sum = 0.0;
            for o in 0..outputs as usize {
                let at = o * lanes as usize + lane;
                let error = match lane < self.step.count as usize {
                    true => self.output[at] - self.targets[at],
                    false => 0.0,
                };
                self.delta[at] = scale * error;
                sum += error * error;
            }
            self.losses[lane] = sum / outputs as f32;
        }
    }
}

kernel! {
    /// Mean over a sample's outputs of `|output - target|`. Grid: Items = lanes.
    pub Absolute, AbsoluteParams, AbsoluteTwin = "custom/absolute", include_str!("absolute.wgsl");
    params { outputs: u32, lanes: u32 }
    loops |p, _| looped(p.outputs, NONE);
    uniform step: StepState,
    read output: f32,
    read targets: f32,
    write scores: f32,
}

impl AbsoluteTwin<'_> {
    fn run(self) {
        let AbsoluteParams { outputs, lanes } = self.params;
        for lane in 0..lanes as usize {
            let places = (0..outputs as usize).map(|o| o * lanes as usize + lane);
            let sum: f32 = places
                .map(|at| (self.output[at] - self.targets[at]).abs())
                .sum();
            let there = lane < self.step.count as usize;
            self.scores[lane] = if there { sum / outputs as f32 } else { 0.0 };
        }
    }
}

/// The loss.
#[derive(Debug)]
pub struct MeanSquaredError;

impl Loss for MeanSquaredError {
    fn name(&self) -> &'static str {
        "mean-squared-error"
    }

    fn targets(&self, outputs: usize) -> TargetKind {
        TargetKind::Values(outputs)
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = Squares {
            params: SquaresParams {
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

/// The metric.
#[derive(Debug)]
pub struct MeanAbsoluteError;

impl Metric for MeanAbsoluteError {
    fn name(&self) -> &'static str {
        "mean-absolute-error"
    }

    fn higher_is_better(&self) -> bool {
        false
    }

    fn takes(&self, targets: TargetKind, outputs: usize) -> bool {
        targets == TargetKind::Values(outputs)
    }

    fn record(&self, plan: &mut Plan, pass: &Comparison<'_>) -> Result<()> {
        let kernel = Absolute {
            params: AbsoluteParams {
                outputs: pass.outputs as u32,
                lanes: pass.lanes as u32,
            },
            step: pass.step.clone(),
            output: pass.output.clone(),
            targets: pass.targets.clone(),
            scores: pass.scores.clone(),
        };
        plan.dispatch(kernel, Grid::Items(pass.lanes))
    }
}
