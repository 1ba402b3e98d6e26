//! Batch norm as a layer of a model.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::batch_norm::{BatchNormPass, NormScratch};
use super::batch_norm_views::{BatchNormBackwardViews, BatchNormForwardViews};
use super::shared::{EPSILON, scale_and_shift};
use crate::engine::Plan;
use crate::error::Result;
use crate::layer::definition::{Layer, Linear};
use crate::layer::extent::Extent;
use crate::layer::operation::Operation;
use crate::layer::parameter_state::Parameter;
use crate::layer::pass::{Backward, Forward, Mode, Pass, Sink};
use crate::layer::residual::{Add, alike};

/// Batch norm over batch and positions; a second input is added before the ReLU. Ioffe and Szegedy, arXiv 1502.03167.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchNorm {
    /// Whether a ReLU is fused after it.
    pub relu: bool,
}

impl BatchNorm {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> BatchNormPass {
        BatchNormPass {
            channels: pass.extent().channels,
            positions: pass.extent().positions(),
            lanes: pass.lanes(),
            relu: self.relu,
            fused: pass.fuses(),
        }
    }
}

/// Scratch memory of a batch norm's forward or backward pass.
fn scratch<P: Pass + ?Sized>(norm: &BatchNormPass, pass: &P) -> NormScratch {
    NormScratch {
        parts: pass.scratch("norm.parts", norm.parts_words()),
        sums: pass.scratch("norm.sums", norm.saved_words()),
    }
}

impl Layer for BatchNorm {
    fn kind(&self) -> &'static str {
        "batch-norm"
    }

    fn arity(&self) -> RangeInclusive<usize> {
        1..=2
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        alike(inputs)
    }

    fn parameters(&self, inputs: &[Extent]) -> Vec<Parameter> {
        let channels = inputs[0].channels;
        let mut parameters = scale_and_shift(channels);
        parameters.push(Parameter::untrained("running_mean", channels, 0.0));
        parameters.push(Parameter::untrained("running_variance", channels, 1.0));
        parameters
    }

    fn saved_words(&self, inputs: &[Extent], _: usize) -> usize {
        4 * inputs[0].channels
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        let norm = self.pass(pass);
        let views = BatchNormForwardViews {
            input: pass.input(0)?,
            residual: match pass.inputs().len() {
                2 => Some(pass.input(1)?),
                _ => None,
            },
            output: pass.output(),
            saved: pass.saved()?,
        };
        let (parameters, step) = (pass.parameters()?, pass.step());
        match pass.mode() {
            Mode::Evaluate => norm.forward_eval(plan, &parameters, &step, views),
            Mode::Restore => norm.forward_again(plan, &parameters, &step, views),
            mode => {
                let moves = mode == Mode::Train;
                if let Some(found) = pass.statistics() {
                    if pass.is_left_out() {
                        return norm.statistics_from(plan, &parameters, found, views.saved, moves);
                    }
                    return norm.forward_from(plan, &parameters, &found, &step, views, moves);
                }
                let scratch = scratch(&norm, pass);
                norm.forward_train(plan, &parameters, &scratch, &step, views, moves)
            }
        }
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        let masked = pass.is_masked();
        let norm = BatchNormPass {
            relu: self.relu && !masked,
            ..self.pass(pass)
        };
        let adds = pass.inputs().len() == 2;
        // A gradient that went back through the ReLU is the residual's unchanged.
        let residual = match (adds, masked) {
            (true, false) => pass.sink(1)?,
            (true, true) => {
                pass.pass_on(plan, 1, pass.delta())?;
                None
            }
            (false, _) => None,
        };
        // The gradients of scale and shift come with the input's, needed or not.
        let sink = match pass.sink(0)? {
            Some(sink) => sink,
            None => Sink {
                view: pass.scratch("unwanted delta", norm.words()),
                accumulate: false,
            },
        };
        let input = pass.input(plan, 0)?;
        let activation = match adds && norm.relu {
            true => Some(pass.output(plan)?),
            false => None,
        };
        let (delta, saved, sums) = (pass.delta(), pass.saved()?, pass.sums());
        let scratch = scratch(&norm, pass);
        let evaluates = pass.mode() == Mode::Evaluate;
        let (parameters, step, add) = (pass.parameters()?, pass.step(), pass.accumulates());
        pass.write_only(plan, 0, sink, |plan, output| {
            let views = BatchNormBackwardViews {
                input,
                delta,
                activation,
                saved,
                output,
                residual: residual.map(|sink| (sink.view, sink.accumulate)),
            };
            match &sums {
                _ if evaluates => {
                    norm.backward_eval(plan, &parameters, &scratch.parts, &step, views)
                }
                Some(sums) => {
                    let sums = (sums, &scratch.sums);
                    norm.backward_from(plan, &parameters, sums, &step, views, add)
                }
                None => norm.backward(plan, &parameters, &scratch, &step, views, add),
            }
        })
    }

    fn restores(&self) -> bool {
        true
    }

    fn normalises(&self) -> Option<bool> {
        Some(self.relu)
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::BatchNorm {
            epsilon: EPSILON,
            relu: self.relu,
        })
    }

    fn linear(&self, inputs: usize) -> Linear {
        match inputs {
            1 => Linear::Identity,
            _ => Linear::Instead(Arc::new(Add)),
        }
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![
        Arc::new(BatchNorm { relu: false }),
        Arc::new(BatchNorm { relu: true }),
    ]
}
