//! Running a network's programs over a batch, part by part.

use super::batch_statistics::BatchStatistics;
use super::buffers::Buffers;
use super::feed::{Feed, Part, Slots};
use super::phase::StepTimes;
use super::recording::programs::Programs;
use crate::clock::Instant;
use crate::engine::{Device, KernelCheck, Precision, Program, STEP_WORDS, StepState, View};
use crate::error::Result;
use crate::ranks::Ranks;
use crate::topology::{Shared, StepPass};

/// Runs programs; with a filter, also the twins of the kernels that it names, and keeps the results of the comparisons.
pub(super) struct Runner<'a> {
    pub device: &'a Device,
    pub filter: Option<&'a str>,
    pub checks: Vec<KernelCheck>,
    /// Present if what it runs is timed.
    pub times: Option<StepTimes>,
}

impl<'a> Runner<'a> {
    pub fn new(device: &'a Device, filter: Option<&'a str>) -> Self {
        Runner {
            device,
            filter,
            checks: Vec::new(),
            times: None,
        }
    }

    pub fn timing(device: &'a Device) -> Self {
        Runner {
            times: Some(StepTimes::default()),
            ..Self::new(device, None)
        }
    }

    pub(super) fn load(&mut self, part: &impl Feed, slots: &Slots) -> Result<()> {
        let Some(times) = &mut self.times else {
            return part.load(self.device, slots);
        };
        self.device.wait()?;
        let start = Instant::now();
        part.load(self.device, slots)?;
        self.device.flush()?;
        times.data += start.elapsed().as_secs_f64();
        Ok(())
    }

    /// What a phase has taken so far; 0 if nothing is timed.
    pub fn seconds(&self, phase: &str) -> f64 {
        let times = self.times.as_ref();
        times.map_or(0.0, |times| times.seconds(phase))
    }

    pub fn run(&mut self, program: &Program) -> Result<()> {
        if let (None, Some(times)) = (self.filter, &mut self.times) {
            times.phases.extend(self.device.run_phases(program)?);
            return Ok(());
        }
        (self.device).run_or_check(program, self.filter, &mut self.checks)
    }
}

pub(super) struct Executor {
    pub buffers: Buffers,
    pub programs: Programs,
    /// Samples of a part.
    pub micro_batch: usize,
    /// Present if batches come in parts and the model has batch norms.
    pub statistics: Option<BatchStatistics>,
    /// What the optimiser reads.
    pub gradients: Vec<View>,
    /// The ranks that share a batch, if there are any.
    pub ranks: Option<Ranks>,
    /// How gradients travel between them.
    pub exchange: Precision,
}

impl Executor {
    /// Where a batch goes.
    pub fn slots(&self) -> Slots {
        Slots::of(&self.buffers, self.programs.train())
    }

    pub fn set_step(&self, device: &Device, state: StepState) -> Result<()> {
        let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
        device.upload(&self.buffers.step.range(0..STEP_WORDS), words)
    }

    /// A training step on a batch in parts, with the state `state`.
    pub fn step(
        &self,
        runner: &mut Runner<'_>,
        parts: &[impl Feed],
        state: StepState,
    ) -> Result<()> {
        // A network for batches in parts treats the last batch, which may be a single part, like the others.
        if let ([whole], true) = (parts, self.programs.takes_whole_batches()) {
            runner.load(whole, &self.slots().for_batch(parts))?;
            self.set_step(runner.device, state)?;
            return runner.run(self.programs.step()?);
        }
        self.pass(runner, parts, state, StepPass::PLAIN, &Shared::default())?;
        self.update(runner)
    }

    /// One pass over all parts of a batch. Among ranks, `parts` are those of this rank, and `shared` says what all of
    /// them need besides the gradients.
    pub fn pass(
        &self,
        runner: &mut Runner<'_>,
        parts: &[impl Feed],
        state: StepState,
        pass: StepPass,
        shared: &Shared,
    ) -> Result<()> {
        if let Some(ranks) = &self.ranks {
            return self.pass_on_ranks(ranks, runner, parts, state, pass, shared);
        }
        self.each_part(runner, parts, state, |runner, further| {
            runner.run(self.programs.pass(pass, further)?)?;
            match (&self.statistics, pass.gradients) {
                (Some(statistics), true) => runner.run(statistics.program()),
                _ => Ok(()),
            }
        })
    }

    /// Loads one part of a batch after the other, and calls `run` with whether it is a further one.
    pub fn each_part<'d>(
        &self,
        runner: &mut Runner<'d>,
        parts: &[impl Feed],
        state: StepState,
        mut run: impl FnMut(&mut Runner<'d>, bool) -> Result<()>,
    ) -> Result<()> {
        let mut first = 0;
        let slots = self.slots().for_batch(parts);
        for part in parts {
            runner.load(part, &slots)?;
            let count = part.count() as u32;
            let part = StepState {
                count,
                first,
                ..state
            };
            self.set_step(runner.device, part)?;
            run(runner, first > 0)?;
            first += count;
        }
        Ok(())
    }

    /// One pass over further parts, after the `state.first` images already seen. Returns how many images they have.
    pub fn further(
        &self,
        runner: &mut Runner<'_>,
        pass: StepPass,
        parts: &mut dyn Iterator<Item = Result<Part<'_>>>,
        state: StepState,
    ) -> Result<usize> {
        let mut images = 0;
        for part in parts {
            let part = part?;
            let slots = self.slots().for_batch(std::slice::from_ref(&part));
            runner.load(&part, &slots)?;
            let count = part.count();
            let state = StepState {
                count: count as u32,
                first: state.first + images as u32,
                ..state
            };
            self.set_step(runner.device, state)?;
            runner.run(self.programs.pass(pass, true)?)?;
            images += count;
        }
        Ok(images)
    }

    /// The optimiser's update with the gradients of the previous passes.
    pub fn update(&self, runner: &mut Runner<'_>) -> Result<()> {
        runner.run(self.programs.update()?)
    }
}
