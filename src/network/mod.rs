//! A model on a device: everything resident, and the programs of a training step and of an evaluation step.
//!
//! | file | job |
//! |---|---|
//! | `options.rs` | what a network does besides its layers |
//! | `fixed.rs` | what stays from one program to the next |
//! | `recorder.rs` | from a model's nodes to plans: values, their gradients, and who writes them first |
//! | `layers.rs` | a node's layer with its sizes |
//! | `forward.rs`, `backward.rs` | what each kind of node records |
//! | `dense.rs` | which layers' products are dense |
//! | `segments.rs` | where activations may be dropped and computed again |
//! | `parts.rs` | how much of a batch fits the device at once |
//! | `programs.rs` | the plans of a network, placed in shared memory |
//! | `feed.rs` | how images get into the input |
//! | `passes.rs` | running the programs over a batch, part by part |
//! | `section.rs` | the sections of the programs: what is timed by itself |

mod backward;
mod dense;
mod feed;
mod fixed;
mod forward;
mod layers;
mod options;
mod parts;
mod passes;
mod programs;
mod recorder;
pub mod section;
mod segments;

use std::ops::Range;

pub use feed::{Feed, Part, Resident, ResidentBatch};
pub use options::{Forward, NetworkOptions, NetworkState, Purpose};
pub use section::StepTimes;

use crate::data::{Augmentation, Batch, ImageShape, Normalisation, Split};
use crate::engine::{Buffer, Class, Device, DispatchTime, KernelCheck, StepState, View};
use crate::error::Result;
use crate::layer::Norms;
use crate::model::{Builder, Extent, Model};
use crate::sparse::Arena;
use crate::topology::{ForwardSet, Look, Method, Round, RoundOptions, RoundReport};
use fixed::Fixed;
use passes::{Passes, Runner};
use programs::{Pass, Programs};
use recorder::Recorder;

/// Batches whose loss and hits the device holds for the host to read: the most between two read-backs.
pub const RING: usize = 1024;

/// Loss and hits of one batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BatchResult {
    /// Sum of the losses of its members.
    pub loss: f32,
    /// Members whose class was found.
    pub hits: u64,
}

/// A model on a device.
pub struct Network {
    /// The connections.
    pub arena: Arena,
    /// The norms' parameters.
    pub norms: Norms,
    /// The topology's rounds.
    pub round: Round,
    micro_batch: usize,
    passes: Passes,
    kept: recorder::Kept,
}

impl Network {
    /// Allocates the model's buffers, uploads `state`, and records the programs; rounds follow `method`.
    ///
    /// # Errors
    /// A state that does not fit the model, a batch of which no part fits the device, or buffers that it refuses.
    pub fn new(
        device: &Device,
        model: &Model,
        state: &NetworkState,
        options: &NetworkOptions,
        method: &dyn Method,
    ) -> Result<Self> {
        Self::build(device, model, state, options, method, None)
    }

    /// Replaces connections, rounds and programs by those of another state of the same model, with another number of
    /// connections maybe. What was resident is given back first; batches go on to be loaded into the same input.
    ///
    /// # Errors
    /// As [`Network::new`], or other parts of the batch than before. The network is then of no more use.
    pub fn rebuild(
        &mut self,
        device: &Device,
        model: &Model,
        state: &NetworkState,
        options: &NetworkOptions,
        method: &dyn Method,
    ) -> Result<()> {
        let before = std::mem::replace(self, Self::stand_in(device, method)?);
        let fixed = before.passes.fixed;
        drop((
            before.passes.programs,
            before.round,
            before.arena,
            before.norms,
            before.kept,
        ));
        let options = NetworkOptions {
            micro_batch: Some(before.micro_batch),
            ..options.clone()
        };
        *self = Self::build(device, model, state, &options, method, Some(fixed))?;
        Ok(())
    }

    /// A network of one connection, to be in another's place while that one is given back.
    pub(crate) fn stand_in(device: &Device, method: &dyn Method) -> Result<Self> {
        let mut net = Builder::new("stand-in", Extent::vector(1));
        let x = net.input();
        let logits = net.linear("linear", x, 1);
        let model = net.finish(logits)?;
        let state = NetworkState::draw(&model, &[1], 0);
        Self::new(
            device,
            &model,
            &state,
            &NetworkOptions::evaluation(1),
            method,
        )
    }

