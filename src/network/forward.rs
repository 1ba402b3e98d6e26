//! What each kind of node records in the forward pass.

use super::recorder::{Mode, Recorder, Values};
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::layer::{
    Activation, Add, AddPositions, Attention, AveragePool, BatchNorm, Dropout, GlobalAverage,
    LayerNorm, MaxPool, PaddedShortcut, Patchify, SparseLayer,
};
use crate::model::{Op};

impl Recorder<'_> {
    /// Records the value of `node` and what its backward pass needs.
    pub fn forward(&self, plan: &mut Plan, values: &mut Values, node: usize, mode: Mode) -> Result<()> {
        let n = &self.model.nodes[node];
        let inputs: Vec<View> = n.inputs.iter().map(|&i| self.value(values, i)).collect();
        let input = || inputs[0].clone();
        let words = self.words(node);
        let alias = match n.op {
            Op::Input => return Ok(()),
            Op::Flatten => true,
            Op::Dropout(_) => mode == Mode::Evaluate,
            _ => false,
        };
        let last = node + 1 == self.model.nodes.len();
        let output = match alias {
            true => input(),
            false if last => self.fixed.logits.range(0..words),
            false => self.tensor(node, "output", words)?,
        };
        values.value[node] = Some(output.clone());
        if alias {
            return Ok(());
        }
        match n.op {
            Op::Input | Op::Flatten => Ok(()),
            Op::Sparse { .. } => {
                self.sparse_layer(node)
                    .forward(plan, self.arena, input(), output)
            }
            Op::BatchNorm { .. } => {
                let norm = self.batch_norm(node);
                let saved = self.tensor(node, "saved", norm.saved_words())?;
                values.saved[node] = Some(saved.clone());
                let residual = inputs.get(1).cloned();
                match mode {
                    Mode::Evaluate => {
                        norm.forward_eval(plan, self.norms, input(), residual, output, saved)
                    }
                    _ => norm.forward_train(
                        plan,
                        self.norms,
                        self.scratch("norm.partial", norm.scratch_words()),
                        self.fixed.step.all(),
                        input(),
                        residual,
                        output,
                        saved,
                        mode == Mode::Train,
                    ),
                }
            }
            Op::LayerNorm => {
                let norm = self.layer_norm(node);
                let saved = self.tensor(node, "saved", norm.saved_words())?;
                values.saved[node] = Some(saved.clone());
                norm.forward(plan, self.norms, input(), output, saved)
            }
            Op::Relu => Activation::Relu.forward(plan, input(), output, words),
            Op::Gelu => Activation::Gelu.forward(plan, input(), output, words),
            Op::Add => Add::record(plan, input(), inputs[1].clone(), output, words),
            Op::Shortcut { .. } => self.shortcut(node).forward(plan, input(), output),
            Op::MaxPool(_) => self.max_pool(node).forward(plan, input(), output),
            Op::AveragePool(_) => self.average_pool(node).forward(plan, input(), output),
            Op::Mean => self.mean(node).forward(plan, input(), output),
            Op::Dropout(_) => {
                self.dropout(node)
                    .forward(plan, self.fixed.step.all(), input(), output)
            }
            Op::Patchify(_) => self.patchify(node).forward(plan, input(), output),
            Op::Positions => {
                let table = self.tables[&node].all();
                self.positions(node).forward(plan, input(), table, output)
            }
            Op::Attention { .. } => {
                let attention = self.attention(node);
                let saved = self.tensor(node, "saved", attention.probability_words())?;
                values.saved[node] = Some(saved.clone());
                attention.forward(plan, self.fixed.step.all(), input(), saved, output)
            }
        }
    }
}
