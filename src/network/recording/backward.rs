//! What a node's layer sees in the backward pass, and where gradients go.

use super::node_pass::NodePass;
use super::recorder::{PassOptions, Recorder, Values};
use crate::dense::Products;
use crate::engine::{Plan, View};
use crate::error::{Error, Misfit, Result};
use crate::layer::pass::{Backward, Mode, Sink};
use crate::layer::{AddInto, Gelu, ShortcutPass, SparsePass};
use crate::network::phase;
use crate::topology::Observed;

/// What only a backward pass has.
struct Back<'a> {
    values: &'a mut Values,
    options: &'a PassOptions<'a>,
    delta: View,
}

impl NodePass<'_, Back<'_>> {
    /// The node that supplies an input.
    fn source(&self, i: usize) -> Result<usize> {
        let node = &self.recorder.model.nodes()[self.node];
        let source = node.inputs().get(i).copied();
        source.ok_or_else(|| {
            Error::Shape(Misfit::Undeclared {
                who: "a layer".to_owned(),
                what: format!("its input number {i}"),
            })
        })
    }
}

impl Backward for NodePass<'_, Back<'_>> {
    fn input(&mut self, plan: &mut Plan, i: usize) -> Result<View> {
        let source = self.source(i)?;
        self.recorder.recall(plan, self.own.values, source)
    }

    fn output(&mut self, plan: &mut Plan) -> Result<View> {
        (self.recorder).recall(plan, self.own.values, self.node)
    }

    fn delta(&self) -> View {
        self.own.delta.clone()
    }

    fn is_masked(&self) -> bool {
        self.own.values.masked[self.node]
    }

    fn sums(&self) -> Option<View> {
        self.own.values.sums[self.node].clone()
    }

    fn accumulates(&self) -> bool {
        self.own.options.adds_parameters()
    }

    fn sink(&mut self, i: usize) -> Result<Option<Sink>> {
        let source = self.source(i)?;
        self.recorder.sink(self.own.values, source)
    }

    fn pass_on(&mut self, plan: &mut Plan, i: usize, delta: View) -> Result<()> {
        let (source, node) = (self.source(i)?, self.node);
        (self.recorder).pass_on(plan, self.own.values, node, source, delta)
    }

    fn claim_mask(&mut self, i: usize) -> bool {
        let recorder = self.recorder;
        let Ok(source) = self.source(i) else {
            return false;
        };
        let mask = recorder.model.nodes()[source].layer().ends_in_relu()
            && recorder.consumers[source].len() == 1;
        self.own.values.masked[source] = mask;
        mask
    }

    fn claim_gelu(&mut self, i: usize) -> Option<View> {
        let recorder = self.recorder;
        let source = self.source(i).ok()?;
        let node = &recorder.model.nodes()[source];
        let alone = recorder.consumers[source].len() == 1;
        if !recorder.fuses() || !alone || node.layer_as::<Gelu>().is_none() {
            return None;
        }
        let taken = self.own.values.value[node.inputs()[0]].clone()?;
        self.own.values.masked[source] = true;
        Some(taken)
    }

    fn like_output(&self, what: &str) -> Result<View> {
        self.recorder.delta(self.node, what)
    }

    fn connection_gradients(
        &mut self,
        plan: &mut Plan,
        layer: &SparsePass,
        input: View,
        delta: View,
    ) -> Result<()> {
        let (recorder, options) = (self.recorder, self.own.options);
        let (arena, add) = (recorder.arena, options.accumulate);
        let number = recorder.numbers[self.node].connections;
        let l = number.ok_or_else(|| {
            Error::Shape(Misfit::Undeclared {
                who: "a layer".to_owned(),
                what: "connections".to_owned(),
            })
        })?;
        let inputs = [input.clone(), delta.clone()];
        match (options.tiles, recorder.products(self.node)) {
            (Some(tiles), _) => recorder.gradient_tiles(plan, l, layer, inputs, tiles)?,
            _ if !options.pass.gradients => {}
            (_, Products::Full { first }) => {
                layer.gradients_dense(plan, arena, first, inputs, add)?
            }
            _ if recorder.fuses() => {
                let slices = self.own.values.slices.as_ref().map(|slices| (slices, l));
                layer.gradients_fused(plan, arena, inputs, slices, add)?
            }
            _ => layer.gradients(plan, arena, input.clone(), delta.clone(), add)?,
        }
        let Some(round) = recorder.round else {
            return Ok(());
        };
        let phase = plan.phase(phase::ROUND);
        let observed = Observed {
            arena,
            layer: l,
            activation: input,
            delta,
            accumulate: add,
        };
        round.observe(plan, options.pass.observes, observed)?;
        plan.phase(phase);
        Ok(())
    }