    fn build(
        device: &Device,
        model: &Model,
        state: &NetworkState,
        options: &NetworkOptions,
        method: &dyn Method,
        fixed: Option<Fixed>,
    ) -> Result<Self> {
        state.check(model)?;
        let products = dense::products(device, &state.layers, options, method);
        let indexed = !dense::all_full(&products, method);
        let mut arena = Arena::with(device, &state.layers, options.class, indexed)?;
        let forward = match &options.forward {
            Some(forward) => {
                let words = arena.connections;
                let label = "connections.forward";
                arena.forward = Some(device.buffer(label, Class::Connections, words)?);
                let active: Vec<usize> = state.layers.iter().map(|l| l.active()).collect();
                Some(ForwardSet::new(device, &arena, &active, &forward.counts)?)
            }
            None => None,
        };
        let norms = Norms::new(device, &state.norms)?;
        let micro_batch = parts::choose(device, model, &arena, &norms, options, &products)?;
        let stride = micro_batch.next_multiple_of(4);
        let fixed = match fixed {
            Some(fixed) => fixed.with_products(products),
            None => Fixed::new(device, model, stride, products, options.purpose)?,
        };
        let round = Round::new(
            device,
            &arena,
            method,
            RoundOptions {
                scope: options.scope,
                gamma: options.gamma,
                stride,
                step: fixed.step.all(),
                windows: model.sparse().iter().map(|l| l.window).collect(),
                tile: None,
            },
        )?;
        let recorder = Recorder::new(device, model, &arena, &norms, &fixed, options)
            .going_forward_by(forward.as_ref());
        let several = micro_batch < options.batch;
        let programs = Programs::new(device, &recorder, &round, method, several)?;
        let kept = recorder.into_kept();
        Ok(Network {
            arena,
            norms,
            round,
            micro_batch,
            passes: Passes { fixed, programs },
            kept,
        })
    }

    /// Lanes of the batch, padding included.
    pub fn stride(&self) -> usize {
        self.passes.fixed.stride
    }

    /// Members of a batch that are on the device at once, at most.
    pub fn micro_batch(&self) -> usize {
        self.micro_batch
    }

    /// The uniform that changes from step to step.
    pub fn step_state(&self) -> View {
        self.passes.fixed.step.all()
    }

    /// The loaded batch, `[channels][positions][stride]`.
    pub fn input(&self) -> View {
        self.passes.fixed.input.all()
    }

    /// The logits of the last pass, `[classes][stride]`.
    pub fn logits(&self) -> View {
        self.passes.fixed.logits.all()
    }

    /// By node name, where the options keep them: a layer's value (`conv.output`) or the gradient there (`conv.delta`) in the
    /// last pass, `[channels][positions][stride]`.
    pub fn kept(&self, label: &str) -> Option<View> {
        self.kept.get(label).map(Buffer::all)
    }

    /// Uploads a batch (or a part of one), whose rows must have as many lanes as the network's.
    ///
    /// # Errors
    /// A batch of another shape, or a lost device.
    pub fn load(&self, device: &Device, batch: &Batch) -> Result<()> {
        batch.load(device, &self.passes.fixed)
    }

    /// Puts all images of `split` on the device, which then makes this network's batches of them itself.
    ///
    /// # Errors
    /// Images of another shape, or more than the device holds.
    pub fn reside(
        &self,
        device: &Device,
        split: &Split,
        shape: ImageShape,
        normalisation: &Normalisation,
        augmentation: Augmentation,
    ) -> Result<Resident> {
        let fixed = &self.passes.fixed;
        Resident::new(device, fixed, split, shape, normalisation, augmentation)
    }

    /// Runs one training step on the loaded batch, which must be whole; on a GPU it is only submitted.
    ///
    /// # Errors
    /// A lost device, or a network for evaluation only.
    pub fn train(&self, device: &Device, state: StepState) -> Result<()> {
        self.passes.set_step(device, state)?;
        device.run(self.passes.programs.step()?)
    }

    /// As [`Network::train`], each dispatch timed.
    ///
    /// # Errors
    /// As [`Network::train`].
    pub fn train_timed(&self, device: &Device, state: StepState) -> Result<Vec<DispatchTime>> {
        self.passes.set_step(device, state)?;
        device.run_timed(self.passes.programs.step()?)
    }

    /// Loads each of the batch's parts and runs one training step over them all. `state` is that of the whole batch.
    ///
    /// # Errors
    /// Parts of other shapes, or a lost device.
    pub fn train_parts(
        &self,
        device: &Device,
        parts: &[impl Feed],
        state: StepState,
    ) -> Result<()> {
        self.passes
            .step(&mut Runner::new(device, None), parts, state)
    }

