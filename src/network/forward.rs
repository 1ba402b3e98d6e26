//! What a node's layer sees in the forward pass.

use super::recorder::{Recorder, Values};
use crate::engine::{Plan, View};
use crate::error::{Error, Result};
use crate::layer::pass::{Forward, Mode, Pass};
use crate::layer::{DenseWeights, Extent, LayerParameters, SparsePass};
use crate::sparse::{Arena, LayerSpan};

/// A node, and what a pass lets its layer see: what both directions have in common, and one's own.
pub(super) struct NodePass<'a, Direction> {
    pub recorder: &'a Recorder<'a>,
    pub node: usize,
    pub inputs: Vec<Extent>,
    /// Its dense parameters, whose gradients may go elsewhere than where the optimiser looks.
    pub parameters: Option<LayerParameters>,
    pub saved: Option<View>,
    pub own: Direction,
}

impl<Direction> NodePass<'_, Direction> {
    /// A layer that asks for what it did not declare.
    fn lacks(&self, what: &str) -> Error {
        let node = &self.recorder.model.nodes()[self.node];
        Error::Shape(format!(
            "a {} layer asks for {what}, of which it declares none",
            node.layer().kind()
        ))
    }
}

impl<Direction> Pass for NodePass<'_, Direction> {
    fn lanes(&self) -> usize {
        self.recorder.lanes()
    }

    fn number(&self) -> usize {
        self.node
    }

    fn inputs(&self) -> &[Extent] {
        &self.inputs
    }

    fn extent(&self) -> Extent {
        self.recorder.model.nodes()[self.node].extent()
    }

    fn step(&self) -> View {
        self.recorder.buffers.step.all()
    }

    fn parameters(&self) -> Result<LayerParameters> {
        let parameters = self.parameters.clone();
        parameters.ok_or_else(|| self.lacks("dense parameters"))
    }

    fn constants(&self) -> Result<View> {
        let constants = self.recorder.buffers.constants.get(&self.node);
        let constants = constants.map(|buffer| buffer.all());
        constants.ok_or_else(|| self.lacks("constants"))
    }

    fn saved(&self) -> Result<View> {
        let saved = self.saved.clone();
        saved.ok_or_else(|| self.lacks("words that stay until the backward pass"))
    }

    fn scratch(&self, label: &str, words: usize) -> View {
        self.recorder.scratch(label, words)
    }

    fn connections(&self) -> Result<(&Arena, LayerSpan)> {
        let recorder = self.recorder;
        match recorder.numbers[self.node].connections {
            Some(layer) => Ok((recorder.arena, recorder.arena.spans[layer])),
            None => Err(self.lacks("connections")),
        }
    }

    fn dense_weights(&self, plan: &mut Plan, layer: &SparsePass) -> Result<Option<DenseWeights>> {
        self.recorder.dense_weights(plan, self.node, layer)
    }
}

/// What a forward pass has besides.
struct Ahead {
    mode: Mode,
    values: Vec<View>,
    output: View,
}

impl Forward for NodePass<'_, Ahead> {
    fn mode(&self) -> Mode {
        self.own.mode
    }

    fn input(&self, i: usize) -> Result<View> {
        let input = self.own.values.get(i).cloned();
        input.ok_or_else(|| Error::Shape(format!("a layer asks for its input number {i}")))
    }

    fn output(&self) -> View {
        self.own.output.clone()
    }
}

impl Recorder<'_> {
    /// Records the value of `node` and what its backward pass needs.
    pub fn forward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        mode: Mode,
    ) -> Result<()> {
        let n = &self.model.nodes()[node];
        let taken = (n.inputs().iter())
            .map(|&i| values.value(i))
            .collect::<Result<Vec<View>>>()?;
        if n.layer().is_alias(mode) {
            values.value[node] = taken.into_iter().next();
            return Ok(());
        }
        let words = self.words(node);
        let last = node + 1 == self.model.nodes().len();
        let output = match last {
            true => self.buffers.logits.range(0..words),
            false => self.tensor(node, "output", words)?,
        };
        values.value[node] = Some(output.clone());
        let saved = n
            .layer()
            .saved_words(&self.model.inputs_of(n), self.lanes());
        if saved > 0 && mode != Mode::Restore {
            values.saved[node] = Some(self.tensor(node, "saved", saved)?);
        }
        let ahead = Ahead {
            mode,
            values: taken,
            output,
        };
        let (parameters, saved) = (
            self.parameters_of(values, node)?,
            values.saved[node].clone(),
        );
        let pass = self.node_pass(node, parameters, saved, ahead);
        n.layer().forward(plan, &pass)
    }
}
