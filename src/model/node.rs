//! What a model is: nodes, each with its operation, its inputs and the size of what it makes.

use crate::sparse::{Shape, Window};

/// Size of a value: `[channels][height][width][batch]`. Tokens are positions; a plain vector has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Channels of an image, features of a token, units of a vector.
    pub channels: usize,
    /// Rows of positions.
    pub height: usize,
    /// Columns of positions.
    pub width: usize,
}

impl Extent {
    /// A vector of `units`.
    pub fn vector(units: usize) -> Self {
        Extent {
            channels: units,
            height: 1,
            width: 1,
        }
    }

    /// Positions of a channel.
    pub fn positions(&self) -> usize {
        self.height * self.width
    }

    /// Numbers per member of the batch.
    pub fn size(&self) -> usize {
        self.channels * self.positions()
    }

    /// Positions as `[y, x]`.
    pub fn plane(&self) -> [usize; 2] {
        [self.height, self.width]
    }
}

impl std::fmt::Display for Extent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.positions() {
            1 => write!(f, "{}", self.channels),
            _ => write!(f, "{}×{}×{}", self.channels, self.height, self.width),
        }
    }
}

/// An operation.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The batch itself: always node 0.
    Input,
    /// Sparse connections: a linear layer at each position, or a convolution.
    Sparse {
        /// How output positions look at input positions.
        window: Window,
        /// Whether each output unit has a bias.
        bias: bool,
        /// Whether a ReLU is fused behind it.
        relu: bool,
    },
    /// Batch norm over batch and positions; a second input is added before the ReLU.
    BatchNorm {
        /// Whether a ReLU is fused behind it.
        relu: bool,
    },
    /// Layer norm over the channels of each position.
    LayerNorm,
    /// max(x, 0).
    Relu,
    /// x Φ(x).
    Gelu,
    /// Sum of two values.
    Add,
    /// Option A of He et al. 2016: subsampled by a stride, new channels zero.
    Shortcut {
        /// Positions from one that is kept to the next.
        stride: usize,
    },
    /// Maximum over each window.
    MaxPool(Window),
    /// Mean over each window, padding included.
    AveragePool(Window),
    /// Mean over all positions.
    Mean,
    /// The same numbers as one vector.
    Flatten,
    /// Drops this share of the numbers in training, and scales up the rest.
    Dropout(f32),
    /// Patches of so many positions each way become tokens.
    Patchify(usize),
    /// Adds fixed sines and cosines of the token's place.
    Positions,
    /// Multi-head self-attention from queries, keys and values stacked.
    Attention {
        /// Heads.
        heads: usize,
        /// Features of a head.
        dim: usize,
    },
}

/// One layer of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name in tables and messages; empty where it has no parameters.
    pub name: String,
    /// What it does.
    pub op: Op,
    /// Numbers of the nodes whose values it takes.
    pub inputs: Vec<usize>,
    /// Size of its value.
    pub extent: Extent,
}

/// A sparse layer of a model.
#[derive(Clone, Debug, PartialEq)]
pub struct SparseNode {
    /// Number of its node.
    pub node: usize,
    /// Its name.
    pub name: String,
    /// Input units (channels × taps) and output units.
    pub shape: Shape,
    /// How output positions look at input positions.
    pub window: Window,
    /// Whether its output units have biases.
    pub bias: bool,
}

/// The layers in order; the last one's value are the logits. A [`Builder`](super::Builder) makes models that are in order; one that
/// was written down otherwise passes [`Model::check`] before it is run.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Its name.
    pub name: String,
    /// Node 0 is the input; each node takes values of nodes before it.
    pub nodes: Vec<Node>,
}

impl Model {
    /// Size of what it takes; 0 of a model without nodes.
    pub fn input(&self) -> Extent {
        self.nodes.first().map_or(Extent::vector(0), |n| n.extent)
    }

    /// Number of logits; 0 of a model without nodes.
    pub fn classes(&self) -> usize {
        self.nodes.last().map_or(0, |n| n.extent.channels)
    }

    /// The sparse layers in order: those of the arena.
    pub fn sparse(&self) -> Vec<SparseNode> {
        let nodes = self.nodes.iter().enumerate();
        nodes
            .filter_map(|(node, n)| match n.op {
                Op::Sparse { window, bias, .. } => Some(SparseNode {
                    node,
                    name: n.name.clone(),
                    shape: Shape {
                        n_in: self.value(n, 0).channels.saturating_mul(window.taps()),
                        n_out: n.extent.channels,
                    },
                    window,
                    bias,
                }),
                _ => None,
            })
            .collect()
    }

    /// The sparse layers' sizes.
    pub fn shapes(&self) -> Vec<Shape> {
        self.sparse().iter().map(|l| l.shape).collect()
    }

    /// Size of the value that a node takes as its input number `i`; 0 where there is none.
    pub(super) fn value(&self, node: &Node, i: usize) -> Extent {
        let input = node.inputs.get(i).and_then(|&n| self.nodes.get(n));
        input.map_or(Extent::vector(0), |n| n.extent)
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
