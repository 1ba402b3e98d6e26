//! What plans are recorded with: where each node's value and gradient are, and which are kept.

use std::cell::RefCell;
use std::collections::HashMap;

use crate::dense::Products;
use crate::engine::{Buffer, Class, Device, Plan, Precision, View};
use crate::error::{Error, Misfit, Result};
use crate::layer::{LayerParameters, Parameters};
use crate::model::Model;
use crate::network::batch_statistics::BatchStatistics;
use crate::network::buffers::Buffers;
use crate::network::options::{NetworkOptions, Purpose};
use crate::network::tiles::Tile;
use crate::sparse::{Arena, Slices};
use crate::topology::{ForwardSet, Observes, Round, StepPass};

/// Buffers that are kept for inspection, by label.
pub(in crate::network) type Retained = HashMap<String, Buffer>;

/// How a pass is recorded.
#[derive(Clone, Copy)]
pub(in crate::network) struct PassOptions<'a> {
    pub pass: StepPass,
    /// Whether gradients are added to those of the batch's earlier parts.
    pub accumulate: bool,
    /// If present, the connections' gradients go into the tile, one set of rows after the other, instead of the arena,
    /// and the tiles are noted here.
    pub tiles: Option<&'a RefCell<Vec<Tile>>>,
    /// Whether it goes forward as an evaluation does, and back through that.
    pub evaluates: bool,
}

impl PassOptions<'_> {
    /// For a whole batch, or its first part.
    pub fn first(pass: StepPass) -> Self {
        PassOptions {
            pass,
            accumulate: false,
            tiles: None,
            evaluates: false,
        }
    }

    /// Whether the gradients of connections go where the optimiser reads them, and no round observes the pass: a round
    /// would read the layers' inputs themselves.
    pub fn trains_alone(&self) -> bool {
        self.pass.gradients && self.pass.observes == Observes::Nothing && self.tiles.is_none()
    }

    /// Whether the gradients of parameters are added to those of the batch's earlier parts.
    pub fn adds_parameters(&self) -> bool {
        self.accumulate && self.pass.gradients
    }
}

/// A node's number among the nodes with connections, and among those with dense parameters.
#[derive(Clone, Copy, Default)]
pub(in crate::network) struct Numbers {
    pub connections: Option<usize>,
    pub parameters: Option<usize>,
}

pub(in crate::network) struct Recorder<'a> {
    pub device: &'a Device,
    pub model: &'a Model,
    pub arena: &'a Arena,
    pub parameters: &'a Parameters,
    pub buffers: &'a Buffers,
    pub options: NetworkOptions,
    /// The rounds that observe its passes.
    pub round: Option<&'a Round>,
    /// Selects what the products use, if they do not use every connection.
    pub forward: Option<&'a ForwardSet>,
    /// Where batch norms leave the statistics of a part of a batch.
    pub part_statistics: Option<Buffer>,
    pub consumers: Vec<Vec<usize>>,
    /// For each node.
    pub numbers: Vec<Numbers>,
    /// For each node: whether it or one before it has parameters, or the gradient at the input is asked for.
    pub requires_gradient: Vec<bool>,
    retained: RefCell<Retained>,
}

/// What a pass has recorded so far, for each node.
pub(in crate::network) struct Values {
    /// The dense parameters, whose gradients may go to another place than the one that the optimiser reads.
    pub parameters: Parameters,
    /// Its value.
    pub value: Vec<Option<View>>,
    /// What its forward pass leaves for its backward pass: means and deviations, attention's probabilities.
    pub saved: Vec<Option<View>>,
    /// Statistics of its value by parts, for the batch norm that takes it.
    pub statistics: Vec<Option<View>>,
    /// The gradient at its value.
    pub delta: Vec<Option<View>>,
    /// Sums over that by parts, for the batch norm that it belongs to.
    pub sums: Vec<Option<View>>,
    /// Whether `delta` has already passed back through the node's own ReLU.
    pub masked: Vec<bool>,
    /// Where the connections' gradients go for layers in slices.
    pub slices: Option<Slices>,
}

impl Values {
    /// The value of a node that was recorded earlier.
    pub fn value(&self, node: usize) -> Result<View> {
        self.value[node].clone().ok_or_else(|| out_of_order(node))
    }
}

