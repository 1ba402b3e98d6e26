//! The backward pass of a convolution in one dispatch: the gradients of its connections and at its input.

use rayon::prelude::*;

use super::arena::LayerSpan;
use super::conv_list::{FOUR, listed};
use super::conv_parts::{PlaneParts, Tiling};
use super::conv_sddmm::{ConvSddmmParams, ConvSddmmTwin};
use super::conv_sddmm_normal::{ConvSddmmNormalParams, ConvSddmmNormalTwin};
use super::conv_transposed::{ConvTransposedParams, ConvTransposedTwin};
use crate::engine::loops::{Loops, NONE, Piece, looped, workgroup_sum};
use crate::engine::{Grid, ShapeFamily, StepState, WorkgroupShape};
use crate::error::Result;
use crate::threads::DealOut;
use crate::window::{Window, WindowParams};

crate::kernel! {
    /// [`ConvSddmm`](super::ConvSddmm), or with `normal` [`ConvSddmmNormal`](super::ConvSddmmNormal), and
    /// [`ConvTransposed`](super::ConvTransposed), which do not wait for each other.
    ///
    /// If the layer's input is a batch norm's output, its complete gradient can be taken back through the ReLU after
    /// the norm (`mask`), and `parts` gets the sums of it and of it times the normalised input, by part of a channel's
    /// plane, that [`BatchNormMergeBackward`](crate::layer::BatchNormMergeBackward) adds up. Shapes as for those
    /// kernels; `normed` as `input`: the input of the norm; `saved` `[4][channels]`; `parts` `[channels][parts][2]`.
    /// Whatever is not requested is not read. Grid: [`ConvBackwardParams::grid`].
    pub ConvBackward, ConvBackwardParams, ConvBackwardTwin =
        "sparse/conv_backward", shader!("sparse/conv_backward"),
        variants FOUR, |_| u32::MAX;
    params {
        /// The planes and the window.
        window: WindowParams,
        /// Output channels of the layer.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: add to the existing gradients of connections.
        accumulate: u32,
        /// `1 / vectors`: see `shaders/lib/divide.wgsl`.
        inverse_vectors: f32,
        /// Input units of the layer: no row has more pairs.
        cols: u32,
        /// Slices of the output's lines of positions: 1 if they are not cut.
        slices: u32,
        /// Words of `gradient` from one slice's gradients to the next's.
        stride: u32,
        /// 1: `input` is the input of the norm, and the layer's input is computed from it at each load.
        normal: u32,
        /// 1: a ReLU follows the norm.
        relu: u32,
        /// Number of tiles of four positions, `stride_x` apart, in one `stride_x`-th of a row of the input plane.
        tiles: u32,
        /// Number of parts of an input plane.
        parts: u32,
        /// Items per part: tiles of four positions, for four lanes each.
        part_items: u32,
        /// 1: add to the existing gradient at the input.
        add: u32,
        /// How the ReLU's mask is known: 0, none is applied; 1, from the input of the norm; 2, from the layer's input.
        mask: u32,
        /// 1: leave sums in `parts`.
        sums: u32,
    }
    pieces ConvBackwardParams::pieces;
    uniform step: StepState,
    read row_offsets: u32,
    read col_offsets: u32,
    read cols: u32,
    read order: u32,
    read order_rows: u32,
    read weights: f32,
    read input: f32,
    read normed: f32,
    read saved: f32,
    read delta: f32,
    write gradient: f32,
    write output: f32,
    write parts: f32,
}

/// Words of a part's sums.
pub const SUMS: usize = 2;

impl ConvBackwardParams {
    /// For one layer of an arena, a batch of `lanes`.
    ///
    /// # Errors
    /// The layer is not a convolution with this window, or is too large.
    pub fn of_layer(span: &LayerSpan, window: &Window, lanes: usize) -> Result<Self> {
        let product = ConvSddmmParams::new(span, window, lanes, false)?;
        let transposed = ConvTransposedParams::of_layer(span, window, lanes, false)?;
        let PlaneParts { parts, items } =
            PlaneParts::of(tiling(&product.window, product.vectors).items());
        let params = ConvBackwardParams {
            tiles: transposed.tiles,
            parts,
            part_items: items,
            ..Default::default()
        };
        Ok(params.with(product))
    }

    /// With other slices and another choice of adding.
    pub(super) fn with(self, product: ConvSddmmParams) -> Self {
        ConvBackwardParams {
            window: product.window,
            rows: product.rows,
            vectors: product.vectors,
            first_row: product.first_row,
            first_col: product.first_col,
            accumulate: product.accumulate,
            inverse_vectors: product.inverse_vectors,
            cols: product.cols,
            slices: product.slices,
            stride: product.stride,
            ..self
        }
    }

    pub(super) fn product(&self) -> ConvSddmmParams {
        ConvSddmmParams {
            window: self.window,
            rows: self.rows,
            vectors: self.vectors,
            first_row: self.first_row,
            first_col: self.first_col,
            accumulate: self.accumulate,
            inverse_vectors: self.inverse_vectors,
            cols: self.cols,
            slices: self.slices,
            stride: self.stride,
        }
    }

    /// Words of `parts`.
    pub fn words(&self) -> usize {
        SUMS * self.window.channels as usize * self.parts as usize
    }

