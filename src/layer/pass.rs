//! What a layer sees while its dispatches are recorded.

use super::add::AddInto;
use super::dense_pass::DenseWeights;
use super::extent::Extent;
use super::parameters::LayerParameters;
use super::sparse_pass::SparsePass;
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::sparse::{Arena, LayerSpan, Normalised};

/// How a forward pass treats what training and evaluation differ in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own statistics, which move the running ones; dropout.
    Train,
    /// The same computed again: nothing moves.
    Again,
    /// The value alone, from the input and what [`Pass::saved`] holds; asked of layers that
    /// [can](super::Layer::restores).
    Restore,
    /// Running statistics, no dropout.
    Evaluate,
}

/// A place where a gradient goes.
pub struct Sink {
    /// The memory, shaped as the value.
    pub view: View,
    /// Whether another layer wrote there before, and this one adds to it.
    pub accumulate: bool,
}

/// What forward and backward have in common.
pub trait Pass {
    /// Lanes of the batch, padding included: a multiple of 4.
    fn lanes(&self) -> usize;

    /// Whether kernels that follow each other are one, where there is one for both.
    fn fuses(&self) -> bool;

    /// The layer's number in its model: what its random numbers depend on.
    fn number(&self) -> usize;

    /// Sizes of the values that it takes.
    fn inputs(&self) -> &[Extent];

    /// Size of its value.
    fn extent(&self) -> Extent;

    /// The uniform that changes from step to step.
    fn step(&self) -> View;

    /// Its dense parameters.
    ///
    /// # Errors
    /// It has none.
    fn parameters(&self) -> Result<LayerParameters>;

    /// Its [constants](super::Layer::constants).
    ///
    /// # Errors
    /// It has none.
    fn constants(&self) -> Result<View>;

    /// What its forward pass leaves for its backward pass, of [as many words](super::Layer::saved_words) as it said.
    ///
    /// # Errors
    /// It leaves nothing.
    fn saved(&self) -> Result<View>;

    /// Work space of a dispatch or two.
    fn scratch(&self, label: &str, words: usize) -> View;

    /// The connections of all layers, and where its own lie among them.
    ///
    /// # Errors
    /// It has none.
    fn connections(&self) -> Result<(&Arena, LayerSpan)>;

    /// The layer's weight matrix, where its products are dense; may be recorded here.
    ///
    /// # Errors
    /// Views that do not fit.
    fn dense_weights(&self, plan: &mut Plan, layer: &SparsePass) -> Result<Option<DenseWeights>>;
}

/// A forward pass.
pub trait Forward: Pass {
    /// What it is for.
    fn mode(&self) -> Mode;

    /// The value of an input, `[channels][positions][lanes]`.
    ///
    /// # Errors
    /// There is none of this number.
    fn input(&self, i: usize) -> Result<View>;

    /// Where the layer's value goes, `[channels][positions][lanes]`. A padding lane may hold any finite number.
    fn output(&self) -> View;

    /// Memory of so many words for [statistics](crate::sparse::ConvStatistics) of the layer's value by parts, where that
    /// goes into a batch norm of a training step. What is asked for must be filled.
    fn statistics_room(&self, words: usize) -> Option<View>;

    /// Such statistics of the first input, where its layer left some.
    fn statistics(&self) -> Option<View>;

    /// Whether the layer's value is not to be written, for the one that takes it [makes it](Self::normalised) at each
    /// load: only of a batch norm for which there are statistics.
    fn is_left_out(&self) -> bool;

    /// What the first input is the norm of, where it was left out.
    fn normalised(&self) -> Option<Normalised>;

    /// What the next layer sees, where this one [joins](super::Layer::joins) it and has to record its value as well.
    fn next(&self) -> Option<&dyn Forward>;
}

/// A backward pass.
pub trait Backward: Pass {
    /// The value of an input; where it was dropped it is computed again, now.
    ///
    /// # Errors
    /// There is none of this number.
    fn input(&mut self, plan: &mut Plan, i: usize) -> Result<View>;

    /// The layer's value, likewise.
    ///
    /// # Errors
    /// Views that do not fit.
    fn output(&mut self, plan: &mut Plan) -> Result<View>;

    /// The gradient at the layer's value, complete. Padding lanes hold zero, and must in what is made of it.
    fn delta(&self) -> View;

    /// Whether that gradient went back through the layer's own ReLU or GELU already.
    fn is_masked(&self) -> bool;

    /// The [sums](crate::sparse::ConvBackward) over that gradient by parts, where the layer that completed it left some.
    fn sums(&self) -> Option<View>;

    /// Whether gradients of parameters are added to those of the batch's earlier parts.
    fn accumulates(&self) -> bool;

    /// Where the gradient at an input goes; nowhere if nothing before it has parameters. To be asked once for each
    /// input.
    ///
    /// # Errors
    /// There is no input of this number.
    fn sink(&mut self, i: usize) -> Result<Option<Sink>>;

    /// The gradient at an input is `delta` as it is, besides what other layers add to it.
    ///
    /// # Errors
    /// Views that do not fit.
    fn pass_on(&mut self, plan: &mut Plan, i: usize, delta: View) -> Result<()>;

    /// Whether the gradient at an input may go back through the ReLU that made it in the store that writes it: the
    /// value ends in a ReLU and nothing else takes it. From then on that gradient counts as
    /// [masked](Backward::is_masked).
    fn claim_mask(&mut self, i: usize) -> bool;

    /// Where the gradient at an input may go back through the GELU that made that input in the store that writes it,
    /// what went into the GELU: nothing else takes what came out. From then on that gradient counts as
    /// [masked](Backward::is_masked).
    fn claim_gelu(&mut self, i: usize) -> Option<View>;

    /// Memory as large as the layer's value.
    ///
    /// # Errors
    /// A device that refuses it.
    fn like_output(&self, what: &str) -> Result<View>;

    /// Records the gradients of the layer's connections and biases, and what a round wants to know of them.
    ///
    /// # Errors
    /// Views that do not fit.
    fn connection_gradients(
        &mut self,
        plan: &mut Plan,
        layer: &SparsePass,
        input: View,
        delta: View,
    ) -> Result<()>;

    /// Records the whole backward pass of a convolution, the gradient at its input included, where there is one dispatch
    /// for it: whether that was recorded.
    ///
    /// # Errors
    /// Views that do not fit.
    fn convolution_at_once(
        &mut self,
        plan: &mut Plan,
        layer: &SparsePass,
        delta: View,
    ) -> Result<bool>;

    /// As [`connection_gradients`](Self::connection_gradients) where the layer's input was dropped and is the norm of
    /// another value, which the kernel takes in its place: whether that was recorded.
    ///
    /// # Errors
    /// Views that do not fit.
    fn normalised_gradients(
        &mut self,
        plan: &mut Plan,
        layer: &SparsePass,
        delta: View,
    ) -> Result<bool>;
}

impl dyn Backward + '_ {
    /// For kernels that write and cannot add: records into the sink of input `i`, or into work space that is then added
    /// to it.
    ///
    /// # Errors
    /// As `record`'s.
    pub fn write_only(
        &mut self,
        plan: &mut Plan,
        i: usize,
        sink: Sink,
        record: impl FnOnce(&mut Plan, View) -> Result<()>,
    ) -> Result<()> {
        if !sink.accumulate {
            return record(plan, sink.view);
        }
        let words = self.inputs()[i].size() * self.lanes();
        let part = self.scratch("part of a delta", words);
        record(plan, part.clone())?;
        AddInto::record(plan, part, sink.view, words)
    }
}
