//! The forward product of a full layer.

use crate::engine::loops::{NONE, Piece, further, looped};
use crate::engine::{Grid, ShapeFamily, WorkgroupShape};
use crate::error::Result;
use crate::sparse::LayerSpan;
use crate::twin::Direction;
use crate::twin::pack::Left;
use crate::twin::patches::Patches;
use crate::twin::product::{Finish, Initial, Product, Right};
use crate::window::{Window, WindowParams};

/// Output channels and, depending on the workgroup shape, vectors of four lanes that a workgroup writes: as in
/// `shaders/lib/dense.wgsl`.
pub(super) const ROWS: usize = 32;

/// See [`ROWS`]. A workgroup of the software shape is a part of one of the hardware shape.
pub(super) const VECTORS: usize = 32;

crate::kernel! {
    /// `output[b, y, x, i] = bias[b] + sum over c, ky, kx of W[b, (c, ky, kx)] * input[c, y', x', i]`, then ReLU if
    /// requested.
    ///
    /// `y' = y * stride_y + ky - padding_y`, and likewise `x'`; positions in the padding count as zero. Shapes:
    /// `weights` all of the arena's, the layer's `[rows][channels][kernel_y][kernel_x]` from `first_weight` on; `bias`
    /// all rows of the arena; `input` `[channels][input_y][input_x][lanes]`; `output`
    /// `[rows][output_y][output_x][lanes]`. Grid: [`DenseForwardParams::grid`]. Bound by the multiply-adds.
    pub DenseForward, DenseForwardParams, DenseForwardTwin = "dense/forward", shader!("dense/forward");
    params {
        /// The planes and the window.
        window: WindowParams,
        /// Output channels.
        rows: u32,
        /// Input channels.
        units: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Start of the layer's weights in `weights`.
        first_weight: u32,
        /// Distance from one output channel's weights to the next's.
        row_step: u32,
        /// Distance from one input channel's weights to the next's.
        unit_step: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// 1: negative sums become zero.
        relu: u32,
        /// Number of blocks of vectors in an output plane.
        blocks: u32,
    }
    pieces DenseForwardParams::pieces;
    read weights: f32,
    read bias: f32,
    read input: f32,
    write output: f32,
}

impl DenseForwardParams {
    /// Parameters for one full layer of an arena whose weights begin at `first_weight`, and a batch of `lanes`.
    ///
    /// # Errors
    /// The layer does not have such a window, or is too large.
    pub fn of_layer(
        span: &LayerSpan,
        window: &Window,
        lanes: usize,
        first_weight: usize,
        relu: bool,
    ) -> Result<Self> {
        let units = window.channels(span.n_in)?;
        let (window, lanes) = flattened(window, lanes);
        Ok(DenseForwardParams {
            window: WindowParams::new(&window, units),
            rows: span.n_out as u32,
            units: units as u32,
            vectors: (lanes / 4) as u32,
            first_weight: first_weight as u32,
            row_step: span.n_in as u32,
            unit_step: window.taps() as u32,
            first_row: span.first_row as u32,
            relu: relu.into(),
            blocks: (window.output_positions() * lanes / 4).div_ceil(VECTORS) as u32,
        })
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        Grid::Rows((self.rows as usize).div_ceil(ROWS) * 4 * self.blocks as usize)
    }

    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let taps = [self.window.kernel_y, self.window.kernel_x];
        let positions = self.window.output_y.saturating_mul(self.window.output_x);
        let written = positions.saturating_mul(self.vectors);
        unit_pieces(self.units, taps, written, grid, shape)
    }
}

/// Units of source and weights that the hardware shape moves through workgroup memory at a time.
const DEPTH: u32 = 16;

/// The pieces of a product that sums over `units` through `taps` (along y and x), with this many written vectors in a
/// plane: each has some of the units, and adds to what the earlier pieces wrote.
pub(super) fn unit_pieces(
    units: u32,
    taps: [u32; 2],
    written: u32,
    grid: Grid,
    shape: WorkgroupShape,
) -> Vec<Piece> {
    let over_taps = |inner| looped(taps[0], looped(taps[1], inner));
    match shape.family {
        ShapeFamily::Hardware => {
            let depth = looped(DEPTH / shape.rows(), NONE) + looped(DEPTH, NONE);
            Piece::ranges(grid, units, DEPTH, |units| {
                over_taps(looped(units.div_ceil(DEPTH), depth))
            })
        }
        ShapeFamily::Software => {
            let rounds = VECTORS as u32 / shape.lanes();
            let inside = written.div_ceil(shape.lanes()).min(rounds);
            Piece::ranges(grid, units, 1, |units| {
                let taps = over_taps(looped(units, NONE));
                // Rounds with nothing to write also go through the inner loops.
                let idle = looped(0, taps).iterations as u32;
                looped(inside, taps) + further((rounds - inside) * idle)
            })
        }
    }
}

/// Treats the positions of a window that reads each one alone as further lanes of a single position.
pub(super) fn flattened(window: &Window, lanes: usize) -> (Window, usize) {
    match window.is_pointwise() {
        true => {
            let row = window.output_positions() * lanes;
            (Window::pointwise([1, 1]), row)
        }
        false => (*window, lanes),
    }
}

impl DenseForwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        let window = p.window.window();
        let lanes = p.vectors as usize * 4;
        let [rows, row, unit] = [p.rows, p.row_step, p.unit_step].map(|n| n as usize);
        let plane = window.output_positions() * lanes;
        let product = Product {
            left: Left {
                values: &self.weights[p.first_weight as usize..][..rows * row],
                row,
                unit,
            },
            right: Right::Patches {
                patches: Patches::new(self.input, Direction::Forward, window, lanes),
                units: p.units as usize,
            },
            plane,
            initial: Initial::Rows(&self.bias[p.first_row as usize..][..rows]),
            finish: match p.relu {
                0 => Finish::Plain,
                _ => Finish::Relu,
            },
        };
        product.write(&mut self.output[..rows * plane]);
    }
}
