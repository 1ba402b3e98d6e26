//! SpMM: the forward product of a sparse layer with its batch.

use pulp::Simd;

use super::arena::LayerSpan;
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, ShapeFamily, WorkgroupShape};
use crate::twin::lanes::{Ends, Term, gather_sum};
use crate::twin::pieces::{Rows, write_rows};

/// Vectors of a row that a line of lanes takes, in either workgroup shape. The rows of a tile of this size follow each
/// other in the grid, so that they find its part of the source in the cache.
const TILE: usize = 32;

/// Workgroup shapes for the products that gather: in all of them an output's sum is computed by one invocation. On
/// hardware, no more lanes than a row has vectors (32 lanes are a subgroup to itself), and fewer rows where few would
/// fill the device.
pub(crate) const GATHERS: &[WorkgroupShape] = &[
    WorkgroupShape::hardware(4, 32),
    WorkgroupShape::hardware(8, 16),
    WorkgroupShape::hardware(16, 8),
    WorkgroupShape::hardware(32, 2),
    WorkgroupShape::hardware(32, 8),
    WorkgroupShape::software(8, 4),
];

/// The same for convolutions, which may also have the loads of four connections in flight instead of two.
pub(super) const CONVOLUTIONS: &[WorkgroupShape] = &[
    WorkgroupShape::hardware(4, 32),
    WorkgroupShape::hardware(8, 16),
    WorkgroupShape::hardware(16, 8),
    WorkgroupShape::hardware(32, 2),
    WorkgroupShape::hardware(32, 8),
    WorkgroupShape::hardware(32, 4).unrolled(8),
    WorkgroupShape::software(8, 4),
];

/// The same for the products of layers, which may also have eight loads of a row's connections in flight instead of
/// four, for chips with distant caches.
pub(super) const PRODUCTS: &[WorkgroupShape] = &[
    WorkgroupShape::hardware(4, 32),
    WorkgroupShape::hardware(8, 16),
    WorkgroupShape::hardware(16, 8),
    WorkgroupShape::hardware(32, 2),
    WorkgroupShape::hardware(32, 8),
    WorkgroupShape::hardware(8, 16).unrolled(8),
    WorkgroupShape::hardware(32, 2).unrolled(8),
    WorkgroupShape::hardware(32, 4).unrolled(8),
    WorkgroupShape::software(8, 4),
];

/// The pieces of such a product, whose rows each have at most `terms`: each piece has as many of a row's terms as an
/// invocation may add up, and continues where the previous piece ended.
pub(crate) fn tiled_pieces(
    vectors: u32,
    terms: u32,
    grid: Grid,
    shape: WorkgroupShape,
) -> Vec<Piece> {
    let tile = TILE as u32;
    let tail = vectors % tile;
    // In the last tile, a lane takes one vector after another, with four or eight connections at a time on hardware; in
    // a whole tile in software, all vectors at once.
    let whole = match shape.family {
        ShapeFamily::Hardware => tile.div_ceil(shape.lanes()),
        ShapeFamily::Software => 1,
    };
    let whole = if vectors >= tile { whole } else { 0 };
    let rounds = tail.div_ceil(shape.lanes()).max(whole);
    Piece::ranges(grid, terms, 1, |terms| {
        looped(rounds, looped(terms, NONE) + looped(3, NONE))
    })
}

/// The grid of a product that writes `rows` of this many vectors.
pub(super) fn tiled(rows: u32, vectors: u32) -> Grid {
    Grid::Rows(rows as usize * (vectors as usize).div_ceil(TILE))
}

crate::kernel! {
    /// `output[b, i] = bias[b] + sum over connections (a, b) of weight * input[a, i]`, then ReLU if requested.
    ///
    /// Shapes: `input` `[n_in][lanes]`, `output` `[n_out][lanes]`, `bias` all rows of the arena; `lanes` may be the
    /// batch times the positions that the layer is applied to. Grid: [`SpmmParams::grid`]. Bound by the loads of
    /// `input`: one per connection and lane.
    pub Spmm, SpmmParams, SpmmTwin = "sparse/spmm", shader!("sparse/spmm"),
        variants PRODUCTS, |params| params.vectors;
    params {
        /// Output units of the layer.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// The layer's first row in the arena.
        first_row: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        /// 1: negative sums become zero.
        relu: u32,
        /// Input units of the layer: no row has more connections.
        cols: u32,
    }
    pieces SpmmParams::pieces;
    read row_offsets: u32,
    read cols: u32,
    read weights: f32,
    read bias: f32,
    read input: f32,
    write output: f32,
}

impl SpmmParams {
    /// Parameters for one layer of an arena, with `lanes` lanes.
    pub fn of_layer(span: &LayerSpan, lanes: usize, relu: bool) -> Self {
        SpmmParams {
            rows: span.n_out as u32,
            vectors: (lanes / 4) as u32,
            first_row: span.first_row as u32,
            first_col: span.first_col as u32,
            relu: relu.into(),
            cols: span.n_in as u32,
        }
    }

    /// The grid that the kernel needs.
    pub fn grid(&self) -> Grid {
        tiled(self.rows, self.vectors)
    }

    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        tiled_pieces(self.vectors, self.cols, grid, shape)
    }
}

impl SpmmTwin<'_> {
    pub(crate) fn run(self) {
        let (rows, lanes) = (self.params.rows as usize, self.params.vectors as usize * 4);
        let product = Product {
            params: self.params,
            row_offsets: self.row_offsets,
            cols: self.cols,
            weights: self.weights,
            bias: self.bias,
            input: self.input,
            lanes,
        };
        let output = &mut self.output[..rows * lanes];
        write_rows(&product, self.input.len(), lanes, output);
    }
}

/// What the product reads.
struct Product<'a> {
    params: SpmmParams,
    row_offsets: &'a [u32],
    cols: &'a [u32],
    weights: &'a [f32],
    bias: &'a [f32],
    input: &'a [f32],
    lanes: usize,
}

impl Rows for Product<'_> {
    #[inline(always)]
    fn write<S: Simd>(&self, simd: S, unit: usize, lane: usize, output: &mut [f32]) {
        let row = self.params.first_row as usize + unit;
        let range = self.row_offsets[row] as usize..self.row_offsets[row + 1] as usize;
        let pairs = self.cols[range.clone()].iter().zip(&self.weights[range]);
        let terms = pairs.map(|(&col, &weight)| Term {
            weight,
            start: (col - self.params.first_col) as usize * self.lanes + lane,
        });
        let ends = Ends {
            initial: Some(self.bias[row]),
            relu: self.params.relu != 0,
        };
        gather_sum(simd, self.input, terms, ends, output);
    }
}
