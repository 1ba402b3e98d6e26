//! SDDMM with the gradients of the biases.

use rayon::prelude::*;

use super::sddmm::{SddmmParams, SddmmTwin};
use crate::engine::loops::{Loops, NONE, looped};
use crate::engine::{ShapeFamily, WorkgroupShape};
use crate::threads::DealOut;

crate::kernel! {
    /// Like [`Sddmm`](super::Sddmm), and `bias[first_row + b] = sum over i of delta[b, i]`, or adds to it.
    ///
    /// Shapes as there; `bias` all rows of the arena. Grid: [`SddmmParams::grid`].
    pub SddmmBias, SddmmParams, SddmmBiasTwin = "sparse/sddmm_bias", shader!("sparse/sddmm_bias"),
        variants VARIANTS, |_| u32::MAX, subgroups SddmmBiasSubgroups;
    params shared;
    pieces |p, _, shape| p.cut(ShapeFamily::Hardware, shape, |vectors| row_sum(vectors, shape));
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write output: f32,
    write bias: f32,
}

crate::kernel! {
    /// [`SddmmBias`] in the shapes by subgroups, with the same bits. It takes the place of that
    /// kernel, which is the one to be recorded.
    pub SddmmBiasSubgroups, SddmmParams, SddmmBiasSubgroupsTwin =
        "sparse/sddmm_bias_subgroups", shader!("sparse/sddmm_bias_subgroups");
    params shared;
    pieces |p, _, _| {
        let shape = WorkgroupShape::HARDWARE;
        p.cut(ShapeFamily::Hardware, shape, |vectors| row_sum(vectors, shape))
    };
    read row_offsets: u32,
    read cols: u32,
    read input: f32,
    read delta: f32,
    write output: f32,
    write bias: f32,
}

/// Eight pairs at a time, and sums by subgroups. With other numbers of rows, the sums of the biases would have another
/// order.
const VARIANTS: &[WorkgroupShape] = &[
    WorkgroupShape::hardware(32, 4).unrolled(8),
    WorkgroupShape::hardware(32, 4).by_subgroups(),
];

/// Loops of the shader's `row_sum`. The one by fours makes fewer rounds, with a loop for the rest.
pub(super) fn row_sum(vectors: u32, shape: WorkgroupShape) -> Loops {
    let turns = vectors.div_ceil(shape.lanes() * shape.rows());
    looped(1, NONE) + looped(turns, NONE) + looped(shape.lanes(), NONE) + looped(shape.rows(), NONE)
}

impl SddmmBiasTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let (rows, lanes) = (p.rows as usize, p.vectors as usize * 4);
        let own = &mut self.bias[p.first_row as usize..][..rows];
        let deltas = self.delta[..rows * lanes].par_chunks_exact(lanes);
        (own.par_iter_mut().zip(deltas).with_min_len(256)).deal_out(|(bias, delta)| {
            let (vectors, _) = delta.as_chunks::<4>();
            let sum = vectors.iter().fold([0f32; 4], |sum, v| {
                [sum[0] + v[0], sum[1] + v[1], sum[2] + v[2], sum[3] + v[3]]
            });
            let before = if p.accumulate != 0 { *bias } else { 0.0 };
            *bias = before + ((sum[0] + sum[1]) + (sum[2] + sum[3]));
        });
        SddmmTwin {
            params: p,
            row_offsets: self.row_offsets,
            cols: self.cols,
            input: self.input,
            delta: self.delta,
            output: self.output,
        }
        .run();
    }
}

impl SddmmBiasSubgroupsTwin<'_> {
    fn run(self) {
        SddmmBiasTwin {
            params: self.params,
            row_offsets: self.row_offsets,
            cols: self.cols,
            input: self.input,
            delta: self.delta,
            output: self.output,
            bias: self.bias,
        }
        .run();
    }
}
