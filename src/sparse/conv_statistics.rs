//! The convolution before a batch norm, with the statistics that the norm needs.

use rayon::prelude::*;

use super::arena::LayerSpan;
use super::conv::{ConvParams, ConvTwin};
use super::conv_list::{FOUR, listed};
use super::conv_parts::{PlaneParts, Tiling, runs_whole};
use crate::engine::loops::{Loops, NONE, looped, workgroup_sum};
use crate::engine::{Grid, StepState, WorkgroupShape};
use crate::error::Result;
use crate::threads::DealOut;
use crate::window::{Window, WindowParams};

crate::kernel! {
    /// [`Conv`](super::Conv) without a ReLU, and for each part of a channel's plane the number of values, their mean
    /// and the sum of their squared differences from it.
    ///
    /// Shapes as there; `parts` `[rows][parts][3]`. Grid: [`ConvStatisticsParams::grid`]. The statistics are those of
    /// the computed values, before these are rounded if they are stored in fewer bits.
    pub ConvStatistics, ConvStatisticsParams, ConvStatisticsTwin =
        "sparse/conv_statistics", shader!("sparse/conv_statistics"),
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
        /// Number of parts of a plane.
        parts: u32,
        /// Items per part: tiles of four positions, for four lanes each.
        part_items: u32,
    }
    loops ConvStatisticsParams::loops;
    uniform step: StepState,
    read row_offsets: u32,
    read cols: u32,
    read weights: f32,
    read bias: f32,
    read input: f32,
    write output: f32,
    write parts: f32,
}

/// Words of a part's statistics.
pub const STATISTICS: usize = 3;

impl ConvStatisticsParams {
    /// For one layer of an arena, a batch of `lanes`.
    ///
    /// # Errors
    /// The layer is not a convolution with this window, or is too large.
    pub fn of_layer(span: &LayerSpan, window: &Window, lanes: usize) -> Result<Self> {
        let conv = ConvParams::of_layer(span, window, lanes, false)?;
        let tiling = tiling(&conv.window, conv.vectors);
        let PlaneParts { parts, items } = PlaneParts::of(tiling.items());
        Ok(ConvStatisticsParams {
            window: conv.window,
            rows: conv.rows,
            vectors: conv.vectors,
            first_row: conv.first_row,
            first_col: conv.first_col,
            parts,
            part_items: items,
        })
    }

    /// Whether it runs as one dispatch; otherwise the kernels are separate.
    pub fn fits(&self) -> bool {
        runs_whole(|shape| self.loops(shape).iterations)
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        Grid::Groups((self.rows * self.parts) as usize)
    }

    /// Words of `parts`.
    pub fn words(&self) -> usize {
        STATISTICS * self.rows as usize * self.parts as usize
    }

    pub(super) fn loops(&self, shape: WorkgroupShape) -> Loops {
        let connections = self.window.channels.saturating_mul(self.window.taps);
        let rounds = self.part_items.div_ceil(shape.invocations());
        looped(
            rounds,
            listed(connections, shape, |_| NONE) + 2 * workgroup_sum(shape),
        )
    }
}

fn tiling(window: &WindowParams, vectors: u32) -> Tiling {
    Tiling {
        height: window.output_y as usize,
        width: window.output_x as usize,
        stride: 1,
        vectors: vectors as usize,
    }
}

impl ConvStatisticsTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let count = self.step.count as usize;
        let tiling = tiling(&p.window, p.vectors);
        ConvTwin {
            params: ConvParams {
                window: p.window,
                rows: p.rows,
                vectors: p.vectors,
                first_row: p.first_row,
                first_col: p.first_col,
                relu: 0,
                lines: 0,
            },
            row_offsets: self.row_offsets,
            cols: self.cols,
            weights: self.weights,
            bias: self.bias,
            input: self.input,
            output: &mut *self.output,
        }
        .run();
        let parts = PlaneParts {
            parts: p.parts,
            items: p.part_items,
        };
        let plane = tiling.height * tiling.width * tiling.vectors * 4;
        let each = self.parts[..p.words()].par_chunks_exact_mut(STATISTICS);
        each.enumerate().deal_out(|(item, found)| {
            let (unit, part) = (item / p.parts as usize, item % p.parts as usize);
            let values = &self.output[unit * plane..][..plane];
            let (mut n, mut sum, mut squares) = (0f64, 0f64, 0f64);
            tiling.members(parts, part, count, |at| {
                n += 1.0;
                sum += f64::from(values[at]);
            });
            let mean = sum / n.max(1.0);
            tiling.members(parts, part, count, |at| {
                squares += (f64::from(values[at]) - mean).powi(2);
            });
            found.copy_from_slice(&[n, mean, squares].map(|x| x as f32));
        });
    }
}
