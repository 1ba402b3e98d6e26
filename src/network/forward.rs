//! What each kind of node records in the forward pass.

use super::recorder::{Mode, Recorder, Values};
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::layer::{Activation, Add, BatchNormForwardViews};
use crate::model::Op;

impl Recorder<'_> {
    /// Records the value of `node` and what its backward pass needs.
    pub fn forward(
        &self,
        plan: &mut Plan,
        values: &mut Values,
        node: usize,
        mode: Mode,
    ) -> Result<()> {
        let n = &self.model.nodes[node];
        let inputs = (n.inputs.iter().map(|&i| values.value(i))).collect::<Result<Vec<View>>>()?;
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
            Op::Sparse { window, bias, relu } => {
                let layer = self.sparse_layer(node, window, bias, relu);
                match self.dense_weights(plan, node, &layer)? {
                    Some(w) => layer.forward_dense(plan, self.arena, w, input(), output),
                    None => layer.forward(plan, self.arena, input(), output),
                }
            }
            Op::BatchNorm { .. } => {
                let norm = self.batch_norm(node);
                let saved = self.tensor(node, "saved", norm.saved_words())?;
                values.saved[node] = Some(saved.clone());
                let step = self.fixed.step.all();
                let views = BatchNormForwardViews {
                    input: input(),
                    residual: inputs.get(1).cloned(),
                    output,
                    saved,
                };
                if mode == Mode::Evaluate {
                    return norm.forward_eval(plan, self.norms, &step, views);
                }
                let scratch = self.norm_scratch(&norm);
                let moves = mode == Mode::Train;
                norm.forward_train(plan, self.norms, &scratch, &step, views, moves)
            }
            Op::LayerNorm => {
                let norm = self.layer_norm(node);
                let saved = self.tensor(node, "saved", norm.saved_words())?;
                values.saved[node] = Some(saved.clone());
                let step = self.fixed.step.all();
                norm.forward(plan, self.norms, &step, input(), output, saved)
            }
            Op::Relu => Activation::Relu.forward(plan, input(), output, words),
            Op::Gelu => Activation::Gelu.forward(plan, input(), output, words),
            Op::Add => Add::record(plan, input(), inputs[1].clone(), output, words),
            Op::Shortcut { stride } => self.shortcut(node, stride).forward(plan, input(), output),
            Op::MaxPool(window) => self.max_pool(node, window).forward(plan, input(), output),
            Op::AveragePool(window) => {
                self.average_pool(node, window)
                    .forward(plan, input(), output)
            }
            Op::Mean => self.mean(node).forward(plan, input(), output),
            Op::Dropout(share) => {
                let step = self.fixed.step.all();
                self.dropout(node, share)
                    .forward(plan, step, input(), output)
            }
            Op::Patchify(patch) => self.patchify(node, patch)?.forward(plan, input(), output),
            Op::Positions => {
                let table = self.positions_table(node)?;
                self.positions(node).forward(plan, table, input(), output)
            }
            Op::Attention { heads, dim } => {
                let attention = self.attention(node, heads, dim);
                let saved = self.tensor(node, "saved", attention.probability_words())?;
                values.saved[node] = Some(saved.clone());
                attention.forward(plan, self.fixed.step.all(), input(), saved, output)
            }
        }
    }
}
