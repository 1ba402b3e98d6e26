//! What each kind of node records in the backward pass: gradients of its parameters, and of its inputs' values.

use super::recorder::{Observe, PassOptions, Recorder, Values, WeightGradients};
use super::section;
use crate::dense::Products;
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::layer::{
    Activation, AddInto, BatchNormBackwardViews, BatchNormForwardViews, LayerNormBackwardViews,
    PaddedShortcut, SparseLayer,
};
use crate::model::Op;

/// Where a gradient goes.
pub(super) struct Sink {
    pub view: View,
    /// Whether another layer wrote there before, and this one adds to it.
    pub accumulate: bool,
}

impl Recorder<'_> {
    /// Records the backward pass of `node`, whose own gradient is complete.
    pub fn backward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        options: &PassOptions<'_>,
    ) -> Result<()> {
        let n = &self.model.nodes[node];
        let Some(delta) = values.delta[node].clone().filter(|_| self.learns[node]) else {
            return Ok(());
        };
        let Some(&first) = n.inputs.first() else {
            return Ok(());
        };
        match n.op {
            Op::Input => Ok(()),
            Op::Sparse { window, bias, relu } => {
                let layer = self.sparse_layer(node, window, bias, relu);
                self.sparse_backward(plan, values, node, layer, delta, options)
            }
            Op::BatchNorm { .. } => self.batch_norm_backward(plan, values, node, delta, options),
            Op::LayerNorm => self.layer_norm_backward(plan, values, node, delta, options),
            Op::Flatten | Op::Positions | Op::Add => (n.inputs.iter())
                .try_for_each(|&input| self.pass_on(plan, values, node, input, delta.clone())),
            Op::Relu
            | Op::Gelu
            | Op::Shortcut { .. }
            | Op::MaxPool(_)
            | Op::AveragePool(_)
            | Op::Mean
            | Op::Dropout(_)
            | Op::Patchify(_)
            | Op::Attention { .. } => match self.sink(values, first)? {
                Some(sink) => self.plain_backward(plan, values, node, delta, sink),
                None => Ok(()),
            },
        }
    }

    /// The value of a node, made again if it is that of a norm which was dropped after the forward pass.
    fn recall(&self, plan: &mut Plan, values: &mut Values, node: usize) -> Result<View> {
        if let Some(view) = &values.value[node] {
            return Ok(view.clone());
        }
        let n = &self.model.nodes[node];
        let saved = values.saved(node)?;
        let input = self.recall(plan, values, n.inputs[0])?;
        let output = self.tensor(node, "output", self.words(node))?;
        values.value[node] = Some(output.clone());
        let step = self.fixed.step.all();
        if n.op == Op::LayerNorm {
            let norm = self.layer_norm(node);
            norm.forward(plan, self.norms, &step, input, output.clone(), saved)?;
            return Ok(output);
        }
        let views = BatchNormForwardViews {
            input,
            residual: None,
            output: output.clone(),
            saved,
        };
        let norm = self.batch_norm(node);
        norm.forward_again(plan, self.norms, &step, views)?;
        Ok(output)
    }

    /// Nodes with one input and no parameters.
    fn plain_backward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        delta: View,
        sink: Sink,
    ) -> Result<()> {
        let n = &self.model.nodes[node];
        let from = n.inputs[0];
        let Sink { view, accumulate } = sink;
        let words = self.words(node);
        match n.op {
            Op::Relu => {
                let output = self.recall(plan, values, node)?;
                Activation::Relu.backward(plan, output, delta, view, words, accumulate)
            }
            Op::Gelu => {
                let input = self.recall(plan, values, from)?;
                Activation::Gelu.backward(plan, input, delta, view, words, accumulate)
            }
            Op::Shortcut { stride } => self
                .shortcut(node, stride)
                .backward(plan, delta, view, accumulate),
            Op::MaxPool(window) => {
                let input = self.recall(plan, values, from)?;
                let output = values.value(node)?;
                self.max_pool(node, window)
                    .backward(plan, input, output, delta, view, accumulate)
            }
            Op::AveragePool(window) => self
                .average_pool(node, window)
                .backward(plan, delta, view, accumulate),
            Op::Mean => self.mean(node).backward(plan, delta, view, accumulate),
            Op::Dropout(share) => {
                let step = self.fixed.step.all();
                self.dropout(node, share)
                    .backward(plan, step, delta, view, accumulate)
            }
            Op::Patchify(patch) => self.written(plan, node, view, accumulate, |plan, view| {
                self.patchify(node, patch)?.backward(plan, delta, view)
            }),
            Op::Attention { heads, dim } => {
                let input = self.recall(plan, values, from)?;
                let saved = values.saved(node)?;
                self.written(plan, node, view, accumulate, |plan, view| {
                    let attention = self.attention(node, heads, dim);
                    let scratch = self.scratch("attention.scratch", attention.scratch_words());
                    attention.backward(plan, input, saved, delta, scratch, view)
                })
            }
            // These have parameters, or pass their gradient on as it is.
            Op::Input
            | Op::Sparse { .. }
            | Op::BatchNorm { .. }
            | Op::LayerNorm
            | Op::Flatten
            | Op::Positions
            | Op::Add => Ok(()),
        }
    }

    fn sparse_backward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        layer: SparseLayer,
        mut delta: View,
        options: &PassOptions<'_>,
    ) -> Result<()> {
        let (l, from) = (self.index[node], self.model.nodes[node].inputs[0]);
        if layer.relu && !values.masked[node] {
            let masked = self.tensor(node, "masked_delta", self.words(node))?;
            let output = values.value(node)?;
            let words = self.words(node);
            Activation::Relu.backward(plan, output, delta, masked.clone(), words, false)?;
            delta = masked;
        }
        let input = self.recall(plan, values, from)?;
        let (x, d, add) = (input.clone(), delta.clone(), options.accumulate);
        match (options.gradients, self.products(node)) {
            (WeightGradients::Nowhere, _) => {}
            (WeightGradients::Tiles(tiles), _) => {
                self.gradient_tiles(plan, l, &layer, [x.clone(), d.clone()], tiles)?
            }
            (WeightGradients::Whole, Products::Full { first }) => {
                layer.gradients_dense(plan, self.arena, first, [x.clone(), d.clone()], add)?
            }
            (WeightGradients::Whole, _) => {
                layer.gradients(plan, self.arena, x.clone(), d.clone(), add)?
            }
        }
        let section = plan.section(section::ROUND);
        match options.observe {
            Observe::Nothing => {}
            Observe::Statistics(round) => round.record_statistics(plan, l, x, d, add)?,
            Observe::Scores(round, method) => {
                round.record_scores(plan, method, self.arena, l, x, d, add)?
            }
        }
        plan.section(section);
        let Some(Sink { view, accumulate }) = self.sink(values, from)? else {
            return Ok(());
        };
        // The ReLU before this layer is passed back through in the same store, where nothing else adds to the gradient.
        let source = &self.model.nodes[from].op;
        let mask = matches!(source, Op::Sparse { relu: true, .. })
            && layer.window.is_pointwise()
            && self.consumers[from].len() == 1;
        values.masked[from] = mask;
        let mask = mask.then_some(input);
        match self.dense_weights(plan, node, &layer)? {
            Some(weights) => layer.backward_dense(plan, weights, delta, mask, view, accumulate),
            None => layer.backward(plan, self.arena, delta, mask, view, accumulate),
        }
    }

    fn batch_norm_backward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        delta: View,
        options: &PassOptions<'_>,
    ) -> Result<()> {
        let inputs = &self.model.nodes[node].inputs;
        let norm = self.batch_norm(node);
        let residual = match inputs.get(1) {
            Some(&residual) => self.sink(values, residual)?,
            None => None,
        };
        // The gradients of scale and shift come with the input's, wanted or not.
        let output = match self.sink(values, inputs[0])? {
            Some(sink) => sink,
            None => Sink {
                view: self.scratch("unwanted delta", self.words(node)),
                accumulate: false,
            },
        };
        let input = self.recall(plan, values, inputs[0])?;
        let activation = match inputs.len() > 1 {
            true => Some(values.value(node)?),
            false => None,
        };
        let saved = values.saved(node)?;
        let (norms, add) = (values.norms.clone(), options.adds_parameters());
        let views = |output: View| BatchNormBackwardViews {
            input,
            delta,
            activation,
            saved,
            output,
            residual: residual.map(|sink| (sink.view, sink.accumulate)),
        };
        let scratch = self.norm_scratch(&norm);
        let step = self.fixed.step.all();
        let Sink { view, accumulate } = output;
        self.written(plan, node, view, accumulate, |plan, view| {
            norm.backward(plan, &norms, &scratch, &step, views(view), add)
        })
    }

    fn layer_norm_backward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        delta: View,
        options: &PassOptions<'_>,
    ) -> Result<()> {
        let from = self.model.nodes[node].inputs[0];
        let output = self.sink(values, from)?;
        let views = LayerNormBackwardViews {
            input: self.recall(plan, values, from)?,
            delta,
            saved: values.saved(node)?,
            output: output.map(|sink| (sink.view, sink.accumulate)),
        };
        let add = options.adds_parameters();
        (self.layer_norm(node)).backward(plan, &values.norms, views, add)
    }

    /// Where the gradient at the value of `target` goes; nowhere if nothing before it learns.
    fn sink(&self, values: &mut Values, target: usize) -> Result<Option<Sink>> {
        if !self.learns[target] {
            return Ok(None);
        }
        if let Some(view) = values.delta[target].clone() {
            let accumulate = true;
            return Ok(Some(Sink { view, accumulate }));
        }
        let view = self.tensor(target, "delta", self.words(target))?;
        values.delta[target] = Some(view.clone());
        Ok(Some(Sink {
            view,
            accumulate: false,
        }))
    }

    /// The gradient at `target`, which `node` takes, is that of `node`, `delta`, and what other nodes add to it.
    fn pass_on(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        target: usize,
        delta: View,
    ) -> Result<()> {
        if !self.learns[target] {
            return Ok(());
        }
        if let Some(sum) = values.delta[target].clone() {
            return AddInto::record(plan, delta, sum, self.words(target));
        }
        if !self.options.keep && self.may_share(values, node, target, &delta) {
            values.delta[target] = Some(delta);
            return Ok(());
        }
        let Some(sink) = self.sink(values, target)? else {
            return Ok(());
        };
        // A shortcut that takes every position and adds no channel is a copy.
        let extent = self.model.nodes[target].extent;
        PaddedShortcut {
            channels_in: extent.channels,
            channels_out: extent.channels,
            input: extent.plane(),
            stride: [1, 1],
            lanes: self.stride(),
        }
        .forward(plan, delta, sink.view)
    }

    /// Whether the gradient at `target` can be the very memory of `node`'s, `delta`.
    ///
    /// Other nodes before `node` may have that memory as well. Nodes are passed back from the last to the first: nothing may be
    /// added to the gradient of one of them before the others have used theirs.
    fn may_share(&self, values: &Values, node: usize, target: usize, delta: &View) -> bool {
        let adds = |value: usize| (self.consumers[value].iter().copied()).filter(|&c| c < node);
        let same = |view: &View| {
            view.buffer.same_as(&delta.buffer) && view.range.start == delta.range.start
        };
        let others = (0..node).filter(|&o| values.delta[o].as_ref().is_some_and(same));
        let once = self.consumers[target]
            .iter()
            .filter(|&&c| c == node)
            .count()
            == 1;
        once && others.into_iter().all(|other| {
            adds(target).all(|adder| adder < other) && adds(other).all(|adder| adder < target)
        })
    }

    /// For kernels that only write: into `view`, or into work space that is then added to it.
    fn written(
        &self,
        plan: &mut Plan,
        node: usize,
        view: View,
        accumulate: bool,
        record: impl FnOnce(&mut Plan, View) -> Result<()>,
    ) -> Result<()> {
        if !accumulate {
            return record(plan, view);
        }
        let words = self.words(self.model.nodes[node].inputs[0]);
        let part = self.scratch("part of a delta", words);
        record(plan, part.clone())?;
        AddInto::record(plan, part, view, words)
    }
}