    /// Loads each of the batch's parts and computes the gradients of all parameters into the arena, without an update. `state` is
    /// that of the whole batch.
    ///
    /// # Errors
    /// A network that is for [training](Purpose::Training) or [evaluation](Purpose::Evaluation), parts of other shapes, or a lost
    /// device.
    pub fn gradients(&self, device: &Device, parts: &[impl Feed], state: StepState) -> Result<()> {
        (self.passes).pass(
            &mut Runner::new(device, None),
            parts,
            state,
            Pass::Gradients,
        )
    }

    /// As [`Network::train_parts`], each kernel whose name contains `filter` also on its CPU twin.
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
        self.passes.step(&mut runner, parts, state)?;
        Ok(runner.checks)
    }

    /// As [`Network::train_parts`], from an idle device to an idle device, and timed: the same bits.
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
        self.passes.step(&mut runner, parts, state)?;
        Ok(runner.times.unwrap_or_default())
    }

    /// A training step with a round that exchanges the share `alpha_t` of the connections; kernels whose name contains
    /// `filter` are compared with their twins. `state` is that of the whole batch.
    ///
    /// # Errors
    /// As [`Network::train_parts`] and [`Round::run`].
    pub fn train_with_round(
        &mut self,
        device: &Device,
        parts: &[impl Feed],
        state: StepState,
        alpha_t: f64,
        filter: Option<&str>,
    ) -> Result<(RoundReport, Vec<KernelCheck>)> {
        let Network { round, passes, .. } = self;
        // The draw looks at the step's seed and number before any part is loaded.
        passes.set_step(device, state)?;
        let replays = round.looks().len() > 1;
        let mut runner = match filter {
            None => Runner::timing(device),
            Some(_) => Runner::new(device, filter),
        };
        let mut within = 0.0;
        let mut look = |look: Look| {
            let pass = match look {
                Look::Statistics => {
                    passes.pass(&mut runner, parts, state, Pass::Statistics)?;
                    within = runner.seconds(section::ROUND);
                    return Ok(());
                }
                Look::Scores if replays => Pass::ScoresAlone,
                Look::Scores => Pass::Scores,
            };
            passes.pass(&mut runner, parts, state, pass)?;
            if pass == Pass::Scores {
                within = runner.seconds(section::ROUND);
            }
            passes.update(&mut runner)
        };
        let (mut report, mut checks) = match filter {
            None => (round.run(device, alpha_t, &mut look)?, Vec::new()),
            Some(filter) => round.run_checked(device, alpha_t, filter, &mut look)?,
        };
        checks.extend(runner.checks);
        report.within = within;
        Ok((report, checks))
    }

    /// Runs the loaded batch forward only; `state.step` is the batch's number in the evaluation.
    ///
    /// # Errors
    /// A lost device.
    pub fn test(&self, device: &Device, state: StepState) -> Result<()> {
        self.passes.set_step(device, state)?;
        device.run(&self.passes.programs.test)
    }

    /// Loss and hits of training steps `steps`, of which only the last [`RING`] are held.
    ///
    /// # Errors
    /// A lost device.
    pub fn train_results(&self, device: &Device, steps: Range<u64>) -> Result<Vec<BatchResult>> {
        read_ring(device, &self.passes.fixed.train_ring, steps)
    }

    /// As [`Network::train_results`] for the batches of an evaluation.
    ///
    /// # Errors
    /// A lost device.
    pub fn test_results(&self, device: &Device, batches: Range<u64>) -> Result<Vec<BatchResult>> {
        read_ring(device, &self.passes.fixed.test_ring, batches)
    }

    /// Reads the state back.
    ///
    /// # Errors
    /// A lost device.
    pub fn export(&self, device: &Device) -> Result<NetworkState> {
        Ok(NetworkState {
            layers: self.arena.export(device)?,
            norms: self.norms.export(device)?,
            reserve: Vec::new(),
        })
    }

    /// Replaces the state by one of the same shapes.
    ///
    /// # Errors
    /// A state of another model, or one whose full layers are not this network's; a lost device.
    pub fn import(&mut self, device: &Device, state: &NetworkState) -> Result<()> {
        dense::check(&self.passes.fixed.products, &state.layers)?;
        self.arena.import(device, &state.layers)?;
        self.norms.import(device, &state.norms)?;
        self.round.sync(device)
    }
}

fn read_ring(device: &Device, ring: &Buffer, slots: Range<u64>) -> Result<Vec<BatchResult>> {
    let words: Vec<f32> = device.download(&ring.all())?;
    Ok(slots
        .map(|slot| {
            let at = 2 * (slot % RING as u64) as usize;
            BatchResult {
                loss: words[at],
                hits: words[at + 1] as u64,
            }
        })
        .collect())
}