    fn convolution_at_once(
        &mut self,
        plan: &mut Plan,
        layer: &SparsePass,
        delta: View,
    ) -> Result<bool> {
        (self.recorder).convolution_at_once(
            plan,
            self.own.values,
            self.own.options,
            (self.node, layer),
            delta,
        )
    }

    fn normalised_gradients(
        &mut self,
        plan: &mut Plan,
        layer: &SparsePass,
        delta: View,
    ) -> Result<bool> {
        let (recorder, options) = (self.recorder, self.own.options);
        let alone = options.trains_alone();
        let listed = !matches!(recorder.products(self.node), Products::Full { .. });
        let source = self.source(0)?;
        let normalised = match recorder.fuses() && alone && listed {
            true => recorder.normalised(self.own.values, source),
            false => None,
        };
        let Some(normalised) = normalised else {
            return Ok(false);
        };
        let number = recorder.numbers[self.node].connections;
        let slices = self.own.values.slices.as_ref().zip(number);
        let (arena, add) = (recorder.arena, options.accumulate);
        layer.gradients_normalised(plan, arena, (normalised, delta), slices, add)?;
        Ok(true)
    }
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
        let Some(delta) = values.delta[node]
            .clone()
            .filter(|_| self.requires_gradient[node])
        else {
            return Ok(());
        };
        let (parameters, saved) = (
            self.parameters_of(values, node)?,
            values.saved[node].clone(),
        );
        let back = Back {
            values,
            options,
            delta,
        };
        let mut pass = self.node_pass(node, parameters, saved, back);
        self.model.nodes()[node].layer().backward(plan, &mut pass)
    }

    /// The value of a node, recomputed if it was dropped after the forward pass.
    pub(super) fn recall(&self, plan: &mut Plan, values: &mut Values, node: usize) -> Result<View> {
        if values.value[node].is_none() {
            for &input in self.model.nodes()[node].inputs() {
                self.recall(plan, values, input)?;
            }
            self.forward(plan, values, node, Mode::Restore)?;
        }
        values.value(node)
    }

    /// Where the gradient at the value of `target` goes; nowhere if nothing before it requires one.
    pub(super) fn sink(&self, values: &mut Values, target: usize) -> Result<Option<Sink>> {
        if !self.requires_gradient[target] {
            return Ok(None);
        }
        if let Some(view) = values.delta[target].clone() {
            let accumulate = true;
            return Ok(Some(Sink { view, accumulate }));
        }
        let view = self.delta(target, "delta")?;
        values.delta[target] = Some(view.clone());
        Ok(Some(Sink {
            view,
            accumulate: false,
        }))
    }

    /// The gradient at `target`, an input of `node`, is `node`'s own gradient, `delta`, plus what other nodes add to
    /// it.
    fn pass_on(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        target: usize,
        delta: View,
    ) -> Result<()> {
        if !self.requires_gradient[target] {
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
        let extent = self.model.nodes()[target].extent();
        ShortcutPass {
            channels_in: extent.channels,
            channels_out: extent.channels,
            input: extent.plane(),
            stride: [1, 1],
            lanes: self.lanes(),
        }
        .forward(plan, delta, sink.view)
    }

    /// Whether the gradient at `target` can use the same memory as `node`'s, `delta`.
    ///
    /// Other nodes before `node` may use that memory as well. The backward pass goes from the last node to the first:
    /// nothing may be added to the gradient of one of them before the others have used theirs.
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
}
