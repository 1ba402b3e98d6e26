//! What a node's layer sees in the forward pass.

use super::node_pass::NodePass;
use super::recorder::{Recorder, Values};
use crate::engine::{Plan, Precision, View};
use crate::error::{Error, Misfit, Result};
use crate::layer::pass::{Forward, Mode};

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
        input.ok_or_else(|| {
            Error::Shape(Misfit::Undeclared {
                who: "a layer".to_owned(),
                what: format!("its input number {i}"),
            })
        })
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
            false => self.value(node)?,
        };
        values.value[node] = Some(output.clone());
        let saved = n
            .layer()
            .saved_words(&self.model.inputs_of(n), self.lanes());
        if saved > 0 && mode != Mode::Restore {
            values.saved[node] = Some(self.tensor(node, "saved", saved, Precision::F32)?);
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
