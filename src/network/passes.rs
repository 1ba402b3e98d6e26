//! Running a network's programs over a batch, part by part.

use super::programs::{Pass, Programs};
use super::recorder::Fixed;
use crate::data::Batch;
use crate::engine::{Device, STEP_WORDS, StepState};
use crate::error::Result;

pub(super) struct Passes {
    pub fixed: Fixed,
    pub programs: Programs,
}

impl Passes {
    pub fn load(&self, device: &Device, batch: &Batch) -> Result<()> {
        let fixed = &self.fixed;
        device.upload(&fixed.input.range(0..batch.inputs.len()), &batch.inputs)?;
        device.upload(&fixed.labels.range(0..batch.labels.len()), &batch.labels)
    }

    pub fn set_step(&self, device: &Device, state: StepState) -> Result<()> {
        let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
        device.upload(&self.fixed.step.range(0..STEP_WORDS), words)
    }

    /// One pass over all parts of a batch, whose state is `state`.
    pub fn run(
        &self,
        device: &Device,
        parts: &[Batch],
        state: StepState,
        pass: Pass,
    ) -> Result<()> {
        let mut first = 0;
        for part in parts {
            self.load(device, part)?;
            let count = part.count as u32;
            let part = StepState {
                count,
                first,
                ..state
            };
            self.set_step(device, part)?;
            device.run(self.programs.pass(pass, first > 0)?)?;
            first += count;
        }
        Ok(())
    }

    /// The optimiser's update by the gradients of the passes before.
    pub fn update(&self, device: &Device) -> Result<()> {
        device.run(self.programs.update()?)
    }
}
