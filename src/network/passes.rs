//! Running a network's programs over a batch, part by part.

use super::feed::Feed;
use super::programs::{Pass, Programs};
use super::recorder::Fixed;
use crate::engine::{Device, KernelCheck, Program, STEP_WORDS, StepState};
use crate::error::Result;

/// Runs programs; with a filter also the twins of the kernels that it names, and keeps what the comparisons found.
pub(super) struct Runner<'a> {
    pub device: &'a Device,
    pub filter: Option<&'a str>,
    pub checks: Vec<KernelCheck>,
}

impl<'a> Runner<'a> {
    pub fn new(device: &'a Device, filter: Option<&'a str>) -> Self {
        Runner {
            device,
            filter,
            checks: Vec::new(),
        }
    }

    pub fn run(&mut self, program: &Program) -> Result<()> {
        match self.filter {
            None => self.device.run(program)?,
            Some(filter) => {
                let checks = self.device.run_checked(program, filter)?;
                self.checks.extend(checks);
            }
        }
        Ok(())
    }
}

pub(super) struct Passes {
    pub fixed: Fixed,
    pub programs: Programs,
}

impl Passes {
    pub fn set_step(&self, device: &Device, state: StepState) -> Result<()> {
        let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
        device.upload(&self.fixed.step.range(0..STEP_WORDS), words)
    }

    /// A training step on a batch in parts, whose state is `state`.
    pub fn step(
        &self,
        runner: &mut Runner<'_>,
        parts: &[impl Feed],
        state: StepState,
    ) -> Result<()> {
        // A network for batches in parts takes the last one, which may be a single part, as the others.
        if let ([whole], true) = (parts, self.programs.takes_whole_batches()) {
            whole.load(runner.device, &self.fixed)?;
            self.set_step(runner.device, state)?;
            return runner.run(self.programs.step()?);
        }
        self.pass(runner, parts, state, Pass::Gradients)?;
        self.update(runner)
    }

    /// One pass over all parts of a batch.
    pub fn pass(
        &self,
        runner: &mut Runner<'_>,
        parts: &[impl Feed],
        state: StepState,
        pass: Pass,
    ) -> Result<()> {
        let mut first = 0;
        for part in parts {
            part.load(runner.device, &self.fixed)?;
            let count = part.count() as u32;
            let part = StepState {
                count,
                first,
                ..state
            };
            self.set_step(runner.device, part)?;
            runner.run(self.programs.pass(pass, first > 0)?)?;
            first += count;
        }
        Ok(())
    }

    /// The optimiser's update by the gradients of the passes before.
    pub fn update(&self, runner: &mut Runner<'_>) -> Result<()> {
        runner.run(self.programs.update()?)
    }
}
