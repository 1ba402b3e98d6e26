//! From a state to a network: what is resident, and the programs that are recorded for it.

use super::batch_statistics::BatchStatistics;
use super::buffers::Buffers;
use super::dense;
use super::on_device::Network;
use super::options::{NetworkOptions, NetworkState, Purpose};
use super::parts;
use super::recording::programs::Programs;
use super::recording::recorder::Recorder;
use super::runner::Executor;
use crate::engine::{Class, Device};
use crate::error::Result;
use crate::layer::Parameters;
use crate::model::{Builder, Extent, Model};
use crate::optim;
use crate::sparse::{Arena, Holds};
use crate::topology::{ForwardSet, Method, Round, RoundOptions};

impl Network {
    /// Allocates the model's buffers, uploads `state`, and records the programs; rounds follow `method`.
    ///
    /// # Errors
    /// The state does not fit the model, has wrong indices or belongs to another optimiser, no part of a batch fits the
    /// device, or the device refuses buffers.
    pub fn new(
        device: &Device,
        model: &Model,
        state: &NetworkState,
        options: &NetworkOptions,
        method: &dyn Method,
    ) -> Result<Self> {
        Self::build(device, model, state, options, method, None)
    }

    /// Replaces connections, rounds and programs by those of another state of the same model, possibly with another
    /// number of connections. What was resident is freed first; batches are still loaded into the same input.
    ///
    /// # Errors
    /// As [`Network::new`], or the batch would be in other parts than before. The network is then unusable.
    pub fn rebuild(
        &mut self,
        device: &Device,
        model: &Model,
        state: &NetworkState,
        options: &NetworkOptions,
        method: &dyn Method,
    ) -> Result<()> {
        let before = std::mem::replace(self, Self::stand_in(device, method)?);
        let buffers = before.executor.buffers;
        drop((
            before.executor.programs,
            before.round,
            before.arena,
            before.parameters,
            before.retained,
        ));
        let options = NetworkOptions {
            micro_batch: Some(before.micro_batch),
            ..options.clone()
        };
        *self = Self::build(device, model, state, &options, method, Some(buffers))?;
        Ok(())
    }

    /// A network of one connection, to stand in for another while that one is freed.
    pub(crate) fn stand_in(device: &Device, method: &dyn Method) -> Result<Self> {
        let mut net = Builder::new("stand-in", Extent::vector(1));
        let x = net.input();
        let logits = net.linear("linear", x, 1);
        let model = net.finish(logits)?;
        let state = NetworkState::initialise(&model, &[1], 0);
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
        buffers: Option<Buffers>,
    ) -> Result<Self> {
        options.check()?;
        state.check(model)?;
        let optimiser = options.optimiser.as_ref();
        optim::check(optimiser)?;
        let trained = options.purpose == Purpose::Training;
        if trained {
            state.check_optimiser(optimiser)?;
        }
        let arrays = trained.then(|| optimiser.state());
        let products = dense::products(device, &state.layers, options, method);
        let holds = Holds {
            indices: !dense::all_full(&products, method),
            gradient: !options.purpose.in_tiles() && options.purpose != Purpose::InputGradients,
            state: arrays.clone(),
        };
        let mut arena = Arena::with(device, &state.layers, options.class, holds)?;
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
        let parameters = Parameters::new(device, &model.parameters(), arrays.as_deref())?;
        parameters.import(device, &state.parameters)?;
        let micro_batch = parts::choose(device, model, &arena, &parameters, options, &products)?;
        let lanes = micro_batch.next_multiple_of(4);
        let buffers = match buffers {
            Some(buffers) => buffers.with_products(products),
            None => Buffers::new(device, model, lanes, products, options)?,
        };
        let round = Round::new(
            device,
            &arena,
            method,
            RoundOptions {
                scope: options.scope,
                gamma: options.gamma,
                distinct: options.distinct,
                lanes,
                step: buffers.step.all(),
                windows: model.sparse().iter().map(|l| l.window).collect(),
                tile: None,
            },
        )?;
        let ranks = device.ranks().filter(|_| trained).cloned();
        let several = micro_batch < options.batch || ranks.is_some();
        let statistics = match trained && several {
            true => BatchStatistics::new(device, model, &parameters, buffers.step.all())?,
            false => None,
        };
        let recorder = Recorder::new(device, model, &arena, &parameters, &buffers, options)
            .in_parts(statistics.as_ref())
            .observed_by(&round)
            .going_forward_by(forward.as_ref());
        let programs = Programs::new(device, &recorder, &round, several)?;
        let retained = recorder.into_retained();
        let mut gradients = vec![
            arena.gradient.range(0..arena.connections),
            arena.bias_gradient.range(0..arena.n_rows),
        ];
        if parameters.words() > 0 {
            gradients.push(parameters.gradient.range(0..parameters.words()));
        }
        Ok(Network {
            arena,
            parameters,
            round,
            micro_batch,
            metric: options.metric.clone(),
            executor: Executor {
                buffers,
                programs,
                micro_batch,
                statistics,
                gradients,
                ranks,
                exchange: options.exchange,
            },
            optimiser: trained.then(|| options.optimiser.clone()),
            retained,
        })
    }
}
