//! A model on a device: its steps, its rounds, its evaluation.

use std::ops::Range;
use std::sync::Arc;

use super::feed::{Feed, Part, Resident};
use super::phase::{self, StepTimes};
use super::recording::recorder::Retained;
use super::ring::{BatchResult, read_ring};
use super::runner::{Executor, Runner};
use crate::clock::Instant;
use crate::data::{Augmentation, ImageShape, Normalisation, Split, TargetKind};
use crate::engine::{
    Buffer, Device, DispatchTime, KernelCheck, Program, StepState, Traffic, View, touched_bytes,
};
use crate::error::Result;
use crate::layer::Parameters;
use crate::loss::Metric;
use crate::optim::Optimiser;
use crate::sparse::Arena;
use crate::topology::{Observes, Round, RoundReport};

/// A model on a device.
pub struct Network {
    pub(crate) arena: Arena,
    pub(crate) parameters: Parameters,
    pub(crate) round: Round,
    pub(super) micro_batch: usize,
    pub(super) metric: Option<Arc<dyn Metric>>,
    pub(super) executor: Executor,
    /// `None` if nothing is trained.
    pub(super) optimiser: Option<Arc<dyn Optimiser>>,
    pub(super) retained: Retained,
}

impl Network {
    /// The connections.
    pub fn arena(&self) -> &Arena {
        &self.arena
    }

    /// The dense parameters.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// The topology's rounds.
    pub fn round(&self) -> &Round {
        &self.round
    }

    /// Lanes of the batch, including padding.
    pub fn lanes(&self) -> usize {
        self.executor.buffers.lanes
    }

    /// Maximum number of samples of a batch that are on the device at once.
    pub fn micro_batch(&self) -> usize {
        self.micro_batch
    }

    /// Number of values that the optimiser trains: weights, biases and dense parameters, including the gaps between
    /// these.
    pub fn trained(&self) -> usize {
        self.arena.connections + self.arena.n_rows + self.parameters.words()
    }

    /// Number of outputs per sample.
    pub fn outputs(&self) -> usize {
        self.executor.buffers.classes
    }

    /// What its loss compares them with.
    pub fn targets(&self) -> TargetKind {
        self.executor.buffers.kind
    }

    /// What it is evaluated by besides the loss, if anything.
    pub fn metric(&self) -> Option<&dyn Metric> {
        self.metric.as_deref()
    }

    /// The uniform that changes from step to step.
    pub fn step_state(&self) -> View {
        self.executor.buffers.step.all()
    }

    /// The loaded batch, `[channels][positions][lanes]`.
    pub fn input(&self) -> View {
        self.executor.buffers.input.all()
    }

    /// The logits of the last pass, `[classes][lanes]`.
    pub fn logits(&self) -> View {
        self.executor.buffers.logits.all()
    }

    /// By node name, if the options keep them: a layer's value (`conv.output`) or the gradient there (`conv.delta`) in
    /// the last pass, `[channels][positions][lanes]`.
    pub fn retained(&self, label: &str) -> Option<View> {
        self.retained.get(label).map(Buffer::all)
    }

    /// Uploads a batch (or a part of one), whose rows must have as many lanes as the network's.
    ///
    /// # Errors
    /// The batch has another shape, or the device is lost.
    pub fn load(&self, device: &Device, batch: &impl Feed) -> Result<()> {
        let slots = self.executor.slots().for_batch(std::slice::from_ref(batch));
        batch.load(device, &slots)
    }

    /// Puts all images of `split` on the device, which then makes this network's batches of them itself.
    ///
    /// # Errors
    /// The images have another shape, or the device cannot hold them all.
    pub fn reside(
        &self,
        device: &Device,
        split: &Split,
        shape: ImageShape,
        normalisation: &Normalisation,
        augmentation: Augmentation,
    ) -> Result<Resident> {
        let buffers = &self.executor.buffers;
        Resident::new(device, buffers, split, shape, normalisation, augmentation)
    }

