//! From a model's nodes to plans: where each value and each gradient lies, and who writes it first.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::RING;
use super::fixed::Fixed;
use super::options::NetworkOptions;
use super::section;
use super::segments::segments;
use super::tiles::Tile;
use crate::engine::{Buffer, Class, Device, Grid, Plan, View};
use crate::error::{Error, Result};
use crate::layer::{
    BatchMetrics, BatchMetricsParams, Norms, SoftmaxCrossEntropy, SoftmaxCrossEntropyParams,
};
use crate::model::{Model, Op};
use crate::sparse::Arena;
use crate::topology::{ForwardSet, Method, Round};

/// Buffers that are kept to be looked at, by label.
pub(super) type Kept = HashMap<String, Buffer>;

/// What a pass looks at for a round.
#[derive(Clone, Copy)]
pub(super) enum Observe<'a> {
    Nothing,
    Statistics(&'a Round),
    Scores(&'a Round, &'a dyn Method),
}

/// Where a pass leaves the gradients of the connections.
#[derive(Clone, Copy)]
pub(super) enum WeightGradients<'a> {
    /// Nowhere: another pass computes them, and those of biases and norms.
    Nowhere,
    /// In the arena, and those of the biases.
    Whole,
    /// In the tile, one rows' after the other's; noted here.
    Tiles(&'a RefCell<Vec<Tile>>),
}

#[derive(Clone, Copy)]
pub(super) struct PassOptions<'a> {
    pub gradients: WeightGradients<'a>,
    pub observe: Observe<'a>,
    /// Whether gradients are added to those of the batch's earlier parts.
    pub accumulate: bool,
}

impl PassOptions<'_> {
    /// Whether the gradients of parameters are added to those of the batch's earlier parts.
    pub fn adds_parameters(&self) -> bool {
        self.accumulate && !matches!(self.gradients, WeightGradients::Nowhere)
    }
}

/// How a forward pass treats what training and evaluation differ in.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Mode {
    /// The batch's own statistics, which move the running ones; dropout.
    Train,
    /// The same computed again: nothing moves.
    Again,
    /// Running statistics, no dropout.
    Evaluate,
}

pub(super) struct Recorder<'a> {
    pub device: &'a Device,
    pub model: &'a Model,
    pub arena: &'a Arena,
    pub norms: &'a Norms,
    pub fixed: &'a Fixed,
    pub options: NetworkOptions,
    /// Selects what the products use, where they do not use every connection.
    pub forward: Option<&'a ForwardSet>,
    pub consumers: Vec<Vec<usize>>,
    /// By node: its number among the sparse layers, or among the norms.
    pub index: Vec<usize>,
    /// By node: whether it or one before it has parameters.
    pub learns: Vec<bool>,
    kept: RefCell<Kept>,
}

/// What a pass has recorded so far, by node.
pub(super) struct Values {
    /// The norms, whose gradients may go elsewhere than where the optimiser looks.
    pub norms: Norms,
    /// Its value.
    pub value: Vec<Option<View>>,
    /// What its forward leaves for its backward: means and deviations, attention's probabilities.
    pub saved: Vec<Option<View>>,
    /// The gradient at its value.
    pub delta: Vec<Option<View>>,
    /// Whether `delta` has already passed back through the node's own ReLU.
    pub masked: Vec<bool>,
}

impl Values {
    /// The value of a node recorded before.
    pub fn value(&self, node: usize) -> Result<View> {
        self.value[node].clone().ok_or_else(|| out_of_order(node))
    }

    /// What a node's forward pass left.
    pub fn saved(&self, node: usize) -> Result<View> {
        self.saved[node].clone().ok_or_else(|| out_of_order(node))
    }
}

/// A model whose nodes do not follow their inputs.
fn out_of_order(node: usize) -> Error {
    Error::Shape(format!(
        "the model's node {node} is used before it is computed: nodes must follow those whose values they take"
    ))
}

