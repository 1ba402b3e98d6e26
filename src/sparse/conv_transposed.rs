//! The input gradient of a sparse two-dimensional convolution.

use super::arena::LayerSpan;
use super::conv_list::{LINE, TILE, listed_pieces};
use super::spmm::CONVOLUTIONS;
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, ShapeFamily, WorkgroupShape};
use crate::error::Result;
use crate::twin::Direction;
use crate::twin::lanes::Ends;
use crate::twin::planes::{Planes, Tap};
use crate::window::{Window, WindowParams};

crate::kernel! {
    /// `output[c, y, x, i] = sum over connections ((c, ky, kx), b) of weight * delta[b, y', x', i]`, or adds that to
    /// it.
    ///
    /// `y' = (y + padding_y - ky) / stride_y` if that is a position of `delta`, and `x'` likewise. Shapes: `delta`
    /// `[rows][output_y][output_x][lanes]`, `output` `[channels][input_y][input_x][lanes]`. Grid:
    /// [`ConvTransposedParams::grid`]. Gathered in the arena's transposed order, in which the connections of a
    /// channel's tap are one range, so nothing is scattered; bound by the loads of `delta`.
    pub ConvTransposed, ConvTransposedParams, ConvTransposedTwin =
        "sparse/conv_transposed", shader!("sparse/conv_transposed"),
        variants CONVOLUTIONS, |_| LINE as u32;
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
        /// 1: add to the existing values.
        accumulate: u32,
        /// Number of tiles of four positions, `stride_x` apart, in one `stride_x`-th of a row of the input plane.
        tiles: u32,
        /// Number of lines of 32 items (such a tile for four lanes of the batch) in an input plane.
        lines: u32,
    }
    pieces ConvTransposedParams::pieces;
    read col_offsets: u32,
    read cols: u32,
    read order: u32,
    read order_rows: u32,
    read weights: f32,
    read delta: f32,
    write output: f32,
}

impl ConvTransposedParams {
    /// For one layer of an arena, a batch of `lanes`.
    ///
    /// # Errors
    /// The layer is not a convolution with this window, or is too large.
    pub fn of_layer(
        span: &LayerSpan,
        window: &Window,
        lanes: usize,
        accumulate: bool,
    ) -> Result<Self> {
        let channels = window.channels(span.n_in)?;
        let tiles = window.input[1].div_ceil(window.stride[1]).div_ceil(TILE);
        let items = window.input[0] * window.stride[1] * tiles * (lanes / 4);
        Ok(ConvTransposedParams {
            window: WindowParams::new(window, channels),
            rows: span.n_out as u32,
            vectors: (lanes / 4) as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            accumulate: accumulate.into(),
            tiles: tiles as u32,
            lines: items.div_ceil(LINE) as u32,
        })
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        Grid::Rows(self.window.channels as usize * self.lines as usize)
    }

    /// Each has as many connections as an invocation may sum for all its items: in the hardware shape of all taps
    /// together, in the software shape of every tap.
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let remainder = looped(self.window.stride_x, NONE);
        if shape.family == ShapeFamily::Hardware {
            let connections = self.rows.saturating_mul(self.window.taps);
            let sizes = [self.window.channels, self.lines, connections];
            return listed_pieces(sizes, shape, remainder, |listed| looped(listed, NONE));
        }
        let items = (LINE as u32).div_ceil(shape.lanes());
        let [y, x] = self.window.taps_of_input();
        // Neighbours may be inside the plane and at its border, which has a separate loop.
        let taps = |connections| looped(y, looped(x, 2 * looped(connections, NONE)));
        Piece::ranges(grid, self.rows, 1, |n| looped(items, remainder + taps(n)))
    }
}

impl ConvTransposedTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let window = p.window.window();
        let lanes = p.vectors as usize * 4;
        let taps_of_kernel = p.window.taps;
        let planes = Planes {
            window,
            direction: Direction::Transposed,
            lanes,
            units: p.rows as usize,
        };
        let ends = Ends {
            initial: (p.accumulate == 0).then_some(0.0),
            relu: false,
        };
        planes.gather(
            self.delta,
            &mut self.output[..p.window.channels as usize * window.input_positions() * lanes],
            |_| ends,
            |channel, taps| {
                let first = p.first_col + channel as u32 * taps_of_kernel;
                for tap in 0..taps_of_kernel {
                    let col = (first + tap) as usize;
                    let range = self.col_offsets[col] as usize..self.col_offsets[col + 1] as usize;
                    let pairs = self.order[range.clone()]
                        .iter()
                        .zip(&self.order_rows[range]);
                    taps.extend(pairs.map(|(&j, &row)| Tap {
                        weight: self.weights[j as usize],
                        unit: row - p.first_row,
                        at: [tap / p.window.kernel_x, tap % p.window.kernel_x],
                    }));
                }
            },
        );
    }
}