    /// Runs one training step on the loaded batch, which must be whole; on a GPU it is only submitted.
    ///
    /// # Errors
    /// The device is lost, or the network is for evaluation only.
    pub fn train(&self, device: &Device, state: StepState) -> Result<()> {
        self.executor.set_step(device, state)?;
        device.run(self.executor.programs.step()?)
    }

    /// As [`Network::train`], with each dispatch timed; if timing runs dispatches several times, the result is not a
    /// valid step: see [`Device::run_timed`].
    ///
    /// # Errors
    /// As [`Network::train`].
    pub fn train_timed(&self, device: &Device, state: StepState) -> Result<Vec<DispatchTime>> {
        self.executor.set_step(device, state)?;
        device.run_timed(self.executor.programs.step()?)
    }

    /// Loads each part of the batch and runs one training step over all of them. `state` is that of the whole batch.
    ///
    /// # Errors
    /// The parts have other shapes, or the device is lost.
    pub fn train_parts(
        &self,
        device: &Device,
        parts: &[impl Feed],
        state: StepState,
    ) -> Result<()> {
        self.executor
            .step(&mut Runner::new(device, None), parts, state)
    }

    /// As [`Network::train_parts`]; each kernel whose name contains `filter` also runs on its CPU twin.
    ///
    /// # Errors
    /// As [`Network::train_parts`]. Differences are in the checks.
    pub fn train_parts_checked(
        &self,
        device: &Device,
        parts: &[impl Feed],
        state: StepState,
        filter: &str,
    ) -> Result<Vec<KernelCheck>> {
        let mut runner = Runner::new(device, Some(filter));
        self.executor.step(&mut runner, parts, state)?;
        Ok(runner.checks)
    }

    /// As [`Network::train_parts`], timed from an idle device to an idle device: the same bits.
    ///
    /// # Errors
    /// As [`Network::train_parts`].
    pub fn train_parts_timed(
        &self,
        device: &Device,
        parts: &[impl Feed],
        state: StepState,
    ) -> Result<StepTimes> {
        let mut runner = Runner::timing(device);
        self.executor.step(&mut runner, parts, state)?;
        Ok(runner.times.unwrap_or_default())
    }

    /// A training step with a round that exchanges the share `alpha_t` of the connections; kernels whose name contains
    /// `filter` are compared with their twins. `state` is that of the whole batch.
    ///
    /// The candidates' gradients are also summed over the parts of `further`, with the weights as they are before the
    /// update: for a network whose options have [`round_batches`](crate::network::NetworkOptions::round_batches) above 1, if
    /// [`Round::further_pass`] is present.
    ///
    /// # Errors
    /// As [`Network::train_parts`] and [`Round::begin`].
    pub fn train_with_round(
        &mut self,
        device: &Device,
        parts: &[impl Feed],
        state: StepState,
        alpha_t: f64,
        mut further: Option<&mut dyn Iterator<Item = Result<Part<'_>>>>,
        filter: Option<&str>,
    ) -> Result<(RoundReport, Vec<KernelCheck>)> {
        let Network {
            round, executor, ..
        } = self;
        // Sampling needs the step's seed and number before any part is loaded.
        executor.set_step(device, state)?;
        let further_pass = round.further_pass();
        let mut runner = match filter {
            None => Runner::timing(device),
            Some(_) => Runner::new(device, filter),
        };
        let (mut within, mut seconds, mut further_images) = (0.0, 0.0, 0);
        let mut running = round.begin(device, alpha_t, filter)?;
        while let Some(pass) = running.next_pass()? {
            let start = Instant::now();
            executor.pass(&mut runner, parts, state, pass, &running.shared(pass))?;
            if pass.gradients {
                // Even in a pass that a plain step makes, only the round's part counts.
                within = runner.seconds(phase::ROUND);
            } else {
                device.wait()?;
                seconds += start.elapsed().as_secs_f64();
            }
            if pass.observes != Observes::Scores {
                continue;
            }
            if let (Some(pass), Some(parts)) = (further_pass, further.as_deref_mut()) {
                device.wait()?;
                let start = Instant::now();
                let state = StepState {
                    first: state.total,
                    ..state
                };
                further_images = executor.further(&mut runner, pass, parts, state)?;
                device.wait()?;
                seconds += start.elapsed().as_secs_f64();
            }
            executor.update(&mut runner)?;
        }
        let (mut report, mut checks) = running.finish()?;
        checks.extend(runner.checks);
        report.within = within;
        report.seconds += seconds;
        report.further_images = further_images;
        Ok((report, checks))
    }

