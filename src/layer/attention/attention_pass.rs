//! The core of self-attention at one size: forward and backward, recorded.

use super::tiles::TILE;
use super::{
    Mix, MixBackward, MixBackwardParams, MixParams, Scores, ScoresBackward, ScoresBackwardParams,
    ScoresParams,
};
use crate::engine::{Grid, Plan, View};
use crate::error::{Error, Misfit, Result};

/// `output = softmax(q^T k / sqrt(dim)) v` in each head, without mask or dropout, for a batch of `lanes`.
///
/// The input `qkv` is `[3 * heads * dim][tokens][lanes]`: the queries of all heads, then the keys, then the values,
/// feature `head * dim + d` in each. The output is `[heads * dim][tokens][lanes]`. The probabilities are kept from the
/// forward to the backward pass, because recomputing them would add a quarter to the backward pass's products.
#[derive(Clone, Copy, Debug)]
pub struct AttentionPass {
    /// Attention heads.
    pub heads: usize,
    /// Features of a head.
    pub dim: usize,
    /// Tokens: queries and keys.
    pub tokens: usize,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
    /// Whether kernels that do not wait for each other run as one.
    pub fused: bool,
}

impl AttentionPass {
    /// Words of `qkv` and of its gradient.
    pub fn qkv_words(&self) -> usize {
        3 * self.output_words()
    }

    /// Words of the output and of its gradient.
    pub fn output_words(&self) -> usize {
        self.heads * self.dim * self.tokens * self.lanes
    }

    /// Words of the probabilities `[heads][tokens][tokens][lanes]`, which the forward pass leaves for the backward
    /// pass.
    pub fn probability_words(&self) -> usize {
        self.heads * self.tokens * self.tokens * self.lanes
    }

    /// Words of the work space of the backward pass; layers may share it.
    pub fn scratch_words(&self) -> usize {
        self.probability_words()
    }

    fn scale(&self) -> f32 {
        (1.0 / (self.dim as f64).sqrt()) as f32
    }

    fn vectors(&self) -> u32 {
        (self.lanes / 4) as u32
    }

    /// Refuses sizes that do not make a layer, and views too small for it: a shader would drop what is out of bounds.
    fn check(&self, views: &[(&str, &View, usize)]) -> Result<()> {
        if [self.heads, self.dim, self.tokens, self.lanes].contains(&0)
            || !self.lanes.is_multiple_of(4)
        {
            return Err(Error::Shape(Misfit::Layer {
                layer: format!("{self:?}"),
                why: "heads, dim and tokens must be at least 1, the lanes a positive multiple of 4"
                    .to_owned(),
            }));
        }
        for (name, view, words) in views {
            if view.words() < *words {
                return Err(Error::Shape(Misfit::Words {
                    what: format!("{self:?}: `{name}`, buffer `{}`,", view.buffer.label()),
                    found: view.words(),
                    needed: *words,
                }));
            }
        }
        Ok(())
    }

    /// Writes `output` and `probabilities` from `qkv`. Lanes from the step's count on become zero, whatever finite
    /// numbers `qkv` has there.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward(
        &self,
        plan: &mut Plan,
        step: View,
        qkv: View,
        probabilities: View,
        output: View,
    ) -> Result<()> {
        self.check(&[
            ("qkv", &qkv, self.qkv_words()),
            ("probabilities", &probabilities, self.probability_words()),
            ("output", &output, self.output_words()),
        ])?;
        plan.dispatch(
            Scores {
                params: ScoresParams {
                    heads: self.heads as u32,
                    dim: self.dim as u32,
                    tokens: self.tokens as u32,
                    vectors: self.vectors(),
                    scale: self.scale(),
                },
                step,
                qkv: qkv.clone(),
                probabilities: probabilities.clone(),
            },
            self.score_grid(),
        )?;
        let values = 2 * self.heads * self.dim;
        self.mix(plan, (probabilities, false), (qkv, values), (output, 0))
    }

    /// Writes the gradient `delta_qkv` at `qkv` (all of it) from the gradient `delta` at the output, whose padding
    /// lanes are zero; then so are those of the result.
    ///
    /// `qkv` and `probabilities` are as the forward pass left them; `scratch` has [`AttentionPass::scratch_words`].
    ///
    /// # Errors
    /// The views do not fit.
    pub fn backward(
        &self,
        plan: &mut Plan,
        qkv: View,
        probabilities: View,
        delta: View,
        scratch: View,
        delta_qkv: View,
    ) -> Result<()> {
        self.check(&[
            ("qkv", &qkv, self.qkv_words()),
            ("probabilities", &probabilities, self.probability_words()),
            ("delta", &delta, self.output_words()),
            ("scratch", &scratch, self.scratch_words()),
            ("delta_qkv", &delta_qkv, self.qkv_words()),
        ])?;
        plan.dispatch(
            ScoresBackward {
                params: ScoresBackwardParams {
                    heads: self.heads as u32,
                    dim: self.dim as u32,
                    tokens: self.tokens as u32,
                    vectors: self.vectors(),
                    scale: self.scale(),
                },
                qkv: qkv.clone(),
                delta: delta.clone(),
                probabilities: probabilities.clone(),
                output: scratch.clone(),
            },
            self.score_grid(),
        )?;
        if self.fused {
            let kernel = MixBackward {
                params: MixBackwardParams {
                    heads: self.heads as u32,
                    dim: self.dim as u32,
                    tokens: self.tokens as u32,
                    vectors: self.vectors(),
                },
                scores: scratch,
                probabilities,
                qkv,
                delta,
                output: delta_qkv,
            };
            return plan.dispatch(kernel, Grid::Rows(3 * self.tiles()));
        }
        let [queries, keys, values] = [0, 1, 2].map(|part| part * self.heads * self.dim);
        let output = |first: usize| (delta_qkv.clone(), first);
        let scores = |transposed: bool| (scratch.clone(), transposed);
        self.mix(plan, scores(false), (qkv.clone(), keys), output(queries))?;
        self.mix(plan, scores(true), (qkv, queries), output(keys))?;
        self.mix(plan, (probabilities, true), (delta, 0), output(values))
    }

    fn score_grid(&self) -> Grid {
        Grid::Groups(self.heads * self.tokens.div_ceil(TILE))
    }

    /// One [`struct@Mix`] of a matrix (transposed or not) with features from the given one on, written to those of
    /// another view.
    fn mix(
        &self,
        plan: &mut Plan,
        (matrix, transposed): (View, bool),
        (input, first_input): (View, usize),
        (output, first_output): (View, usize),
    ) -> Result<()> {
        plan.dispatch(
            Mix {
                params: MixParams {
                    heads: self.heads as u32,
                    dim: self.dim as u32,
                    tokens: self.tokens as u32,
                    vectors: self.vectors(),
                    first_input: first_input as u32,
                    first_output: first_output as u32,
                    transposed: transposed.into(),
                },
                matrix,
                input,
                output,
            },
            Grid::Rows(self.tiles()),
        )
    }

    /// Tiles of such a product.
    fn tiles(&self) -> usize {
        self.heads * self.tokens.div_ceil(TILE) * self.dim.div_ceil(TILE)
    }
}