impl<'a> Recorder<'a> {
    pub fn new(
        device: &'a Device,
        model: &'a Model,
        arena: &'a Arena,
        norms: &'a Norms,
        fixed: &'a Fixed,
        options: &NetworkOptions,
    ) -> Self {
        let (mut layers, mut norm) = (0, 0);
        let mut index = Vec::new();
        let mut learns: Vec<bool> = Vec::new();
        for node in &model.nodes {
            let counter = match node.op {
                Op::Sparse { .. } => Some(&mut layers),
                Op::BatchNorm { .. } | Op::LayerNorm => Some(&mut norm),
                _ => None,
            };
            learns.push(counter.is_some() || node.inputs.iter().any(|&i| learns[i]));
            index.push(counter.map_or(0, |c| {
                *c += 1;
                *c - 1
            }));
        }
        Recorder {
            consumers: model.consumers(),
            device,
            model,
            arena,
            norms,
            fixed,
            options: options.clone(),
            forward: None,
            index,
            learns,
            kept: RefCell::default(),
        }
    }

    pub fn into_kept(self) -> Kept {
        self.kept.into_inner()
    }

    /// With a set of connections that products use alone.
    pub fn going_forward_by(mut self, forward: Option<&'a ForwardSet>) -> Self {
        self.forward = forward;
        self
    }

    /// Lanes of the batch, padding included.
    pub fn stride(&self) -> usize {
        self.fixed.stride
    }

    /// The table of an [`Op::Positions`].
    pub fn positions_table(&self, node: usize) -> Result<View> {
        let table = self.fixed.tables.get(&node);
        table.map(Buffer::all).ok_or_else(|| out_of_order(node))
    }

    /// Words of a node's value.
    pub fn words(&self, node: usize) -> usize {
        self.model.nodes[node].extent.size() * self.stride()
    }

    /// Memory for a value that lives within one pass, or, where they are kept, for good.
    pub fn tensor(&self, node: usize, what: &str, words: usize) -> Result<View> {
        let name = &self.model.nodes[node].name;
        let label = match name.is_empty() {
            true => format!("node{node}.{what}"),
            false => format!("{name}.{what}"),
        };
        if !self.options.keep {
            let buffer = self.device.transient(&label, Class::Activations, words);
            return Ok(buffer.range(0..words));
        }
        let mut kept = self.kept.borrow_mut();
        let buffer = match kept.get(&label) {
            Some(buffer) => buffer.clone(),
            None => self.device.buffer(&label, Class::Activations, words)?,
        };
        kept.insert(label, buffer.clone());
        Ok(buffer.range(0..words))
    }

    /// Work space of a single dispatch or two.
    pub fn scratch(&self, what: &str, words: usize) -> View {
        let words = words.max(1);
        let buffer = self.device.transient(what, Class::Scratch, words);
        buffer.range(0..words)
    }

    fn start(&self, plan: &mut Plan) -> Result<Values> {
        if let (Some(set), Some(forward)) = (self.forward, &self.arena.forward) {
            set.select(plan, self.arena, forward)?;
        }
        let n = self.model.nodes.len();
        let mut values = Values {
            norms: self.norms.clone(),
            value: vec![None; n],
            saved: vec![None; n],
            delta: vec![None; n],
            masked: vec![false; n],
        };
        values.value[0] = Some(self.fixed.input.range(0..self.words(0)));
        Ok(values)
    }

    /// The forward pass of an evaluation, with loss and metrics.
    pub fn evaluation(&self) -> Result<Plan> {
        let mut plan = Plan::new("evaluation step");
        plan.section(section::EVALUATION);
        let mut values = self.start(&mut plan)?;
        for node in 1..self.model.nodes.len() {
            self.forward(&mut plan, &mut values, node, Mode::Evaluate)?;
        }
        self.loss(&mut plan, &mut values, 0.0, Some(&self.fixed.test_ring))?;
        Ok(plan)
    }

