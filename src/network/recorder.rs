//! From a model's nodes to plans: where each value and each gradient lies, and who writes it first.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::RangeInclusive;

use super::RING;
use super::buffers::Buffers;
use super::checkpointing::segments;
use super::forward::NodePass;
use super::options::NetworkOptions;
use super::phase;
use super::tiles::Tile;
use crate::engine::{Buffer, Class, Device, Grid, Plan, View};
use crate::error::{Error, Result};
use crate::layer::pass::Mode;
use crate::layer::{BatchMetrics, BatchMetricsParams, LayerParameters, Parameters};
use crate::loss::Comparison;
use crate::model::Model;
use crate::optim::{Group, StateBuffers, Update};
use crate::sparse::Arena;
use crate::topology::{ForwardSet, Round, StepPass};

/// Buffers that are retained to be looked at, by label.
pub(super) type Retained = HashMap<String, Buffer>;

/// How a pass is recorded.
#[derive(Clone, Copy)]
pub(super) struct PassOptions<'a> {
    pub pass: StepPass,
    /// Whether gradients are added to those of the batch's earlier parts.
    pub accumulate: bool,
    /// Where the connections' gradients go into the tile, one rows' after the other's, in place of the arena: noted here.
    pub tiles: Option<&'a RefCell<Vec<Tile>>>,
}

impl PassOptions<'_> {
    /// On a whole batch, or its first part.
    pub fn first(pass: StepPass) -> Self {
        PassOptions {
            pass,
            accumulate: false,
            tiles: None,
        }
    }

    /// Whether the gradients of parameters are added to those of the batch's earlier parts.
    pub fn adds_parameters(&self) -> bool {
        self.accumulate && self.pass.gradients
    }
}

/// A node's number among those with connections, and among those with dense parameters.
#[derive(Clone, Copy, Default)]
pub(super) struct Numbers {
    pub connections: Option<usize>,
    pub parameters: Option<usize>,
}

pub(super) struct Recorder<'a> {
    pub device: &'a Device,
    pub model: &'a Model,
    pub arena: &'a Arena,
    pub parameters: &'a Parameters,
    pub buffers: &'a Buffers,
    pub options: NetworkOptions,
    /// The rounds that observe its passes.
    pub round: Option<&'a Round>,
    /// Selects what the products use, where they do not use every connection.
    pub forward: Option<&'a ForwardSet>,
    pub consumers: Vec<Vec<usize>>,
    /// By node.
    pub numbers: Vec<Numbers>,
    /// By node: whether it or one before it has parameters.
    pub requires_gradient: Vec<bool>,
    retained: RefCell<Retained>,
}

