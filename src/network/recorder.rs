//! What plans are recorded with: where the value of each of a model's nodes and its gradient lie, and which are kept.

use std::cell::RefCell;
use std::collections::HashMap;

use super::buffers::Buffers;
use super::options::NetworkOptions;
use super::tiles::Tile;
use crate::dense::Products;
use crate::engine::{Buffer, Class, Device, Plan, Precision, View};
use crate::error::{Error, Misfit, Result};
use crate::layer::{LayerParameters, Parameters};
use crate::model::Model;
use crate::sparse::{Arena, Slices};
use crate::topology::{ForwardSet, Observes, Round, StepPass};

/// Buffers that are retained to be looked at, by label.
pub(super) type Retained = HashMap<String, Buffer>;

/// How a pass is recorded.
#[derive(Clone, Copy)]
pub(super) struct PassOptions<'a> {
    pub pass: StepPass,
    /// Whether gradients are added to those of the batch's earlier parts.
    pub accumulate: bool,
    /// Where the connections' gradients go into the tile, one rows' after the other's, in place of the arena: noted
    /// here.
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

    /// Whether the gradients of connections go where the optimiser looks, and no round observes the pass: it would look
    /// at the layers' inputs themselves.
    pub fn trains_alone(&self) -> bool {
        self.pass.gradients && self.pass.observes == Observes::Nothing && self.tiles.is_none()
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
    /// Statistics of its value by parts, for the batch norm that takes it.
    pub statistics: Vec<Option<View>>,
    /// The gradient at its value.
    pub delta: Vec<Option<View>>,
    /// Sums over that by parts, for the batch norm that it is of.
    pub sums: Vec<Option<View>>,
    /// Whether `delta` has already passed back through the node's own ReLU.
    pub masked: Vec<bool>,
    /// Where the connections' gradients of layers in slices go.
    pub slices: Option<Slices>,
}

impl Values {
    /// The value of a node recorded before.
    pub fn value(&self, node: usize) -> Result<View> {
        self.value[node].clone().ok_or_else(|| out_of_order(node))
    }
}

/// A model whose nodes do not follow their inputs.
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

    /// Whether kernels that follow each other are one, where there is one for both.
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

    /// Words of a node's value.
    pub fn words(&self, node: usize) -> usize {
        self.model.nodes()[node].extent().size() * self.lanes()
    }

    /// How the values that layers pass on are stored. Networks of which dense gradients are taken are for choosing
    /// connections once, before a training, and are exact.
    fn activations(&self) -> Precision {
        match self.options.purpose.in_tiles() {
            true => Precision::F32,
            false => self.options.activations,
        }
    }

    /// Memory for the value of a node within a pass.
    pub fn value(&self, node: usize) -> Result<View> {
        self.tensor(node, "output", self.words(node), self.activations())
    }

    /// Memory as large as a node's value for the gradient at it, or for what leads to that.
    pub fn delta(&self, node: usize, what: &str) -> Result<View> {
        let precision = self.activations().of_gradients();
        self.tensor(node, what, self.words(node), precision)
    }

    /// Memory for what lives within one pass, or, where values are retained, for good.
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

    /// Work space of a single dispatch or two.
    pub fn scratch(&self, what: &str, words: usize) -> View {
        let words = words.max(1);
        let buffer = self.device.transient(what, Class::Scratch, words);
        buffer.range(0..words)
    }

    /// Slices of the layers whose gradients fill the device in slices alone, where kernels are those for hardware.
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

    /// Begins a pass: the set that it goes forward by, and the values that are there before it.
    pub fn start(&self, plan: &mut Plan) -> Result<Values> {
        if let (Some(set), Some(forward)) = (self.forward, &self.arena.forward) {
            set.select(plan, self.arena, forward)?;
        }
        let n = self.model.nodes().len();
        let mut values = Values {
            parameters: self.parameters.clone(),
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
