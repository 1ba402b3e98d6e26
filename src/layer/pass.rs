//! What a layer sees while its dispatches are recorded.

use super::add::AddInto;
use super::dense_pass::DenseWeights;
use super::extent::Extent;
use super::parameters::LayerParameters;
use super::sparse_pass::SparsePass;
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::sparse::{Arena, LayerSpan, Normalised};

/// How a forward pass treats what differs between training and evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The batch's own statistics, which move the running ones; dropout.
    Train,
    /// The same, recomputed: nothing moves.
    Again,
    /// The value alone, from the input and what [`Pass::saved`] holds; requested from layers that
    /// [can](super::Layer::restores).
    Restore,
    /// Running statistics, no dropout.
    Evaluate,
}

/// A place where a gradient goes.
pub struct Sink {
    /// The memory, shaped like the value.
    pub view: View,
    /// Whether another layer wrote there before, so that this one adds to it.
    pub accumulate: bool,
}

/// What forward and backward have in common.
pub trait Pass {
    /// Lanes of the batch, including padding: a multiple of 4.
    fn lanes(&self) -> usize;

    /// Whether consecutive kernels run as one if there is a fused kernel for both.
    fn fuses(&self) -> bool;

    /// What the forward pass is for; in a backward pass, what the one was for that it goes back through. A backward pass
    /// through an evaluation ([`Mode::Evaluate`]) gives the gradient at a network's input.
    fn mode(&self) -> Mode;

    /// The layer's number in its model, on which its random numbers depend.
    fn number(&self) -> usize;

    /// Sizes of its inputs.
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

    /// What its forward pass leaves for its backward pass, [as many words](super::Layer::saved_words) as it declared.
    ///
    /// # Errors
    /// It leaves nothing.
    fn saved(&self) -> Result<View>;

    /// Scratch memory for one or two dispatches.
    fn scratch(&self, label: &str, words: usize) -> View;

    /// The connections of all layers, and where its own are among them.
    ///
    /// # Errors
    /// It has none.
    fn connections(&self) -> Result<(&Arena, LayerSpan)>;

    /// The layer's weight matrix if its products are dense; it may be recorded here.
    ///
    /// # Errors
    /// The views do not fit.
    fn dense_weights(&self, plan: &mut Plan, layer: &SparsePass) -> Result<Option<DenseWeights>>;
}

/// A forward pass.
pub trait Forward: Pass {
    /// The value of an input, `[channels][positions][lanes]`.
    ///
    /// # Errors
    /// There is no input with this number.
    fn input(&self, i: usize) -> Result<View>;

    /// Where the layer's value goes, `[channels][positions][lanes]`. A padding lane can hold any finite number.
    fn output(&self) -> View;

    /// Memory of `words` words for [statistics](crate::sparse::ConvStatistics) of the layer's value by parts, if that
    /// goes into a batch norm of a training step. If it is requested, it must be filled.
    fn statistics_room(&self, words: usize) -> Option<View>;

    /// Such statistics of the first input, if its layer left some.
    fn statistics(&self) -> Option<View>;

    /// Whether the layer's value is not to be written, because the layer that takes it [recomputes
    /// it](Self::normalised) at each load: only for a batch norm with such statistics.
    fn is_left_out(&self) -> bool;

    /// What the first input is the norm of, if it was left out.
    fn normalised(&self) -> Option<Normalised>;

    /// What the next layer sees, if this one [joins](super::Layer::joins) it and has to record its value as well.
    fn next(&self) -> Option<&dyn Forward>;
}

/// A backward pass.
pub trait Backward: Pass {
    /// The value of an input; if it was dropped, it is recomputed now.
    ///
    /// # Errors
    /// There is no input with this number.
    fn input(&mut self, plan: &mut Plan, i: usize) -> Result<View>;

    /// The layer's value, in the same way.
    ///
    /// # Errors
    /// Views that do not fit.
    fn output(&mut self, plan: &mut Plan) -> Result<View>;

    /// The complete gradient at the layer's value. Padding lanes hold zero, and must hold zero in everything computed
    /// from it.
    fn delta(&self) -> View;

    /// Whether that gradient already went back through the layer's own ReLU or GELU.
    fn is_masked(&self) -> bool;

    /// The [sums](crate::sparse::ConvBackward) over that gradient by parts, if the layer that completed it left some.
    fn sums(&self) -> Option<View>;

    /// Whether gradients of parameters are added to those of the batch's earlier parts.
    fn accumulates(&self) -> bool;

    /// Where the gradient at an input goes; nowhere if nothing before it has parameters. Must be called once for each
    /// input.
    ///
    /// # Errors
    /// There is no input with this number.
    fn sink(&mut self, i: usize) -> Result<Option<Sink>>;

    /// The gradient at an input is `delta` unchanged, plus what other layers add to it.
    ///
    /// # Errors
    /// Views that do not fit.
    fn pass_on(&mut self, plan: &mut Plan, i: usize, delta: View) -> Result<()>;

    /// Whether the store that writes the gradient at an input can take it back through the ReLU that made that input:
    /// the input ends in a ReLU and no other layer takes it. From then on that gradient counts as
    /// [masked](Backward::is_masked).
    fn claim_mask(&mut self, i: usize) -> bool;

    /// If the store that writes the gradient at an input can take it back through the GELU that made that input, the
    /// GELU's own input: no other layer takes the GELU's output. From then on that gradient counts as
    /// [masked](Backward::is_masked).
    fn claim_gelu(&mut self, i: usize) -> Option<View>;

    /// Memory as large as the layer's value.
    ///
    /// # Errors
    /// The device refuses it.
    fn like_output(&self, what: &str) -> Result<View>;

    /// Records the gradients of the layer's connections and biases, and what a round needs to know about them.
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

    /// Records the whole backward pass of a convolution, including the gradient at its input, if there is one dispatch
    /// for it; returns whether that was recorded.
    ///
    /// # Errors
    /// The views do not fit.
    fn convolution_at_once(
        &mut self,
        plan: &mut Plan,
        layer: &SparsePass,
        delta: View,
    ) -> Result<bool>;

    /// As [`connection_gradients`](Self::connection_gradients) if the layer's input was dropped and is the norm of
    /// another value, which the kernel reads instead; returns whether that was recorded.
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
    /// For kernels that write and cannot add: records into the sink of input `i`, or into scratch memory that is then
    /// added to it.
    ///
    /// # Errors
    /// As for `record`.
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
