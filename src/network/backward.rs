//! What each kind of node records in the backward pass: gradients of its parameters, and of its inputs' values.

use super::recorder::{Observe, PassOptions, Recorder, Values};
use super::section;
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::layer::{
    Activation, AddInto, BatchNormBackwardViews, BatchNormForwardViews, LayerNormBackwardViews,
    PaddedShortcut,
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
        if let Op::Sparse { .. }
        | Op::MaxPool(_)
        | Op::Gelu
        | Op::LayerNorm
        | Op::BatchNorm { .. }
        | Op::Attention { .. } = n.op
        {
            self.restore(plan, values, first)?;
        }
        match n.op {
            Op::Input => Ok(()),
            Op::Sparse { relu, .. } => {
                self.sparse_backward(plan, values, node, relu, delta, options)
            }
            Op::BatchNorm { .. } => self.batch_norm_backward(plan, values, node, delta, options),
            Op::LayerNorm => self.layer_norm_backward(plan, values, node, delta, options),
            Op::Flatten | Op::Positions | Op::Add => (n.inputs.iter())
                .try_for_each(|&input| self.pass_on(plan, values, node, input, delta.clone())),
            _ => {
                let Some(sink) = self.sink(values, first)? else {
                    return Ok(());
                };
                self.plain_backward(plan, values, node, delta, sink)
            }
        }
    }

    /// Makes the value of a norm again that was dropped after the forward pass.
    fn restore(&self, plan: &mut Plan, values: &mut Values, node: usize) -> Result<()> {
        let n = &self.model.nodes[node];
        let (None, Some(saved), Some(&from)) = (
            &values.value[node],
            values.saved[node].clone(),
            n.inputs.first(),
        ) else {
            return Ok(());
        };
        let input = self.value(values, from);
        let output = self.tensor(node, "output", self.words(node))?;
        values.value[node] = Some(output.clone());
        let step = self.fixed.step.all();
        match n.op {
            Op::BatchNorm { .. } => {
                let views = BatchNormForwardViews {
                    input,
                    residual: None,
                    output,
                    saved,
                };
                self.batch_norm(node)
                    .forward_again(plan, self.norms, &step, views)
            }
            _ => self
                .layer_norm(node)
                .forward(plan, self.norms, &step, input, output, saved),
        }
    }

    /// Nodes with one input and no parameters.
    fn plain_backward(
        &self,
        plan: &mut Plan,
        values: &Values,
        node: usize,
        delta: View,
        sink: Sink,
    ) -> Result<()> {
        let n = &self.model.nodes[node];
        let (input, output) = (self.value(values, n.inputs[0]), self.value(values, node));
        let Sink { view, accumulate } = sink;
        let words = self.words(node);
        match n.op {
            Op::Relu => Activation::Relu.backward(plan, output, delta, view, words, accumulate),
            Op::Gelu => Activation::Gelu.backward(plan, input, delta, view, words, accumulate),
            Op::Shortcut { .. } => self.shortcut(node).backward(plan, delta, view, accumulate),
            Op::MaxPool(window) => self
                .max_pool(node, window)
                .backward(plan, input, output, delta, view, accumulate),
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
                self.written(plan, node, view, accumulate, |plan, view| {
                    let attention = self.attention(node, heads, dim);
                    let scratch = self.scratch("attention.scratch", attention.scratch_words());
                    let saved = self.saved(values, node);
                    attention.backward(plan, input, saved, delta, scratch, view)
                })
            }
            _ => Ok(()),
        }
    }

    fn sparse_backward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        relu: bool,
        mut delta: View,
        options: &PassOptions<'_>,
    ) -> Result<()> {
        let layer = self.sparse_layer(node);
        let (l, from) = (self.index[node], self.model.nodes[node].inputs[0]);
        if relu && !values.masked[node] {
            let masked = self.tensor(node, "masked_delta", self.words(node))?;
            let output = self.value(values, node);
            let words = self.words(node);
            Activation::Relu.backward(plan, output, delta, masked.clone(), words, false)?;
            delta = masked;
        }
        let input = self.value(values, from);
        let (x, d, add) = (input.clone(), delta.clone(), options.accumulate);
        if options.gradients {
            layer.gradients(plan, self.arena, x.clone(), d.clone(), add)?;
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
        layer.backward(plan, self.arena, delta, mask, view, accumulate)
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
        let views = |output: View| BatchNormBackwardViews {
            input: self.value(values, inputs[0]),
            delta,
            activation: (inputs.len() > 1).then(|| self.value(values, node)),
            saved: self.saved(values, node),
            output,
            residual: residual.map(|sink| (sink.view, sink.accumulate)),
        };
        let scratch = self.norm_scratch(&norm);
        let step = self.fixed.step.all();
        let Sink { view, accumulate } = output;
        self.written(plan, node, view, accumulate, |plan, view| {
            norm.backward(
                plan,
                self.norms,
                &scratch,
                &step,
                views(view),
                options.accumulate,
            )
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
            input: self.value(values, from),
            delta,
            saved: self.saved(values, node),
            output: output.map(|sink| (sink.view, sink.accumulate)),
        };
        self.layer_norm(node)
            .backward(plan, self.norms, views, options.accumulate)
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
            lanes: self.stride,
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

    fn saved(&self, values: &Values, node: usize) -> View {
        match &values.saved[node] {
            Some(view) => view.clone(),
            // Recorded by the forward pass of every node that has something to save.
            None => self.fixed.step.all(),
        }
    }
}
