//! The connections that forward passes use, if they use only a part of the trained ones: Top-KAST's set A within B.

use rayon::prelude::*;

use crate::engine::{Buffer, Class, Device, Grid, Plan};
use crate::error::{Error, Misfit, Result};
use crate::primitive::{Gather, GatherParams, RadixSelect, STATE_WORDS, Scan, Selection};
use crate::sparse::Arena;
use crate::threads::DealOut;

/// Connections that a task of a twin works on.
const BLOCK: usize = 4096;

crate::kernel! {
    /// `forward[j]` = `weights[j]` if connection `j` was selected, otherwise 0. Grid:
    /// [`Items`](crate::engine::Grid::Items) = connections.
    pub ForwardWeights, ForwardWeightsParams, ForwardWeightsTwin =
        "topology/forward_weights", shader!("topology/forward_weights");
    params { connections: u32 }
    no loops;
    read ranks: u32,
    read weights: f32,
    write forward: f32,
}

impl ForwardWeightsTwin<'_> {
    fn run(self) {
        let n = self.params.connections as usize;
        self.forward[..n]
            .par_iter_mut()
            .zip(self.ranks.par_windows(2))
            .zip(self.weights)
            .with_min_len(BLOCK)
            .deal_out(|((forward, ranks), &weight)| {
                *forward = if ranks[1] > ranks[0] { weight } else { 0.0 };
            });
    }
}

crate::kernel! {
    /// Adds `decay * weights[j]` to the gradient of every connection `j` that was not selected. Grid:
    /// [`Items`](crate::engine::Grid::Items) = connections.
    pub ExploreDecay, ExploreDecayParams, ExploreDecayTwin =
        "topology/explore_decay", shader!("topology/explore_decay");
    params { connections: u32, decay: f32 }
    no loops;
    read ranks: u32,
    read weights: f32,
    write gradient: f32,
}

impl ExploreDecayTwin<'_> {
    fn run(self) {
        let n = self.params.connections as usize;
        let decay = self.params.decay;
        self.gradient[..n]
            .par_iter_mut()
            .zip(self.ranks.par_windows(2))
            .zip(self.weights)
            .with_min_len(BLOCK)
            .deal_out(|((gradient, ranks), &weight)| {
                if ranks[1] == ranks[0] {
                    *gradient += decay * weight;
                }
            });
    }
}

/// Selects a fixed number of connections with the largest |theta| in every layer, anew at the start of every pass.
///
/// The layers' numbers of connections must not change during its lifetime.
pub struct ForwardSet {
    connections: usize,
    layers: usize,
    /// `[N + 1]` u32.
    ranks: Buffer,
    ties: Buffer,
    /// `[layers + 1]` u32: the starts of the layers.
    starts: Buffer,
    /// `[layers][2]` u32: zero, and how many to select; the initial and the working state of a selection.
    requested: Buffer,
    state: Buffer,
    /// `[layers * 2]` u32: 0, 1, 2, …
    identity: Buffer,
    scan: Scan,
    select: RadixSelect,
}

impl ForwardSet {
    /// Work space for selecting `counts` connections of each layer.
    ///
    /// # Errors
    /// The counts exceed a layer's connections or are not one per layer, or the device refuses a buffer.
    pub fn new(device: &Device, arena: &Arena, active: &[usize], counts: &[usize]) -> Result<Self> {
        let layers = arena.spans.len();
        let fits = [active.len(), counts.len()] == [layers; 2]
            && counts
                .iter()
                .zip(active)
                .all(|(count, active)| count <= active);
        if !fits {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("forward passes by {counts:?} connections"),
                expected: format!("layers of {active:?}"),
            }));
        }
        let n = arena.connections;
        let words = |label: &str, n: usize| device.buffer(label, Class::Scratch, n);
        let mut starts = vec![0u32];
        starts.extend(active.iter().scan(0u32, |end, &active| {
            *end += active as u32;
            Some(*end)
        }));
        let requested: Vec<u32> = counts.iter().flat_map(|&count| [0, count as u32]).collect();
        let identity: Vec<u32> = (0..requested.len() as u32).collect();
        let with = |label: &str, data: &[u32]| device.buffer_with(label, Class::Scratch, data);
        Ok(ForwardSet {
            connections: n,
            layers,
            ranks: words("forward.ranks", n + 1)?,
            ties: words("forward.ties", n + 1)?,
            starts: with("forward.starts", &starts)?,
            requested: with("forward.requested", &requested)?,
            state: words("forward.state", requested.len())?,
            identity: with("forward.identity", &identity)?,
            scan: Scan::new(device, "forward.sums", n + 1)?,
            select: RadixSelect::new(device, "forward.histogram", layers)?,
        })
    }

    /// Records the selection, and writes the weights to be used into `forward`.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn select(&self, plan: &mut Plan, arena: &Arena, forward: &Buffer) -> Result<()> {
        let words = self.layers * STATE_WORDS;
        plan.dispatch(
            Gather {
                params: GatherParams {
                    length: words as u32,
                },
                indices: self.identity.all(),
                source: self.requested.all(),
                output: self.state.all(),
            },
            Grid::Items(words),
        )?;
        let selection = Selection {
            values: arena.weights.all(),
            length: self.connections,
            starts: self.starts.all(),
            segments: self.layers,
            state: self.state.all(),
            largest: true,
        };
        let (ties, ranks) = (self.ties.all(), self.ranks.all());
        (self.select).record(plan, &self.scan, &selection, &ties, &ranks)?;
        plan.dispatch(
            ForwardWeights {
                params: ForwardWeightsParams {
                    connections: self.connections as u32,
                },
                ranks,
                weights: arena.weights.all(),
                forward: forward.all(),
            },
            Grid::Items(self.connections),
        )
    }

    /// Records the penalty on the weights that the previous pass did not use.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn decay(&self, plan: &mut Plan, arena: &Arena, decay: f32) -> Result<()> {
        plan.dispatch(
            ExploreDecay {
                params: ExploreDecayParams {
                    connections: self.connections as u32,
                    decay,
                },
                ranks: self.ranks.all(),
                weights: arena.weights.all(),
                gradient: arena.gradient.all(),
            },
            Grid::Items(self.connections),
        )
    }
}
