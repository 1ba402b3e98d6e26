//! The trainer's work for methods that begin with a dense network: choosing before the first step, pruning between
//! steps. Top-KAST's dense weights are in `dense_weights.rs`.

use std::sync::atomic::AtomicBool;

use super::Trainer;
use super::begin::{self, class_of, total};
use super::resident::reside;
use super::weights::weigh_batch;
use crate::clock::Instant;
use crate::data::{Batch, Interruptible, Loader};
use crate::error::{Error, Misfit, Result};
use crate::network::{Network, NetworkOptions, NetworkState};
use crate::sparse::LayerState;
use crate::topology::Scope;
use crate::topology::from_dense::{
    Moment, Prune, Start, keep_largest, keep_largest_of_each, magnitudes,
};
use crate::train::event::{Event, Round, RoundLayer};
use crate::train::hooks::Hooks;
use crate::train::probe::DenseProbe;

impl Trainer {
    /// Puts a state into the network. The network is rebuilt if its programs do not fit the state: if a method that
    /// begins with a dense network has left another number of connections, in all or in one layer.
    pub(super) fn set_state(&mut self, state: &NetworkState) -> Result<()> {
        state.check(&self.setup.model)?;
        if let Some(dense_weights) = &self.dense_weights {
            dense_weights.set(&self.device, &state.dense_weights)?;
        }
        let (model, method) = (&self.setup.model, self.setup.method.as_ref());
        if (self.network).takes(&self.device, state, &self.options, method) {
            return self.network.import(&self.device, state);
        }
        self.options.class = class_of(method, state, model);
        (self.network).rebuild(&self.device, model, state, &self.options, method)
    }

    /// Refuses a state of another model, or one that the method cannot have reached: its result would stand under a
    /// sparsity that is not the network's.
    pub(super) fn fits_method(&self, state: &NetworkState) -> Result<()> {
        state.check(&self.setup.model)?;
        let requested: u64 = self.requested.iter().sum();
        let has = total(&state.layers);
        let fits = match self.setup.method.start() {
            Start::Random | Start::Chosen(_) => has == requested,
            // It is on its way down from all connections.
            Start::Dense(_) => has >= requested,
            // Its dense weights decide.
            Start::Backed(_) => true,
        };
        match fits {
            true => Ok(()),
            false => Err(Error::Shape(Misfit::Unfit {
                found: format!("the {has} connections of the state"),
                expected: format!(
                    "{}, which trains {requested} at this sparsity: the state is of another method or configuration",
                    self.setup.method.name()
                ),
            })),
        }
    }

    /// Lets a method choose the connections to train.
    pub(in crate::train) fn prune_before_the_first_step(
        &mut self,
        hooks: &mut Hooks<'_>,
    ) -> Result<()> {
        if self.chose_connections() || !matches!(self.setup.method.start(), Start::Chosen(_)) {
            return Ok(());
        }
        let (started, stop) = (Instant::now(), hooks.stop);
        let state = begin::dense(&self.setup.model, &self.config, self.initial.as_ref())?;
        let dense = total(&state.layers);
        let requested: u64 = self.requested.iter().sum();
        let parameters = state.parameters.clone();
        // The dense network has the device to itself: the one to train is made when it is known.
        self.resident = None;
        self.network = Network::stand_in(&self.device, self.setup.method.as_ref())?;
        let (layers, flops) = {
            let mut probe = DenseProbe {
                device: &self.device,
                model: &self.setup.model,
                method: self.setup.method.as_ref(),
                options: NetworkOptions {
                    micro_batch: self.config.machine.micro_batch,
                    ..self.options.clone()
                },
                seed: self.config.run.seed,
                state,
                parts: &|micro_batch, lanes| self.first_batch(micro_batch, lanes, stop),
                loss: None,
                flow: None,
                flops: 0.0,
            };
            let Start::Chosen(choice) = self.setup.method.start() else {
                return Ok(());
            };
            let layers = choice.choose(&mut probe, requested as usize)?;
            (layers, probe.flops)
        };
        self.progress.train_flops += flops;
        self.phases.chosen(started.elapsed(), flops);
        let state = NetworkState {
            layers,
            parameters,
            ..NetworkState::default()
        };
        let (model, method) = (&self.setup.model, self.setup.method.as_ref());
        self.network = Network::new(&self.device, model, &state, &self.options, method)?;
        self.resident = reside(
            &self.device,
            &self.network,
            &self.config,
            &self.data,
            self.augmentation,
        )?;
        self.count_flops();
        let active = self.network.round.active();
        let names = self.setup.model.sparse();
        let lost: Vec<&str> = (names.iter().zip(active))
            .filter_map(|(layer, &active)| (active == 0).then_some(layer.name.as_str()))
            .collect();
        let lost = match lost.is_empty() {
            true => String::new(),
            false => format!("; {} lost every connection", lost.join(", ")),
        };
        let note = format!(
            "{} chose {requested} of the {dense} connections of a dense network in {:.1} s{lost}",
            self.setup.method.name(),
            started.elapsed().as_secs_f64()
        );
        self.tell(hooks, Event::Note(note));
        self.settle("the connections chosen before step", 1)
    }

    /// Whether the method, if it is one of those, has chosen the connections to train by the first batch: that is,
    /// whether anything was computed with the images.
    pub(crate) fn chose_connections(&self) -> bool {
        // A snapshot from before the first step also has the chosen connections, and the work that choosing them took.
        self.progress.step > 0 || self.progress.train_flops > 0.0
    }