/// What a pass has recorded so far, by node.
pub(super) struct Values {
    /// The dense parameters, whose gradients may go elsewhere than where the optimiser looks.
    pub parameters: Parameters,
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
        parameters: &'a Parameters,
        buffers: &'a Buffers,
        options: &NetworkOptions,
    ) -> Self {
        let (mut layers, mut dense) = (0.., 0..);
        let mut numbers = Vec::new();
        let mut requires_gradient: Vec<bool> = Vec::new();
        for node in model.nodes() {
            let has_dense = !(node.layer().parameters(&model.inputs_of(node))).is_empty();
            let own = Numbers {
                connections: model.connections_of(node).and_then(|_| layers.next()),
                parameters: has_dense.then(|| dense.next()).flatten(),
            };
            let trains = own.connections.is_some() || has_dense;
            requires_gradient.push(trains || node.inputs().iter().any(|&i| requires_gradient[i]));
            numbers.push(own);
        }
        Recorder {
            consumers: model.consumers(),
            device,
            model,
            arena,
            parameters,
            buffers,
            options: options.clone(),
            round: None,
            forward: None,
            numbers,
            requires_gradient,
            retained: RefCell::default(),
        }
    }

    pub fn into_retained(self) -> Retained {
        self.retained.into_inner()
    }

    /// With rounds that observe its passes.
    pub fn observed_by(mut self, round: &'a Round) -> Self {
        self.round = Some(round);
        self
    }

    /// With a set of connections that products use alone.
    pub fn going_forward_by(mut self, forward: Option<&'a ForwardSet>) -> Self {
        self.forward = forward;
        self
    }

    /// Lanes of the batch, padding included.
    pub fn lanes(&self) -> usize {
        self.buffers.lanes
    }

    /// The dense parameters of a node's layer, if it has some.
    pub fn parameters_of(&self, values: &Values, node: usize) -> Result<Option<LayerParameters>> {
        let number = self.numbers[node].parameters;
        number
            .map(|number| values.parameters.layer(number))
            .transpose()
    }

    /// What a node's layer sees in a pass that has `own` besides.
    pub fn node_pass<Direction>(
        &self,
        node: usize,
        parameters: Option<LayerParameters>,
        saved: Option<View>,
        own: Direction,
    ) -> NodePass<'_, Direction> {
        NodePass {
            recorder: self,
            node,
            inputs: self.model.inputs_of(&self.model.nodes()[node]),
            parameters,
            saved,
            own,
        }
    }

    /// Words of a node's value.
    pub fn words(&self, node: usize) -> usize {
        self.model.nodes()[node].extent().size() * self.lanes()
    }

    /// Memory for a value that lives within one pass, or, where they are retained, for good.
    pub fn tensor(&self, node: usize, what: &str, words: usize) -> Result<View> {
        let name = self.model.nodes()[node].name();
        let label = match name.is_empty() {
            true => format!("node{node}.{what}"),
            false => format!("{name}.{what}"),
        };
        if !self.options.keep {
            let buffer = self.device.transient(&label, Class::Activations, words);
            return Ok(buffer.range(0..words));
        }
        let mut retained = self.retained.borrow_mut();
        let buffer = match retained.get(&label) {
            Some(buffer) => buffer.clone(),
            None => self.device.buffer(&label, Class::Activations, words)?,
        };
        retained.insert(label, buffer.clone());
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
        let n = self.model.nodes().len();
        let mut values = Values {
            parameters: self.parameters.clone(),
            value: vec![None; n],
            saved: vec![None; n],
            delta: vec![None; n],
            masked: vec![false; n],
        };
        values.value[0] = Some(self.buffers.input.range(0..self.words(0)));
        Ok(values)
    }

    /// The forward pass of an evaluation, with loss and metrics.
    pub fn evaluation(&self) -> Result<Plan> {
        let mut plan = Plan::new("evaluation step");
        plan.phase(phase::EVALUATION);
        let mut values = self.start(&mut plan)?;
        for node in 1..self.model.nodes().len() {
            self.forward(&mut plan, &mut values, node, Mode::Evaluate)?;
        }
        self.loss(&mut plan, &mut values, false, Some(&self.buffers.test_ring))?;
        Ok(plan)
    }

    /// Forward and backward pass of training, without the update.
    pub fn pass(&self, options: PassOptions<'_>) -> Result<Plan> {
        let mut plan = Plan::new("training pass");
        let pass = options.pass;
        if let Some(round) = self.round {
            plan.phase(phase::ROUND);
            round.begin_pass(&mut plan, pass.observes)?;
        }
        plan.phase(phase::FORWARD);
        let mut values = self.start(&mut plan)?;
        if !pass.gradients {
            // They come with the input's gradients, requested or not.
            let words = self.parameters.words();
            let label = "unwanted gradients of parameters";
            values.parameters.gradient = self.device.transient(label, Class::Scratch, words);
        }
        let mode = match pass.gradients {
            true => Mode::Train,
            false => Mode::Again,
        };
        for node in 1..self.model.nodes().len() {
            self.forward(&mut plan, &mut values, node, mode)?;
        }
        // Loss and score of a batch are counted once.
        let ring = pass.gradients.then_some(&self.buffers.train_ring);
        self.loss(&mut plan, &mut values, true, ring)?;
        plan.phase(phase::BACKWARD);
        let whole = vec![1..=self.model.nodes().len() - 1];
        let segments = match (self.options.keep, self.options.recompute) {
            (true, _) => whole,
            (false, true) => segments(self.model),
            (false, false) => {
                self.drop_restorable(&mut values);
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

    /// Forgets the values of layers that can restore them from their one input: where the backward pass reads one, a single pass
    /// over that input, which it reads anyway, makes it again. That holds a quarter less of a ResNet for a twentieth more time.
    fn drop_restorable(&self, values: &mut Values) {
        let last = self.model.nodes().len() - 1;
        for (n, node) in self.model.nodes()[..last].iter().enumerate() {
            if node.layer().restores() && node.inputs().len() == 1 {
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
        training: bool,
        ring: Option<&Buffer>,
    ) -> Result<()> {
        let f = self.buffers;
        let last = self.model.nodes().len() - 1;
        if let Some(ones) = &f.ones {
            values.delta[last] = Some(ones.all());
            return Ok(());
        }
        let delta = self.tensor(last, "delta", self.words(last))?;
        let comparison = Comparison {
            device: self.device,
            outputs: self.model.classes(),
            lanes: self.lanes(),
            training,
            step: f.step.all(),
            output: f.logits.all(),
            targets: f.targets.all(),
            delta: delta.clone(),
            losses: f.losses.all(),
            scores: f.scores.all(),
        };
        let NetworkOptions { loss, metric, .. } = &self.options;
        loss.record(plan, &comparison)?;
        let metric = metric.as_deref().filter(|&metric| !loss.finds(metric));
        if let (Some(metric), Some(_)) = (metric, ring) {
            metric.record(plan, &comparison)?;
        }
        values.delta[last] = Some(delta);
        let Some(ring) = ring else {
            return Ok(());
        };
        plan.dispatch(
            BatchMetrics {
                params: BatchMetricsParams {
                    lanes: self.lanes() as u32,
                    slots: RING as u32,
                },
                step: f.step.all(),
                losses: f.losses.all(),
                scores: f.scores.all(),
                ring: ring.all(),
            },
            Grid::Groups(1),
        )
    }

    /// The optimiser's update of everything.
    pub fn update(&self) -> Result<Plan> {
        let mut plan = Plan::new("update");
        plan.phase(phase::OPTIMISER);
        if let (Some(set), Some(forward)) = (self.forward, &self.options.forward) {
            set.decay(&mut plan, self.arena, forward.decay)?;
        }
        let (a, p) = (self.arena, self.parameters);
        let dense = p.state.as_ref().map_or(Vec::new(), StateBuffers::arrays);
        let (connections, biases) = (a.state.arrays(), a.bias_state.arrays());
        let mut step = |group, count, gradient: &Buffer, weights: &Buffer, state: &[_]| {
            let views = [gradient.all(), weights.all()];
            let update = Update::new(group, count, self.buffers.step.all(), views, state);
            self.options.optimiser.step(&mut plan, &update)
        };
        let n = a.connections;
        step(Group::Connections, n, &a.gradient, &a.weights, &connections)?;
        step(Group::Biases, a.n_rows, &a.bias_gradient, &a.bias, &biases)?;
        step(Group::Dense, p.words(), &p.gradient, &p.values, &dense)?;
        Ok(plan)
    }
}
