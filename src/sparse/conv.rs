//! Sparse two-dimensional convolution: the forward product of a sparse layer with every patch of its input.

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
    /// `output[b, y, x, i] = bias[b] + sum over connections (a, b) of weight * input[c, y', x', i]`, then ReLU if
    /// requested.
    ///
    /// Connection `a = (c, ky, kx)`, `y' = y * stride_y + ky - padding_y`, `x'` likewise; terms in the padding are left
    /// out. Shapes: `input` `[channels][input_y][input_x][lanes]`, `output` `[rows][output_y][output_x][lanes]`, `bias`
    /// all rows of the arena. Grid: [`ConvParams::grid`]. Bound by the loads of `input`: one per connection, position
    /// and lane.
    pub Conv, ConvParams, ConvTwin = "sparse/conv", shader!("sparse/conv"),
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
        /// 1: negative sums become zero.
        relu: u32,
        /// Number of lines of items (four positions of one vector) in an output plane.
        lines: u32,
    }
    pieces ConvParams::pieces;
    read row_offsets: u32,
    read cols: u32,
    read weights: f32,
    read bias: f32,
    read input: f32,
    write output: f32,
}

impl ConvParams {
    /// For one layer of an arena, a batch of `lanes`.
    ///
    /// # Errors
    /// The layer is not a convolution with this window, or is too large.
    pub fn of_layer(span: &LayerSpan, window: &Window, lanes: usize, relu: bool) -> Result<Self> {
        let channels = window.channels(span.n_in)?;
        let items = window.output[0] * window.output[1].div_ceil(TILE) * (lanes / 4);
        Ok(ConvParams {
            window: WindowParams::new(window, channels),
            rows: span.n_out as u32,
            vectors: (lanes / 4) as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            relu: relu.into(),
            lines: items.div_ceil(LINE) as u32,
        })
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        Grid::Rows(self.rows as usize * self.lines as usize)
    }

    /// Each has as many of a row's connections as an invocation may sum for all its items.
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let connections = self.window.channels * self.window.taps;
        if shape.family == ShapeFamily::Hardware {
            let sizes = [self.rows, self.lines, connections];
            return listed_pieces(sizes, shape, NONE, |_| NONE);
        }
        let items = (LINE as u32).div_ceil(shape.lanes());
        // Neighbours may be inside the plane and at its border, which has a separate loop.
        Piece::ranges(grid, connections, 1, |n| looped(items, 2 * looped(n, NONE)))
    }
}

impl ConvTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let window = p.window.window();
        let lanes = p.vectors as usize * 4;
        let planes = Planes {
            window,
            direction: Direction::Forward,
            lanes,
            units: p.window.channels as usize,
        };
        let row = |unit: usize| p.first_row as usize + unit;
        planes.gather(
            self.input,
            &mut self.output[..p.rows as usize * window.output_positions() * lanes],
            |unit| Ends {
                initial: Some(self.bias[row(unit)]),
                relu: p.relu != 0,
            },
            |unit, taps| {
                let range =
                    self.row_offsets[row(unit)] as usize..self.row_offsets[row(unit) + 1] as usize;
                let pairs = self.cols[range.clone()].iter().zip(&self.weights[range]);
                taps.extend(pairs.map(|(&col, &weight)| {
                    let (unit, at) = p.window.tap_of(col - p.first_col);
                    Tap { weight, unit, at }
                }));
            },
        );
    }
}
