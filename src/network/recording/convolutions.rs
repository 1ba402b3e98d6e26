//! Convolutions beside batch norms: which norms are computed at a convolution's loads, and the backward pass of
//! convolutions in one dispatch, with its part of the backward pass of the norms before them.

use super::recorder::{PassOptions, Recorder, Values};
use crate::dense::Products;
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::layer::pass::Mode;
use crate::layer::{Sparse, SparsePass};
use crate::network::options::NetworkOptions;
use crate::sparse::{ConvBackward, ConvBackwardParams, ConvBackwardViews, NormBefore, Normalised};

impl Recorder<'_> {
    /// What the value of `source` is the norm of, if that value was dropped or left out.
    pub(super) fn normalised(&self, values: &Values, source: usize) -> Option<Normalised> {
        let node = &self.model.nodes()[source];
        let relu = node.layer().normalises()?;
        match (node.inputs(), &values.value[source]) {
            (&[before], None) => Some(Normalised {
                input: values.value[before].clone()?,
                saved: values.saved[source].clone()?,
                relu,
                step: self.buffers.step.all(),
            }),
            _ => None,
        }
    }

    /// Whether the value of a batch norm is not written in a pass: only a convolution takes it, which recomputes it at
    /// each load.
    pub(super) fn is_left_out(&self, values: &Values, node: usize, mode: Mode) -> Result<bool> {
        let norm = &self.model.nodes()[node];
        let statistics = match norm.inputs() {
            &[before] => values.statistics[before].is_some(),
            _ => false,
        };
        let NetworkOptions {
            keep, recompute, ..
        } = self.options;
        let trains = matches!(mode, Mode::Train | Mode::Again);
        if !self.fuses() || !trains || keep || recompute || !statistics {
            return Ok(false);
        }
        match (norm.layer().normalises(), &self.consumers[node][..]) {
            (Some(_), &[next]) => self.normalises_at_loads(next),
            _ => Ok(false),
        }
    }

    /// Whether a node is a convolution that can take its input through a norm, and whose value goes into a norm, too.
    fn normalises_at_loads(&self, node: usize) -> Result<bool> {
        let (Some(layer), Some(connections)) = (
            self.model.nodes()[node].layer_as::<Sparse>(),
            self.numbers[node].connections,
        ) else {
            return Ok(false);
        };
        let inputs = self.model.inputs_of(&self.model.nodes()[node]);
        let pass = layer.of_span(self.arena.spans[connections], inputs[0], self.lanes())?;
        let listed = matches!(self.products(node), Products::Sparse);
        Ok(listed && self.goes_into_norm(node) && pass.has_statistics()?)
    }

    /// Whether a batch norm takes the value of a node.
    pub(super) fn goes_into_norm(&self, node: usize) -> bool {
        self.consumers[node].iter().any(|&c| {
            let next = &self.model.nodes()[c];
            next.inputs().first() == Some(&node) && next.layer().normalises().is_some()
        })
    }

    /// Records the backward pass of a node's convolution in one dispatch, if there is one for it; returns whether it
    /// did.
    pub(super) fn convolution_at_once(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        options: &PassOptions<'_>,
        (node, layer): (usize, &SparsePass),
        delta: View,
    ) -> Result<bool> {
        let source = self.model.nodes()[node].inputs()[0];
        let listed = matches!(self.products(node), Products::Sparse);
        let slices = values.slices.clone();
        let slices = slices.as_ref().zip(self.numbers[node].connections);
        if !self.fuses()
            || !options.trains_alone()
            || !listed
            || !self.requires_gradient[source]
            || !self.device.binds::<ConvBackward>()
            || !layer.runs_at_once(slices)?
        {
            return Ok(false);
        }
        let norm = self.norm_before(values, (node, layer), source)?;
        let input = match &norm {
            Some(norm) if norm.dropped => norm.input.clone(),
            _ => self.recall(plan, values, source)?,
        };
        // If the gradient is to be complete, everything else was already added to it.
        let Some(sink) = self.sink(values, source)? else {
            return Ok(false);
        };
        if let Some(norm) = &norm {
            values.masked[source] = norm.complete && norm.relu;
            values.sums[source] = norm.sums.clone();
        }
        let views = ConvBackwardViews {
            step: self.buffers.step.all(),
            input,
            norm,
            delta,
            output: sink.view,
            add: sink.accumulate,
            spare: self.scratch("unwanted sums", 4),
        };
        layer.backward_at_once(plan, self.arena, views, slices, options.accumulate)?;
        Ok(true)
    }

    /// The batch norm that made the value of `source`, which `node` takes.
    fn norm_before(
        &self,
        values: &Values,
        (node, layer): (usize, &SparsePass),
        source: usize,
    ) -> Result<Option<NormBefore>> {
        let norm = &self.model.nodes()[source];
        let dropped = values.value[source].is_none();
        let (Some(relu), Some(&before)) = (norm.layer().normalises(), norm.inputs().first()) else {
            return Ok(None);
        };
        let (Some(input), Some(saved)) = (&values.value[before], &values.saved[source]) else {
            return Ok(None);
        };
        if dropped && norm.inputs().len() > 1 {
            return Ok(None);
        }
        // The backward pass goes from the last node to the first.
        let consumers = &self.consumers[source];
        let complete = consumers.iter().all(|&c| c >= node)
            && consumers.iter().filter(|&&c| c == node).count() == 1;
        let params = ConvBackwardParams::of_layer(&layer.span, &layer.window, layer.lanes)?;
        Ok(Some(NormBefore {
            input: input.clone(),
            saved: saved.clone(),
            relu,
            dropped,
            complete,
            sums: complete.then(|| self.scratch("norm.sums by parts", params.words())),
        }))
    }
}