    /// Forward and backward pass of training, without the update.
    pub fn pass(&self, options: PassOptions<'_>) -> Result<Plan> {
        let mut plan = Plan::new("training pass");
        let nowhere = matches!(options.gradients, WeightGradients::Nowhere);
        if let Observe::Statistics(round) = options.observe {
            plan.section(section::ROUND);
            round.record_signs(&mut plan)?;
        }
        plan.section(section::FORWARD);
        let mut values = self.start(&mut plan)?;
        if nowhere {
            // They come with the input's gradients, wanted or not.
            let words = self.norms.words();
            values.norms.gradient =
                (self.device).transient("unwanted gradients of norms", Class::Scratch, words);
        }
        let mode = if nowhere { Mode::Again } else { Mode::Train };
        for node in 1..self.model.nodes.len() {
            self.forward(&mut plan, &mut values, node, mode)?;
        }
        let smoothing = self.options.label_smoothing;
        // Loss and hits of a batch are counted once.
        let ring = (!nowhere).then_some(&self.fixed.train_ring);
        self.loss(&mut plan, &mut values, smoothing, ring)?;
        plan.section(section::BACKWARD);
        let whole = vec![1..=self.model.nodes.len() - 1];
        let segments = match (self.options.keep, self.options.recompute) {
            (true, _) => whole,
            (false, true) => segments(self.model),
            (false, false) => {
                self.drop_norms(&mut values);
                whole
            }
        };
        for (number, segment) in segments.iter().enumerate().rev() {
            if number + 1 < segments.len() {
                self.again(&mut plan, &mut values, segment)?;
            }
            for node in segment.clone().rev() {
                self.backward(&mut plan, &mut values, node, &options)?;
            }
        }
        Ok(plan)
    }

    /// Forgets the outputs of norms without a residual: where the backward pass reads one, a single pass over the norm's input,
    /// which it reads anyway, makes it again. That holds a quarter less of a ResNet for a twentieth more time.
    fn drop_norms(&self, values: &mut Values) {
        let last = self.model.nodes.len() - 1;
        for (n, node) in self.model.nodes[..last].iter().enumerate() {
            let norm = matches!(node.op, Op::BatchNorm { .. } | Op::LayerNorm);
            if norm && node.inputs.len() == 1 {
                values.value[n] = None;
            }
        }
    }

    /// Computes the values within a segment again, from the one that it begins with.
    fn again(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        segment: &RangeInclusive<usize>,
    ) -> Result<()> {
        let end = values.value[*segment.end()].clone();
        for node in segment.clone() {
            self.forward(plan, values, node, Mode::Again)?;
        }
        // What the next segment began with stays what it was.
        values.value[*segment.end()] = end;
        Ok(())
    }

    fn loss(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        smoothing: f32,
        ring: Option<&Buffer>,
    ) -> Result<()> {
        let f = self.fixed;
        let last = self.model.nodes.len() - 1;
        if let Some(ones) = &f.ones {
            values.delta[last] = Some(ones.all());
            return Ok(());
        }
        let delta = self.tensor(last, "delta", self.words(last))?;
        plan.dispatch(
            SoftmaxCrossEntropy {
                params: SoftmaxCrossEntropyParams {
                    classes: self.model.classes() as u32,
                    stride: self.stride() as u32,
                    smoothing,
                },
                step: f.step.all(),
                logits: f.logits.all(),
                labels: f.labels.all(),
                delta: delta.clone(),
                losses: f.losses.all(),
                hits: f.hits.all(),
            },
            Grid::Items(self.stride()),
        )?;
        values.delta[last] = Some(delta);
        let Some(ring) = ring else {
            return Ok(());
        };
        plan.dispatch(
            BatchMetrics {
                params: BatchMetricsParams {
                    stride: self.stride() as u32,
                    slots: RING as u32,
                },
                step: f.step.all(),
                losses: f.losses.all(),
                hits: f.hits.all(),
                ring: ring.all(),
            },
            Grid::Groups(1),
        )
    }

    /// The optimiser's update of everything.
    pub fn update(&self) -> Result<Plan> {
        let mut plan = Plan::new("update");
        plan.section(section::OPTIMISER);
        if let (Some(set), Some(forward)) = (self.forward, &self.options.forward) {
            set.decay(&mut plan, self.arena, forward.decay)?;
        }
        let (a, n) = (self.arena, self.norms);
        let all = [
            (a.connections, &a.gradient, &a.weights, &a.momentum),
            (a.n_rows, &a.bias_gradient, &a.bias, &a.bias_momentum),
            (n.words(), &n.gradient, &n.values, &n.momentum),
        ];
        for (count, gradient, weights, velocity) in all {
            let (g, w, v) = (gradient.all(), weights.all(), velocity.all());
            let step = self.fixed.step.all();
            self.options.sgd.update(&mut plan, step, count, g, w, v)?;
        }
        Ok(plan)
    }
}
