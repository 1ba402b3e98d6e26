//! What a layer is: one trait, which layers of this crate and of others implement.

use std::any::Any;
use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::extent::Extent;
use super::operation::Operation;
use super::parameter_state::Parameter;
use super::pass::{Backward, Forward, Mode};
use crate::engine::Plan;
use crate::error::Result;
use crate::sparse::Window;

/// A layer of a model: what it computes from its inputs, forward and backward.
///
/// A layer is a description. It holds no memory: a network asks it for its sizes, allocates what it needs, and lets it
/// record its dispatches into plans. `inputs` are the sizes of its input values, in order. A custom layer brings its
/// own kernels ([`kernel!`](crate::kernel!)) and goes into a model by [`Builder::layer`](crate::model::Builder::layer);
/// `examples/custom_layer` is one with parameters.
pub trait Layer: Any + Debug + Send + Sync {
    /// Its kind in messages and files: "batch-norm".
    fn kind(&self) -> &'static str;

    /// How many inputs it takes.
    fn arity(&self) -> RangeInclusive<usize> {
        1..=1
    }

    /// The size of its value.
    ///
    /// # Errors
    /// Why it cannot take these inputs.
    fn output(&self, inputs: &[Extent]) -> Result<Extent, String>;

    /// Its sparse connections, if it has any: the arena holds them, and rounds exchange them.
    fn connections(&self, _inputs: &[Extent]) -> Option<Connections> {
        None
    }

    /// Its dense parameters and what it keeps from batch to batch, in the order of files.
    fn parameters(&self, _inputs: &[Extent]) -> Vec<Parameter> {
        Vec::new()
    }

    /// Fixed numbers that it reads through [`Pass::constants`](super::pass::Pass::constants).
    ///
    /// # Errors
    /// Sizes for which there are none.
    fn constants(&self, _inputs: &[Extent]) -> Result<Vec<f32>> {
        Ok(Vec::new())
    }

    /// Words that its forward pass leaves for its backward pass, besides its value, with `lanes` lanes. Together with
    /// the sizes of its parameters and of its value, that is the layer's memory.
    fn saved_words(&self, _inputs: &[Extent], _lanes: usize) -> usize {
        0
    }

    /// Floating-point operations of the products in one sample's forward pass, besides those of its connections, which
    /// are two per connection and position. Element-wise work is not counted, as in Evci et al. 2020.
    fn flops(&self, _inputs: &[Extent]) -> f64 {
        0.0
    }

    /// Records its value, computed from its inputs.
    ///
    /// # Errors
    /// The views do not fit.
    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()>;

    /// Records the gradients of its parameters and at its inputs, computed from the gradient at its value. A layer whose
    /// value in an evaluation is another one than in training goes back through the one that the pass
    /// [is for](super::pass::Pass::mode).
    ///
    /// # Errors
    /// The views do not fit.
    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()>;

    /// Whether its value uses the memory of its input, so that the forward pass has nothing to record.
    fn is_alias(&self, _mode: Mode) -> bool {
        false
    }

    /// Whether its forward pass can record the value of `next` with its own; `next` is the model's next layer and takes
    /// only this layer's value. If kernels are fused, it then [must](Forward::next).
    fn joins(&self, _next: &dyn Layer) -> bool {
        false
    }

    /// Whether its value is that of a ReLU, and its backward pass can take a gradient that already went back through it
    /// ([`Backward::is_masked`]).
    fn ends_in_relu(&self) -> bool {
        false
    }

    /// Whether one pass over its input and what it saved recomputes its value ([`Mode::Restore`]), so that the value
    /// need not stay until the backward pass.
    fn restores(&self) -> bool {
        false
    }

    /// Whether its value is the batch norm of its first input, given by what it saved (`[4][channels]`: mean, inverse
    /// standard deviation, weight, bias), plus a second input if there is one, and if so, whether a ReLU follows. If
    /// there is one input, a kernel can then read that instead of the value; its forward pass may find
    /// [statistics](super::pass::Forward::statistics), and its backward pass a gradient that already [went
    /// back](Backward::is_masked) through the ReLU, and [sums](Backward::sums) over it.
    fn normalises(&self) -> Option<bool> {
        None
    }

    /// What it computes in an evaluation from inputs of these sizes, for exporting networks to other programs; `None`
    /// if no [`Operation`] is that: then networks with this layer cannot be exported.
    fn operation(&self, _inputs: &[Extent]) -> Option<Operation> {
        None
    }

    /// What remains of it, with `inputs` inputs, in the linear network underlying a model, in the sense of Tanaka et
    /// al. 2020.
    fn linear(&self, inputs: usize) -> Linear;
}

/// The sparse connections of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// Output units.
    pub units: usize,
    /// How output positions read input positions.
    pub window: Window,
    /// Whether each output unit has a bias.
    pub bias: bool,
}

/// What replaces a layer in the linear network underlying a model.
#[derive(Clone, Debug)]
pub enum Linear {
    /// The layer itself.
    Same,
    /// Another layer.
    Instead(Arc<dyn Layer>),
    /// Nothing: its value is its input.
    Identity,
    /// It has no separate linear part.
    None,
}