    /// The grid: workgroups for the pairs, then one for each part of a channel's input plane.
    pub fn grid(&self) -> Grid {
        self.whole(WorkgroupShape::HARDWARE).grid
    }

    /// As one dispatch.
    pub(super) fn whole(&self, shape: WorkgroupShape) -> Piece {
        let pieces = self.product().cut(ShapeFamily::Hardware, shape);
        let pairs = pieces[0];
        let groups = pairs.grid.workgroups([1; 3]);
        let iterations = match pieces.len() {
            1 => pairs.iterations + self.at_input(shape).iterations,
            // It is never split: if it is too long, it is refused.
            _ => u64::MAX,
        };
        Piece {
            part: pairs.part,
            grid: Grid::Groups(groups + (self.window.channels * self.parts) as usize),
            iterations,
        }
    }

    fn pieces(&self, _: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        vec![self.whole(shape)]
    }

    /// Loops of the gradient at the input.
    fn at_input(&self, shape: WorkgroupShape) -> Loops {
        let connections = self.rows.saturating_mul(self.window.taps);
        let remainder = looped(self.window.stride_x, NONE);
        let strided = self.window.stride_x > 1 || self.window.stride_y > 1;
        let list = listed(connections, shape, |n| {
            looped(if strided { n } else { 0 }, NONE)
        });
        let rounds = self.part_items.div_ceil(shape.invocations());
        looped(rounds, remainder + list) + workgroup_sum(shape)
    }
}

fn tiling(window: &WindowParams, vectors: u32) -> Tiling {
    Tiling {
        height: window.input_y as usize,
        width: window.input_x as usize,
        stride: window.stride_x as usize,
        vectors: vectors as usize,
    }
}

impl ConvBackwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        ConvTransposedTwin {
            params: ConvTransposedParams {
                window: p.window,
                rows: p.rows,
                vectors: p.vectors,
                first_row: p.first_row,
                first_col: p.first_col,
                accumulate: p.add,
                tiles: p.tiles,
                lines: 0,
            },
            col_offsets: self.col_offsets,
            cols: self.cols,
            order: self.order,
            order_rows: self.order_rows,
            weights: self.weights,
            delta: self.delta,
            output: &mut *self.output,
        }
        .run();
        if p.mask != 0 || p.sums != 0 {
            behind_norm(
                p,
                self.step.count as usize,
                [self.input, self.normed, self.saved],
                [&mut *self.output, &mut *self.parts],
            );
        }
        let (params, row_offsets, cols) = (p.product(), self.row_offsets, self.cols);
        match p.normal {
            0 => ConvSddmmTwin {
                params,
                row_offsets,
                cols,
                input: self.input,
                delta: self.delta,
                gradient: self.gradient,
            }
            .run(),
            _ => ConvSddmmNormalTwin {
                params: ConvSddmmNormalParams::new(params, p.relu != 0),
                step: self.step,
                row_offsets,
                cols,
                input: self.input,
                saved: self.saved,
                delta: self.delta,
                gradient: self.gradient,
            }
            .run(),
        }
    }
}

/// Takes the gradient at the input back through the ReLU after the norm, and sums what the norm needs from it.
fn behind_norm(
    p: ConvBackwardParams,
    count: usize,
    [input, normed, saved]: [&[f32]; 3],
    [output, parts]: [&mut [f32]; 2],
) {
    let tiling = tiling(&p.window, p.vectors);
    let plane = tiling.height * tiling.width * tiling.vectors * 4;
    let channels = p.window.channels as usize;
    let cut = PlaneParts {
        parts: p.parts,
        items: p.part_items,
    };
    // Without sums there is no memory for them.
    let mut unwanted = vec![0.0; if p.sums != 0 { 0 } else { p.words() }];
    let parts = match p.sums {
        0 => &mut unwanted[..],
        _ => &mut parts[..p.words()],
    };
    let planes = output[..channels * plane].par_chunks_exact_mut(plane);
    let parts = parts.par_chunks_exact_mut(SUMS * p.parts as usize);
    planes
        .zip(parts)
        .enumerate()
        .deal_out(|(c, (output, parts))| {
            let [mean, inverse, weight, bias] = [0, 1, 2, 3].map(|row| saved[row * channels + c]);
            let scale = inverse * weight;
            let own = c * plane..(c + 1) * plane;
            let (input, normed) = (&input[own.clone()], &normed[own]);
            for row in output.chunks_exact_mut(tiling.vectors * 4) {
                row[count..].fill(0.0);
            }
            for (part, sums) in parts.chunks_exact_mut(SUMS).enumerate() {
                let (mut sum, mut product) = (0f64, 0f64);
                tiling.members(cut, part, count, |at| {
                    let away = normed[at] - mean;
                    let passed = match p.mask {
                        0 => true,
                        1 => away * scale + bias > 0.0,
                        _ => input[at] > 0.0,
                    };
                    if !passed {
                        output[at] = 0.0;
                    }
                    sum += f64::from(output[at]);
                    product += f64::from(output[at]) * f64::from(away * inverse);
                });
                sums.copy_from_slice(&[sum as f32, product as f32]);
            }
        });
}
