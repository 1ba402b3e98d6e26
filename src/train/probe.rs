//! A dense network that a method may ask before the first step.

use super::describe;
use crate::data::Batch;
use crate::engine::{Class, Device, StepState};
use crate::error::option::METHOD;
use crate::error::{Error, Misfit, Result};
use crate::model::Model;
use crate::network::{Network, NetworkOptions, NetworkState, Purpose};
use crate::sparse::LayerState;
use crate::topology::Method;
use crate::topology::from_dense::{EachTile, GradientTile, PerConnection, Probe};

/// Makes the batch that a network is asked with, given how many images and lanes it takes at once.
pub(super) type Parts<'a> = dyn Fn(usize, usize) -> Result<Vec<Batch>> + 'a;

/// Networks of every connection, each made when it is first needed.
pub(super) struct DenseProbe<'a> {
    pub device: &'a Device,
    pub model: &'a Model,
    pub method: &'a dyn Method,
    pub options: NetworkOptions,
    pub seed: u32,
    /// The initial state.
    pub state: NetworkState,
    pub parts: &'a Parts<'a>,
    pub loss: Option<(Network, Vec<Batch>)>,
    pub flow: Option<Network>,
    /// Floating-point operations of what was asked so far.
    pub flops: f64,
}

impl DenseProbe<'_> {
    /// Floating-point operations of an image's forward and backward pass.
    fn dense_step(&self) -> f64 {
        let active: Vec<usize> = self.state.layers.iter().map(LayerState::active).collect();
        3.0 * describe::forward_flops(self.model, &active)
    }

    fn network(
        &self,
        model: &Model,
        state: &NetworkState,
        options: NetworkOptions,
    ) -> Result<Network> {
        let options = NetworkOptions {
            class: Class::DenseWeights,
            ..options
        };
        Network::new(self.device, model, state, &options, self.method)
    }

    fn loss_network(&self) -> Result<(Network, Vec<Batch>)> {
        let options = NetworkOptions {
            purpose: Purpose::Gradients,
            ..self.options.clone()
        };
        let network = self.network(self.model, &self.state, options)?;
        let parts = (self.parts)(network.micro_batch(), network.lanes())?;
        Ok((network, parts))
    }

    fn flow_network(&self) -> Result<Network> {
        let options = NetworkOptions {
            purpose: Purpose::Flow,
            micro_batch: Some(1),
            ..NetworkOptions::of_batch(1)
        };
        let state = NetworkState {
            layers: (self.state.layers.iter())
                .map(|layer| LayerState {
                    bias: vec![0.0; layer.n_out],
                    ..layer.clone()
                })
                .collect(),
            ..NetworkState::default()
        };
        self.network(&self.model.linear()?, &state, options)
    }
}

impl Probe for DenseProbe<'_> {
    fn layers(&self) -> &[LayerState] {
        &self.state.layers
    }

    fn gradients(&mut self, weights: &PerConnection, each: &mut EachTile<'_>) -> Result<()> {
        let (network, parts) = match self.loss.take() {
            Some(made) => made,
            None => self.loss_network()?,
        };
        network.arena.set_weights(self.device, weights)?;
        let count = parts.iter().map(|part| part.count).sum();
        let step = StepState::whole(self.seed, 0, count, 0.0);
        match parts.len() {
            1 => network.gradient_tiles(self.device, &parts, step, each)?,
            _ => {
                let mut sum: PerConnection = weights.iter().map(|w| vec![0.0; w.len()]).collect();
                network.gradient_tiles(self.device, &parts, step, &mut |tile| {
                    let sum = &mut sum[tile.layer][tile.pairs()];
                    (sum.iter_mut().zip(tile.gradients)).for_each(|(sum, g)| *sum += g);
                })?;
                for (layer, gradients) in sum.iter().enumerate() {
                    let first = 0;
                    each(GradientTile {
                        layer,
                        first,
                        gradients,
                    });
                }
            }
        }
        self.flops += self.dense_step() * count as f64;
        self.loss = Some((network, parts));
        Ok(())
    }

    fn flow(&mut self, weights: &PerConnection, each: &mut EachTile<'_>) -> Result<()> {
        let network = match self.flow.take() {
            Some(made) => made,
            None => self.flow_network()?,
        };
        network.arena.set_weights(self.device, weights)?;
        let ones = ones(self.model, network.lanes());
        let step = StepState::whole(self.seed, 0, 1, 0.0);
        let mut finite = true;
        network.gradient_tiles(self.device, &[ones], step, &mut |tile| {
            finite &= tile.gradients.iter().all(|g| g.is_finite());
            each(tile);
        })?;
        self.flops += self.dense_step();
        self.flow = Some(network);
        match finite {
            true => Ok(()),
            false => Err(Error::Shape(Misfit::NotFinite {
                what: format!("the synaptic flow of {}", self.model.name()),
                way_out: format!("use another {METHOD}"),
            })),
        }
    }
}

/// One image of ones.
fn ones(model: &Model, lanes: usize) -> Batch {
    let lane = |i: usize| if i.is_multiple_of(lanes) { 1.0 } else { 0.0 };
    Batch {
        inputs: (0..model.input().size() * lanes).map(lane).collect(),
        targets: vec![0u32; lanes].into(),
        count: 1,
        weights: Vec::new(),
        index: 0,
    }
}
