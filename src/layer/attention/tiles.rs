//! Tiles of queries and keys, and the lengths of loops over them.

use crate::engine::loops::{Loops, NONE, Piece, looped};
use crate::engine::{Grid, WorkgroupShape};

/// Number of queries, or tokens, in a tile of the shaders.
pub(super) const TILE: usize = 4;

/// The pieces of a kernel that has `inner` loops for every vector of a lane: each piece has some vectors.
pub(super) fn vector_pieces(
    inner: Loops,
    vectors: u32,
    grid: Grid,
    shape: WorkgroupShape,
) -> Vec<Piece> {
    Piece::dealt(grid, vectors, shape.lanes(), |turns| looped(turns, inner))
}

/// Loops of a row of invocations over its share of the keys: once for all of a tile's queries with `products` for every
/// four keys, and `times` for each query, key by key.
pub(super) fn key_loops(tokens: u32, products: Loops, times: u64, shape: WorkgroupShape) -> Loops {
    let tile = TILE as u32;
    let keys = |inner| looped(tokens.div_ceil(tile * shape.rows()), inner);
    let rows = looped(shape.rows(), NONE);
    keys(products) + times * (rows + looped(tile, rows + keys(looped(tile, NONE))))
}
