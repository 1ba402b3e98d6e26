//! Attention as a layer of a model.

use std::sync::Arc;

use super::AttentionPass;
use crate::engine::Plan;
use crate::error::Result;
use crate::layer::definition::{Layer, Linear};
use crate::layer::extent::Extent;
use crate::layer::operation::Operation;
use crate::layer::pass::{Backward, Forward, Pass};

/// Multi-head self-attention from stacked queries, keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attention {
    /// Number of heads.
    pub heads: usize,
    /// Features of a head.
    pub dim: usize,
}

impl Attention {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> AttentionPass {
        AttentionPass {
            fused: pass.fuses(),
            ..self.sized(pass.inputs()[0], pass.lanes())
        }
    }

    fn sized(&self, input: Extent, lanes: usize) -> AttentionPass {
        AttentionPass {
            heads: self.heads,
            dim: self.dim,
            tokens: input.positions(),
            lanes,
            fused: false,
        }
    }
}

impl Layer for Attention {
    fn kind(&self) -> &'static str {
        "attention"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        let (Attention { heads, dim }, from) = (*self, inputs[0]);
        let features = heads.saturating_mul(dim);
        let taken = features.saturating_mul(3);
        match features > 0 && taken == from.channels {
            true => Ok(Extent {
                channels: features,
                ..from
            }),
            false => Err(format!(
                "{heads} heads of {dim} take {taken} features (queries, keys and values), not {}",
                from.channels
            )),
        }
    }

    fn saved_words(&self, inputs: &[Extent], lanes: usize) -> usize {
        self.sized(inputs[0], lanes).probability_words()
    }

    /// Scores and weighted sums: two products of tokens × tokens × features.
    fn flops(&self, inputs: &[Extent]) -> f64 {
        4.0 * (self.heads * self.dim) as f64 * (inputs[0].positions() as f64).powi(2)
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        let (step, qkv, saved) = (pass.step(), pass.input(0)?, pass.saved()?);
        (self.pass(pass)).forward(plan, step, qkv, saved, pass.output())
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        let Some(sink) = pass.sink(0)? else {
            return Ok(());
        };
        let attention = self.pass(pass);
        let (input, saved, delta) = (pass.input(plan, 0)?, pass.saved()?, pass.delta());
        let scratch = pass.scratch("attention.scratch", attention.scratch_words());
        pass.write_only(plan, 0, sink, |plan, view| {
            attention.backward(plan, input, saved, delta, scratch, view)
        })
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Attention {
            heads: self.heads,
            dim: self.dim,
        })
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::None
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(Attention { heads: 2, dim: 2 })]
}
