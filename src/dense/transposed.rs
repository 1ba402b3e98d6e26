//! The backward product of a full layer: from the gradient at its outputs to that at its inputs.

use super::forward::{ROWS, VECTORS, flattened, unit_pieces};
use crate::engine::loops::Piece;
use crate::engine::{Grid, WorkgroupShape};
use crate::error::Result;
use crate::sparse::LayerSpan;
use crate::twin::Direction;
use crate::twin::pack::Left;
use crate::twin::patches::Patches;
use crate::twin::product::{Finish, Initial, Product, Right};
use crate::window::{Window, WindowParams};

crate::kernel! {
    /// `output[c, y, x, i] = sum over b, ky, kx of W[b, (c, ky, kx)] * delta[b, y', x', i]`, or adds to it; then zero
    /// where `activation[c, y, x, i]` is not above zero.
    ///
    /// `y' = (y + padding_y - ky) / stride_y` if that is a position of `delta`, and likewise `x'`. The mask is the
    /// backward pass of the ReLU that made `activation`, the layer's input; without it, `activation` is not read.
    /// Shapes as for [`DenseForward`](super::DenseForward), where `delta` belongs to its output, and `output` and
    /// `activation` to its input. Grid: [`DenseTransposedParams::grid`]. Bound by the multiply-adds: positions that see
    /// through the same taps are taken together, so that a stride wastes none.
    pub DenseTransposed, DenseTransposedParams, DenseTransposedTwin = "dense/transposed", shader!("dense/transposed");
    params {
        /// The planes and the window.
        window: WindowParams,
        /// Input channels.
        rows: u32,
        /// Output channels.
        units: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Start of the layer's weights in `weights`.
        first_weight: u32,
        /// Distance from one input channel's weights to the next's.
        row_step: u32,
        /// Distance from one output channel's weights to the next's.
        unit_step: u32,
        /// 1: mask by `activation`, including the existing values.
        relu: u32,
        /// 1: add to the existing values.
        accumulate: u32,
        /// Number of blocks of vectors in the positions of one remainder.
        blocks: u32,
    }
    pieces DenseTransposedParams::pieces;
    read weights: f32,
    read delta: f32,
    read activation: f32,
    write output: f32,
}

impl DenseTransposedParams {
    /// Parameters for one full layer of an arena whose weights begin at `first_weight`, and a batch of `lanes`; `relu`:
    /// whether to mask by the activation.
    ///
    /// # Errors
    /// The layer does not have such a window, or is too large.
    pub fn of_layer(
        span: &LayerSpan,
        window: &Window,
        lanes: usize,
        first_weight: usize,
        relu: bool,
        accumulate: bool,
    ) -> Result<Self> {
        let rows = window.channels(span.n_in)?;
        let (window, lanes) = flattened(window, lanes);
        let each = [0, 1].map(|axis| window.input[axis].div_ceil(window.stride[axis]));
        Ok(DenseTransposedParams {
            window: WindowParams::new(&window, rows),
            rows: rows as u32,
            units: span.n_out as u32,
            vectors: (lanes / 4) as u32,
            first_weight: first_weight as u32,
            row_step: window.taps() as u32,
            unit_step: span.n_in as u32,
            relu: relu.into(),
            accumulate: accumulate.into(),
            blocks: (each[0] * each[1] * (lanes / 4)).div_ceil(VECTORS) as u32,
        })
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        let remainders = (self.window.stride_y * self.window.stride_x) as usize;
        let tiles = (self.rows as usize).div_ceil(ROWS) * remainders;
        Grid::Rows(tiles * 4 * self.blocks as usize)
    }

    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let positions = self.window.input_y.saturating_mul(self.window.input_x);
        let written = positions.saturating_mul(self.vectors);
        unit_pieces(
            self.units,
            self.window.taps_of_input(),
            written,
            grid,
            shape,
        )
    }
}

impl DenseTransposedTwin<'_> {
    fn run(self) {
        let p = self.params;
        let window = p.window.window();
        let lanes = p.vectors as usize * 4;
        let [rows, units, row, unit] =
            [p.rows, p.units, p.row_step, p.unit_step].map(|n| n as usize);
        let plane = window.input_positions() * lanes;
        let product = Product {
            left: Left {
                values: &self.weights[p.first_weight as usize..][..units * unit],
                row,
                unit,
            },
            right: Right::Patches {
                patches: Patches::new(self.delta, Direction::Transposed, window, lanes),
                units,
            },
            plane,
            initial: match p.accumulate {
                0 => Initial::Zero,
                _ => Initial::Present,
            },
            finish: match p.relu {
                0 => Finish::Plain,
                _ => Finish::Mask(self.activation),
            },
        };
        product.write(&mut self.output[..rows * plane]);
    }
}
