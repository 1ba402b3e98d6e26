//! What a node's layer sees in either direction.

use super::recorder::Recorder;
use crate::engine::{Plan, View};
use crate::error::{Error, Misfit, Result};
use crate::layer::pass::Pass;
use crate::layer::{DenseWeights, Extent, LayerParameters, SparsePass};
use crate::sparse::{Arena, LayerSpan};

/// A node, and what a pass lets its layer see: what both directions have in common, and what belongs to one.
pub(in crate::network) struct NodePass<'a, Direction> {
    pub recorder: &'a Recorder<'a>,
    pub node: usize,
    pub inputs: Vec<Extent>,
    /// Its dense parameters, whose gradients may go to another place than the one that the optimiser reads.
    pub parameters: Option<LayerParameters>,
    pub saved: Option<View>,
    pub own: Direction,
}

impl<Direction> NodePass<'_, Direction> {
    /// The error for a layer that asks for something it did not declare.
    fn lacks(&self, what: &str) -> Error {
        let node = &self.recorder.model.nodes()[self.node];
        Error::Shape(Misfit::Undeclared {
            who: format!("a {} layer", node.layer().kind()),
            what: what.to_owned(),
        })
    }
}

impl<Direction> Pass for NodePass<'_, Direction> {
    fn lanes(&self) -> usize {
        self.recorder.lanes()
    }

    fn fuses(&self) -> bool {
        self.recorder.fuses()
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

impl Recorder<'_> {
    /// What a node's layer sees in a pass that also has `own`.
    pub fn node_pass<Direction>(
        &self,
        node: usize,
        parameters: Option<LayerParameters>,
        saved: Option<View>,
        own: Direction,
    ) -> NodePass<'_, Direction> {
        NodePass {
            recorder: self,
            node,
            inputs: self.model.inputs_of(&self.model.nodes()[node]),
            parameters,
            saved,
            own,
        }
    }
}