/// The error for a model whose nodes do not follow their inputs.
fn out_of_order(node: usize) -> Error {
    Error::Shape(Misfit::Layer {
        layer: format!("the model's node {node} is used before it is computed"),
        why: "nodes must follow those whose values they take".to_owned(),
    })
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
            let trains = trains || options.purpose == Purpose::InputGradients;
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
            part_statistics: None,
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

    /// With a set of connections that products are limited to.
    pub fn going_forward_by(mut self, forward: Option<&'a ForwardSet>) -> Self {
        self.forward = forward;
        self
    }

    /// For a batch in parts, whose statistics go to a place of their own.
    pub fn in_parts(mut self, statistics: Option<&BatchStatistics>) -> Self {
        self.part_statistics = statistics.map(|statistics| statistics.part.clone());
        self
    }

    /// Lanes of the batch, including padding.
    pub fn lanes(&self) -> usize {
        self.buffers.lanes
    }

    /// Whether consecutive kernels run as one if there is a fused kernel for both.
    pub fn fuses(&self) -> bool {
        self.options.fuses(self.device)
    }

    /// The dense parameters of a node's layer, if it has some.
    pub fn parameters_of(&self, values: &Values, node: usize) -> Result<Option<LayerParameters>> {
        let number = self.numbers[node].parameters;
        number
            .map(|number| values.parameters.layer(number))
            .transpose()
    }

    /// Number of words of a node's value.
    pub fn words(&self, node: usize) -> usize {
        self.model.nodes()[node].extent().size() * self.lanes()
    }

    /// How the values that layers pass on are stored. Networks whose dense gradients are taken choose connections once,
    /// before a training, and are exact; so are gradients at an input, which people look at.
    fn activations(&self) -> Precision {
        match self.options.purpose {
            Purpose::Gradients | Purpose::Flow | Purpose::InputGradients => Precision::F32,
            Purpose::Training | Purpose::Evaluation => self.options.activations,
        }
    }

    /// Memory for the value of a node within a pass.
    pub fn value(&self, node: usize) -> Result<View> {
        self.tensor(node, "output", self.words(node), self.activations())
    }

    /// Memory as large as a node's value, for the gradient at it or for an intermediate step.
    pub fn delta(&self, node: usize, what: &str) -> Result<View> {
        if let (0, Some(kept)) = (node, &self.buffers.input_gradient) {
            return Ok(kept.range(0..self.words(0)));
        }
        let precision = self.activations().of_gradients();
        self.tensor(node, what, self.words(node), precision)
    }

    /// Whether the gradient at the value of `node` stays after the pass.
    pub fn is_kept(&self, node: usize) -> bool {
        node == 0 && self.buffers.input_gradient.is_some()
    }

    /// Memory for what lives within one pass or, if values are kept, permanently.
    pub fn tensor(
        &self,
        node: usize,
        what: &str,
        words: usize,
        precision: Precision,
    ) -> Result<View> {
        let name = self.model.nodes()[node].name();
        let label = match name.is_empty() {
            true => format!("node{node}.{what}"),
            false => format!("{name}.{what}"),
        };
        if !self.options.keep {
            let buffer = (self.device).transient_of(&label, Class::Activations, words, precision);
            return Ok(buffer.range(0..words));
        }
        let mut retained = self.retained.borrow_mut();
        let buffer = match retained.get(&label) {
            Some(buffer) => buffer.clone(),
            None => (self.device).buffer_of(&label, Class::Activations, words, precision)?,
        };
        retained.insert(label, buffer.clone());
        Ok(buffer.range(0..words))
    }

    /// Scratch memory for one or two dispatches.
    pub fn scratch(&self, what: &str, words: usize) -> View {
        let words = words.max(1);
        let buffer = self.device.transient(what, Class::Scratch, words);
        buffer.range(0..words)
    }

    /// Slices of the layers whose gradients fill the device only in slices, if the kernels are those for hardware.
    pub fn slices(&self, options: &PassOptions<'_>) -> Result<Option<Slices>> {
        if !self.fuses() || !options.pass.gradients || options.tiles.is_some() {
            return Ok(None);
        }
        let layers = self.arena.spans.iter().zip(self.model.sparse()).enumerate();
        let layers: Vec<_> = layers
            .map(|(l, (span, layer))| match self.buffers.products.get(l) {
                Some(Products::Full { .. }) => (*span, None),
                _ => (*span, Some(layer.window)),
            })
            .collect();
        let (lanes, n) = (self.lanes(), self.arena.connections);
        Slices::new(self.device, &layers, lanes, n, |words| {
            self.scratch("gradients by slices", words)
        })
    }

    /// Begins a pass: the set of connections for its forward pass, and the values that exist before it.
    pub fn start(&self, plan: &mut Plan) -> Result<Values> {
        if let (Some(set), Some(forward)) = (self.forward, &self.arena.forward) {
            set.select(plan, self.arena, forward)?;
        }
        let n = self.model.nodes().len();
        let mut values = Values {
            parameters: (self.parameters.clone()).in_parts(self.part_statistics.clone()),
            value: vec![None; n],
            saved: vec![None; n],
            statistics: vec![None; n],
            delta: vec![None; n],
            sums: vec![None; n],
            masked: vec![false; n],
            slices: None,
        };
        values.value[0] = Some(self.buffers.input.range(0..self.words(0)));
        Ok(values)
    }
}
