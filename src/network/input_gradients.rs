//! What the outputs of an evaluation depend on: the gradient at the input, of any weighted sum of the outputs.

use super::on_device::Network;
use super::recording::recorder::{PassOptions, Recorder};
use crate::data::Batch;
use crate::engine::{Buffer, Device, Plan, StepState};
use crate::error::{Error, Misfit, Result};
use crate::topology::{Observes, StepPass};

impl Recorder<'_> {
    /// The forward pass of an evaluation, and the backward pass through it down to the input.
    pub fn input_gradients(&self) -> Result<Plan> {
        let pass = StepPass {
            observes: Observes::Nothing,
            gradients: false,
        };
        self.pass(PassOptions {
            evaluates: true,
            ..PassOptions::first(pass)
        })
    }
}

impl Network {
    /// Loads a batch and goes forward as in an evaluation, then back: the gradient at the loaded input
    /// `[channels][positions][lanes]`, as normalised, of the sum over outputs of `weights` `[outputs][lanes]` times the
    /// outputs before softmax. Samples do not depend on one another, so that each lane has its own sample's gradient;
    /// lanes beyond the batch's samples have none.
    ///
    /// # Errors
    /// The network is not for [gradients at the input](super::Purpose::InputGradients), the batch has another shape,
    /// there are more or fewer weights, or the device is lost.
    pub fn input_gradients(
        &self,
        device: &Device,
        batch: &Batch,
        weights: &[f32],
    ) -> Result<Vec<f32>> {
        let (lanes, outputs) = (self.lanes(), self.outputs());
        let program = made(self.executor.programs.input_gradients.as_ref())?;
        let given = made(self.executor.buffers.output_gradient.as_ref())?;
        let gradient = made(self.executor.buffers.input_gradient.as_ref())?;
        if weights.len() != outputs * lanes {
            return Err(Error::Shape(Misfit::OneEach {
                what: "weights of outputs",
                found: weights.len(),
                of: "outputs and lanes",
                needed: outputs * lanes,
            }));
        }
        // A padding lane's gradient must be zero: what layers compute from it would not be.
        let mut own = weights.to_vec();
        for row in own.chunks_exact_mut(lanes) {
            row[batch.count.min(lanes)..].fill(0.0);
        }
        self.load(device, batch)?;
        device.upload(&given.range(0..own.len()), &own)?;
        (self.executor).set_step(device, StepState::whole(0, 0, batch.count, 0.0))?;
        device.run(program)?;
        device.download(&Buffer::range(gradient, 0..self.input().words()))
    }
}

/// What only a network for gradients at the input has.
fn made<T>(part: Option<&T>) -> Result<&T> {
    part.ok_or(Error::Shape(Misfit::NotMadeFor {
        what: "gradients at the input",
        option: "purpose",
    }))
}