    /// The first batch of the first epoch, in parts for a network with this many lanes.
    fn first_batch(
        &self,
        micro_batch: usize,
        lanes: usize,
        stop: &AtomicBool,
    ) -> Result<Vec<Batch>> {
        let order = self.order(0);
        let mut options = self.batches(order, 0);
        options.batch = micro_batch;
        options.lanes = lanes;
        let parts = self.options.batch.div_ceil(micro_batch);
        let images = self.data.train.clone();
        let loader = Loader::start(images, self.data.shape, &self.data.normalisation, options)?;
        let mut batches: Vec<Batch> = Interruptible::new(loader, stop)
            .take(parts)
            .collect::<Result<_>>()?;
        for batch in &mut batches {
            weigh_batch(batch, self.class_weights.as_deref());
        }
        Ok(batches)
    }

    /// The moment before step `step` of the run's epochs, for a method that prunes by magnitude.
    fn moment(&self, step: u64) -> Moment {
        Moment {
            step,
            stage_steps: self.stage_steps(),
            every: self.schedule.every,
            // The last step is on the requested connections.
            until: self
                .schedule
                .until
                .min(self.stage_steps().saturating_sub(1)),
            dense: self.setup.model.shapes().iter().map(|s| s.dense()).sum(),
            requested: self.requested.iter().sum(),
        }
    }

    /// Whether the method begins dense and prunes by magnitude, and still has connections to prune.
    pub(super) fn is_unpruned(&self) -> bool {
        let moment = self.moment(self.stage_steps());
        match self.setup.method.start() {
            Start::Dense(thinning) => {
                let connections = self.network.arena.connections as u64;
                connections > moment.requested && thinning.prune(&moment).is_some()
            }
            _ => false,
        }
    }

    /// Prunes by magnitude, if the method asks for that between the previous step and the next. The pruning belongs to
    /// the next step, so that a run stopped between them prunes once.
    pub(super) fn prune_if_due(&mut self, hooks: &mut Hooks<'_>) -> Result<()> {
        let Start::Dense(thinning) = self.setup.method.start() else {
            return Ok(());
        };
        let dense: Vec<u64> = self
            .setup
            .model
            .shapes()
            .iter()
            .map(|s| s.dense())
            .collect();
        let moment = self.moment(self.place());
        let Some(prune) = thinning.prune(&moment) else {
            return Ok(());
        };
        if prune.left(moment.dense, moment.requested) >= self.network.arena.connections as u64 {
            return Ok(());
        }
        let started = Instant::now();
        let mut before = self.network.export(&self.device)?;
        let from = std::mem::take(&mut before.layers);
        let layers = self.survivors(&from, &dense, prune)?;
        let after = match prune.rewind {
            false => NetworkState { layers, ..before },
            true => {
                let initial = self.initial.as_ref();
                rewind(
                    begin::dense(&self.setup.model, &self.config, initial)?,
                    layers,
                )
            }
        };
        self.set_state(&after)?;
        self.count_flops();
        self.phases.resized();
        self.tell_exchange(hooks, started, &from, &after.layers);
        self.settle("the network pruned before step", self.progress.step + 1)
    }

    /// Reports as a round what the host has exchanged between two steps since `started`.
    pub(super) fn tell_exchange(
        &mut self,
        hooks: &mut Hooks<'_>,
        started: Instant,
        before: &[LayerState],
        after: &[LayerState],
    ) {
        self.progress.rounds += 1;
        self.phases.chosen(started.elapsed(), 0.0);
        let sparse = self.setup.model.sparse();
        let layers = sparse.iter().zip(before.iter().zip(after)).enumerate();
        let layers = layers
            .map(|(l, (layer, (before, after)))| {
                let grown = grown(before, after);
                let active = after.active() as u64;
                RoundLayer {
                    layer: l,
                    name: layer.name.clone(),
                    active,
                    total: layer.shape.dense(),
                    pruned: before.active() as u64 + grown - active,
                    grown,
                    turnover: grown as f64 / active.max(1) as f64,
                    ..RoundLayer::default()
                }
            })
            .collect();
        let round = Round {
            step: self.progress.step,
            seconds: started.elapsed().as_secs_f64(),
            layers,
        };
        self.tell(hooks, Event::Round(round));
    }

    /// The connections with the largest weights, within each layer or over the whole model, as the scope says.
    fn survivors(
        &self,
        layers: &[LayerState],
        dense: &[u64],
        prune: Prune,
    ) -> Result<Vec<LayerState>> {
        match self.options.scope {
            Scope::Global => {
                let left = prune.left(dense.iter().sum(), self.requested.iter().sum());
                keep_largest(layers, &magnitudes(layers), left as usize)
            }
            Scope::Layer => {
                let pairs = dense.iter().zip(&self.requested);
                let left = pairs.map(|(&dense, &requested)| prune.left(dense, requested) as usize);
                keep_largest_of_each(layers, left)
            }
        }
    }
}

/// The dense state with only the connections of `layers`.
fn rewind(mut dense: NetworkState, layers: Vec<LayerState>) -> NetworkState {
    for (dense, layer) in dense.layers.iter_mut().zip(&layers) {
        let pairs: Vec<(u32, u32)> = layer.pairs().collect();
        // In a dense layer, every row has a connection from every input.
        let at = |&(b, a): &(u32, u32)| b as usize * dense.n_in + a as usize;
        *dense = LayerState {
            values: pairs.iter().map(|pair| dense.values[at(pair)]).collect(),
            bias: dense.bias.clone(),
            ..LayerState::from_pairs(dense.n_in, dense.n_out, &pairs)
        };
    }
    dense
}

/// Connections of `after` that `before` does not have.
fn grown(before: &LayerState, after: &LayerState) -> u64 {
    let mut old = before.pairs().peekable();
    let mut survivors = 0;
    for pair in after.pairs() {
        while old.next_if(|&o| o < pair).is_some() {}
        survivors += u64::from(old.next_if_eq(&pair).is_some());
    }
    after.active() as u64 - survivors
}