    /// Exchanges the weights and their moving averages, if the optimiser keeps them
    /// ([`Averaged`](crate::optim::Averaged)): a test between two calls uses the averages. There must be no step in
    /// between.
    ///
    /// # Errors
    /// A lost device.
    pub fn exchange_averages(&self, device: &Device) -> Result<()> {
        match self.executor.programs.exchange() {
            Some(program) => device.run(program),
            None => Ok(()),
        }
    }

    /// As [`Network::exchange_averages`], compared with the CPU twins.
    ///
    /// # Errors
    /// A lost device. Differences are in the checks.
    pub(crate) fn exchange_checked(
        &self,
        device: &Device,
        filter: &str,
    ) -> Result<Vec<KernelCheck>> {
        match self.executor.programs.exchange() {
            Some(program) => device.run_checked(program, filter),
            None => Ok(Vec::new()),
        }
    }

    /// Runs the loaded batch forward only; `state.step` is the batch's number in the evaluation.
    ///
    /// # Errors
    /// A lost device.
    pub fn test(&self, device: &Device, state: StepState) -> Result<()> {
        self.executor.set_step(device, state)?;
        device.run(&self.executor.programs.test)
    }

    /// As [`Network::test`]; each kernel whose name contains `filter` also runs on its CPU twin.
    ///
    /// # Errors
    /// As [`Network::test`]. Differences are in the checks.
    pub fn test_checked(
        &self,
        device: &Device,
        state: StepState,
        filter: &str,
    ) -> Result<Vec<KernelCheck>> {
        self.executor.set_step(device, state)?;
        device.run_checked(&self.executor.programs.test, filter)
    }

    /// Loss and score of training steps `steps`, of which only the last [`RING`](crate::network::RING) are kept.
    ///
    /// # Errors
    /// A lost device.
    pub fn train_results(&self, device: &Device, steps: Range<u64>) -> Result<Vec<BatchResult>> {
        read_ring(device, &self.executor.buffers.train_ring, steps)
    }

    /// As [`Network::train_results`] for the batches of an evaluation.
    ///
    /// # Errors
    /// A lost device.
    pub fn test_results(&self, device: &Device, batches: Range<u64>) -> Result<Vec<BatchResult>> {
        read_ring(device, &self.executor.buffers.test_ring, batches)
    }

    /// Bytes of device memory that a phase's dispatches touch, counting memory that several touch once; for
    /// [`DATA`](phase::DATA) the input and the targets, which the host uploads.
    pub fn phase_bytes_of(&self, name: &str) -> u64 {
        let executor = &self.executor;
        if name == phase::DATA {
            let (input, targets) = (&executor.buffers.input, &executor.buffers.targets);
            return (input.words() + targets.words()) as u64 * 4;
        }
        touched_bytes(self.programs(), name)
    }

    /// What a training step on a whole batch dispatches.
    ///
    /// # Errors
    /// The network takes batches in parts, or is not trained.
    pub fn step_traffic(&self) -> Result<Traffic> {
        Ok(self.executor.programs.step()?.traffic())
    }

    /// All programs that it runs, including those of its rounds.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let statistics = self.executor.statistics.iter().map(|s| s.program());
        let own = self.executor.programs.all().chain(statistics);
        own.chain(self.round.programs())
    }

    /// Those of a step without a round.
    pub(crate) fn step_programs(&self) -> impl Iterator<Item = &Program> {
        self.executor.programs.of_step()
    }

    /// Those of a step with a round.
    pub(crate) fn round_programs(&self) -> impl Iterator<Item = &Program> {
        let programs = &self.executor.programs;
        programs.of_round().chain(self.round.programs())
    }
}
