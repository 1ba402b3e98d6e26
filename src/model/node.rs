//! The parts of a model: nodes, each with its layer, its inputs and the size of its value.

use std::any::Any;
use std::sync::Arc;

use crate::error::{Error, Result};
use crate::layer::{Connections, Extent, Layer, Parameter};
use crate::sparse::{Shape, Window};

/// One layer of a model, with its inputs.
#[derive(Clone, Debug)]
pub struct Node {
    pub(super) name: String,
    pub(super) layer: Arc<dyn Layer>,
    pub(super) inputs: Vec<usize>,
    pub(super) extent: Extent,
}

impl Node {
    /// Its name in tables and messages; empty if it has no parameters.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its layer.
    pub fn layer(&self) -> &dyn Layer {
        self.layer.as_ref()
    }

    /// Its layer, if it has this type.
    pub fn layer_as<L: Layer>(&self) -> Option<&L> {
        (self.layer() as &dyn Any).downcast_ref()
    }

    /// Indices of the nodes whose values it takes.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// Size of its value.
    pub fn extent(&self) -> Extent {
        self.extent
    }
}

/// A sparse layer of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseNode {
    /// Index of its node.
    pub node: usize,
    /// Its name.
    pub name: String,
    /// Input units (channels × taps) and output units.
    pub shape: Shape,
    /// How its output positions read input positions.
    pub window: Window,
    /// Whether its output units have biases.
    pub bias: bool,
}

/// The layers in order; the last one's value is the logits. A [`Builder`](super::Builder) builds it and checks it.
#[derive(Clone, Debug)]
pub struct Model {
    pub(super) name: String,
    /// Node 0 is the input; each node takes values of nodes before it.
    pub(super) nodes: Vec<Node>,
}

impl Model {
    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its nodes. The first is the input; each takes values of nodes before it.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Size of its input.
    pub fn input(&self) -> Extent {
        self.nodes.first().map_or(Extent::vector(0), |n| n.extent)
    }

    /// Number of logits.
    pub fn classes(&self) -> usize {
        self.nodes.last().map_or(0, |n| n.extent.channels)
    }

    /// Sizes of the inputs of a node.
    pub fn inputs_of(&self, node: &Node) -> Vec<Extent> {
        let extents = node.inputs.iter().filter_map(|&i| self.nodes.get(i));
        extents.map(|n| n.extent).collect()
    }

    /// The connections of a node, if it has any.
    pub fn connections_of(&self, node: &Node) -> Option<Connections> {
        node.layer.connections(&self.inputs_of(node))
    }

    /// The sparse layers in order, as in the arena.
    pub fn sparse(&self) -> Vec<SparseNode> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter_map(|(node, n)| {
                let Connections {
                    units,
                    window,
                    bias,
                } = self.connections_of(n)?;
                let channels = self.inputs_of(n).first().map_or(0, |e| e.channels);
                Some(SparseNode {
                    node,
                    name: n.name.clone(),
                    shape: Shape {
                        n_in: channels.saturating_mul(window.taps()),
                        n_out: units,
                    },
                    window,
                    bias,
                })
            })
            .collect()
    }

    /// The sparse layers' sizes.
    pub fn shapes(&self) -> Vec<Shape> {
        self.sparse().iter().map(|l| l.shape).collect()
    }

    /// The kind and the arrays of each layer with dense parameters, in order.
    pub fn parameters(&self) -> Vec<(&'static str, Vec<Parameter>)> {
        let nodes = self.nodes.iter();
        nodes
            .map(|n| (n.layer.kind(), n.layer.parameters(&self.inputs_of(n))))
            .filter(|(_, parameters)| !parameters.is_empty())
            .collect()
    }

    /// The same model with some layers replaced: `other` gives the replacement, which must make values of the same
    /// size.
    ///
    /// # Errors
    /// A replacement does not.
    pub fn with_layers(mut self, other: impl Fn(&Node) -> Option<Arc<dyn Layer>>) -> Result<Model> {
        for n in 1..self.nodes.len() {
            let Some(layer) = other(&self.nodes[n]) else {
                continue;
            };
            let node = &self.nodes[n];
            let wrong = |reason: String| Error::Model {
                model: self.name.clone(),
                why: format!("cannot take another layer for {}: {reason}", node.name),
            };
            let made = layer.output(&self.inputs_of(node)).map_err(wrong)?;
            if made != node.extent {
                return Err(wrong(format!("it makes {made}, not {}", node.extent)));
            }
            self.nodes[n].layer = layer;
        }
        Ok(self)
    }

    /// For each node, the nodes that take its value.
    pub fn consumers(&self) -> Vec<Vec<usize>> {
        let mut consumers = vec![Vec::new(); self.nodes.len()];
        for (n, node) in self.nodes.iter().enumerate() {
            for &input in &node.inputs {
                if let Some(consumers) = consumers.get_mut(input) {
                    consumers.push(n);
                }
            }
        }
        consumers
    }
}
