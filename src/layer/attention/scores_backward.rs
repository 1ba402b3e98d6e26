//! Back through attention's softmax: the gradient at the scores.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::columns::{Column, columns};
use super::panels::{Block, Workspace, load, pack_columns, panel_vectors, store, tile};
use super::{key_loops, vector_pieces};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, WorkgroupShape};

crate::kernel! {
    /// The gradient of the loss at the products of queries and keys (before `scale`), from that at attention's output.
    ///
    /// With `dP[i, j] = sum over d of delta[d, i] * v[d, j]` and `P` the probabilities, it is
    /// `scale * P[i, j] * (dP[i, j] - sum over m of P[i, m] * dP[i, m])`, in every head and lane.
    /// Shapes: `qkv` `[3 * heads * dim][tokens][stride]`, `delta` `[heads * dim][tokens][stride]`, `probabilities` and
    /// `output` `[heads][tokens][tokens][stride]`. Grid: as [`struct@super::Scores`].
    pub ScoresBackward, ScoresBackwardParams, ScoresBackwardTwin =
        "layer/attention/scores_backward", shader!("layer/attention/scores_backward");
    params {
        /// Attention heads.
        heads: u32,
        /// Features of a head.
        dim: u32,
        /// Tokens: queries and keys.
        tokens: u32,
        /// `stride / 4`.
        vectors: u32,
        /// Factor of the products: `dim^-0.5`.
        scale: f32,
    }
    pieces ScoresBackwardParams::pieces;
    read qkv: f32,
    read delta: f32,
    read probabilities: f32,
    write output: f32,
}

impl ScoresBackwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let inner = key_loops(self.tokens, looped(self.dim, NONE), 2, shape);
        vector_pieces(inner, self.vectors, grid, shape)
    }
}

impl ScoresBackwardTwin<'_> {
    fn run(self) {
        let arch = pulp::Arch::new();
        self.run_with(|task| arch.dispatch(task));
    }

    /// In vectors of the caller's choice.
    pub(super) fn run_with(self, dispatch: impl Fn(Task<'_>) + Sync) {
        let p = self.params;
        let [heads, dim, tokens, stride] =
            [p.heads, p.dim, p.tokens, p.vectors * 4].map(|n| n as usize);
        let words = tokens * tokens * stride;
        let tasks: Vec<_> = self.output[..heads * words]
            .chunks_exact_mut(words)
            .enumerate()
            .flat_map(|(head, block)| columns(block, stride).map(move |column| (head, column)))
            .collect();
        tasks
            .into_par_iter()
            .for_each_init(Workspace::default, |workspace, (head, column)| {
                dispatch(Task {
                    delta: Block::of(self.delta, head, [dim, tokens, stride]),
                    v: Block::of(self.qkv, 2 * heads + head, [dim, tokens, stride]),
                    probabilities: Block::of(self.probabilities, head, [tokens, tokens, stride]),
                    scale: p.scale,
                    output: column,
                    workspace,
                });
            });
    }
}

/// Keys of a tile.
const KEYS: usize = 4;

/// One head in one column of lanes.
pub(super) struct Task<'a> {
    delta: Block<'a>,
    v: Block<'a>,
    probabilities: Block<'a>,
    scale: f32,
    output: Column<'a>,
    workspace: &'a mut Workspace,
}

impl WithSimd for Task<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        // As many queries as the sums leave registers for.
        if S::REGISTER_COUNT >= 32 {
            self.column::<S, 4>(simd);
        } else {
            self.column::<S, 2>(simd);
        }
    }
}

impl Task<'_> {
    #[inline(always)]
    fn column<S: Simd, const QUERIES: usize>(mut self, simd: S) {
        let (dim, tokens) = (self.v.rows, self.v.cols);
        let lanes = self.output.lanes();
        let delta_set = panel_vectors::<QUERIES>(tokens, dim);
        let v_set = panel_vectors::<KEYS>(tokens, dim);
        let padded = tokens.next_multiple_of(KEYS);
        let [delta, v, gradients, probabilities] = self.workspace.parts::<S, 4>(
            lanes.len().div_ceil(S::F32_LANES),
            [delta_set, v_set, QUERIES * padded, tokens],
        );
        pack_columns::<S, QUERIES>(simd, self.delta, lanes.clone(), delta);
        pack_columns::<S, KEYS>(simd, self.v, lanes.clone(), v);
        let probabilities = &mut probabilities[..tokens];
        let scale = simd.splat_f32s(self.scale);
        let sets = delta.chunks_exact(delta_set).zip(v.chunks_exact(v_set));
        for ((delta, v), first) in sets.zip(lanes.clone().step_by(S::F32_LANES)) {
            let lanes = first..(first + S::F32_LANES).min(lanes.end);
            for (panel, delta) in delta.chunks_exact(dim * QUERIES).enumerate() {
                for (keys, v) in v.chunks_exact(dim * KEYS).enumerate() {
                    let sums = tile::<S, QUERIES, KEYS>(simd, delta, v);
                    for (i, sums) in sums.iter().enumerate() {
                        // One by one: a copy of the row would force the sums out of registers.
                        for (j, sum) in sums.iter().enumerate() {
                            gradients[i * padded + keys * KEYS + j] = *sum;
                        }
                    }
                }
                let query = panel * QUERIES;
                for i in 0..QUERIES.min(tokens - query) {
                    let row = &gradients[i * padded..][..tokens];
                    // Read once: elements so far apart fall into the same few sets of the cache.
                    let elements = self.probabilities.row(query + i);
                    for (probability, element) in probabilities.iter_mut().zip(elements) {
                        *probability = load(simd, &element[lanes.clone()]);
                    }
                    let mut mean = simd.splat_f32s(0.0);
                    for (probability, gradient) in probabilities.iter().zip(row) {
                        mean = simd.add_f32s(mean, simd.mul_f32s(*probability, *gradient));
                    }
                    for (j, (probability, gradient)) in probabilities.iter().zip(row).enumerate() {
                        let centred = simd.sub_f32s(*gradient, mean);
                        let gradient = simd.mul_f32s(simd.mul_f32s(*probability, centred), scale);
                        let to = (query + i) * tokens + j;
                        store(simd, gradient, self.output.row(to, lanes.clone()));
                    }
                }
            }
        }
    }
}
