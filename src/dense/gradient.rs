//! The weight gradients of a full layer.

use super::forward::flattened;
use crate::engine::loops::{Loops, NONE, Part, Piece, cut, further, looped};
use crate::engine::{Grid, ShapeFamily, WorkgroupShape};
use crate::error::Result;
use crate::sparse::LayerSpan;
use crate::twin::Direction;
use crate::twin::pack::Left;
use crate::twin::patches::Patches;
use crate::twin::product::{Finish, Initial, Product, Right};
use crate::twin::rows::RowProducts;
use crate::window::{Window, WindowParams};

/// Output channels, and columns depending on the workgroup shape, of a workgroup's tile: as in
/// `shaders/dense/gradient.wgsl`.
const ROWS: usize = 4;

/// See [`ROWS`].
const COLUMNS: usize = 16;

/// Up to this many lanes, the twin transposes the input once instead of folding the vector of each sum: a batch,
/// without positions.
const FEW: usize = 512;

crate::kernel! {
    /// `output[b, (c, ky, kx)] = sum over positions (y, x) and lanes of input[c, y', x', i] * delta[b, y, x, i]`, or
    /// adds to it.
    ///
    /// `y' = y * stride_y + ky - padding_y`, and likewise `x'`; positions in the padding count as zero. Shapes: `input`
    /// `[channels][input_y][input_x][lanes]`; `delta` `[rows][output_y][output_x][lanes]`, padding lanes zero; `output`
    /// all of the arena's gradients, the layer's from `first_weight` on. Grid: [`DenseGradientParams::grid`]. Bound by
    /// the multiply-adds.
    pub DenseGradient, DenseGradientParams, DenseGradientTwin = "dense/gradient", shader!("dense/gradient");
    params {
        /// The planes and the window.
        window: WindowParams,
        /// Output channels.
        rows: u32,
        /// Input units: channels times taps.
        cols: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Start of the layer's gradients in `output`.
        first_weight: u32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    pieces DenseGradientParams::pieces;
    read input: f32,
    read delta: f32,
    write output: f32,
}

impl DenseGradientParams {
    /// Parameters for one full layer of an arena whose weights begin at `first_weight`, and a batch of `lanes`.
    ///
    /// # Errors
    /// The layer does not have such a window, or is too large.
    pub fn of_layer(
        span: &LayerSpan,
        window: &Window,
        lanes: usize,
        first_weight: usize,
        accumulate: bool,
    ) -> Result<Self> {
        let channels = window.channels(span.n_in)?;
        let (window, lanes) = flattened(window, lanes);
        Ok(DenseGradientParams {
            window: WindowParams::new(&window, channels),
            rows: span.n_out as u32,
            cols: span.n_in as u32,
            vectors: (lanes / 4) as u32,
            first_weight: first_weight as u32,
            accumulate: accumulate.into(),
        })
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        let tiles = |n: u32, of: usize| (n as usize).div_ceil(of);
        Grid::Groups(tiles(self.rows, ROWS) * tiles(self.cols, COLUMNS))
    }

    /// The loops over some lines of positions, and some vectors of each.
    fn loops(&self, lines: u32, vectors: u32, shape: WorkgroupShape) -> Loops {
        match shape.family {
            ShapeFamily::Hardware => {
                let (lanes, rows) = (shape.lanes(), shape.rows());
                let positions = lines.saturating_mul(self.window.output_x);
                let items = positions.saturating_mul(vectors).div_ceil(lanes);
                let sums = ((ROWS * COLUMNS) as u32).div_ceil(lanes * rows);
                // The search for an item's position continues from that of the previous item; neighbours' may take one
                // step more.
                looped(items, looped(1, NONE))
                    + further(positions)
                    + looped(16, NONE)
                    + looped(sums, looped(lanes, NONE))
            }
            ShapeFamily::Software => {
                looped(lines, looped(self.window.output_x, looped(vectors, NONE)))
            }
        }
    }

    /// Each piece has some lines of positions, or, for a single position, some vectors.
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let (y, vectors) = (self.window.output_y, self.vectors);
        let one = y * self.window.output_x == 1;
        let loops = |lines, vectors| self.loops(lines, vectors, shape);
        let ranges = match one {
            true => cut(vectors, 1, |vectors| loops(1, vectors)),
            false => cut(y, 1, |lines| loops(lines, vectors)),
        };
        let piece = |range: std::ops::Range<u32>| {
            let (lines, vectors) = match one {
                true => (0..1, range),
                false => (range, 0..vectors),
            };
            Piece {
                part: Part {
                    begin: vectors.start,
                    end: vectors.end,
                    begin_y: lines.start,
                    end_y: lines.end,
                    ..Part::default()
                },
                grid,
                iterations: loops(lines.end - lines.start, vectors.end - vectors.start).iterations,
            }
        };
        ranges.into_iter().map(piece).collect()
    }
}

impl DenseGradientTwin<'_> {
    fn run(self) {
        let p = self.params;
        let window = p.window.window();
        let [rows, cols, first] = [p.rows, p.cols, p.first_weight].map(|n| n as usize);
        let lanes = p.vectors as usize * 4;
        let row = window.output_positions() * lanes;
        let delta = &self.delta[..rows * row];
        let output = &mut self.output[first..][..rows * cols];
        if window.is_pointwise() && row <= FEW {
            let product = Product {
                left: Left {
                    values: delta,
                    row,
                    unit: 1,
                },
                right: Right::Transposed {
                    values: self.input,
                    lanes: row,
                },
                plane: cols,
                initial: match p.accumulate {
                    0 => Initial::Zero,
                    _ => Initial::Present,
                },
                finish: Finish::Plain,
            };
            return product.write(output);
        }
        let patches = Patches::new(self.input, Direction::Forward, window, lanes);
        // In the forward direction all positions are of one class.
        for class in &patches.classes() {
            let product = RowProducts {
                patches: &patches,
                class,
                delta,
                accumulate: p.accumulate != 0,
            };
            product.write(output, cols);
        }
    }
}
