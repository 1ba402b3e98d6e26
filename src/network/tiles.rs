//! Tiles of the gradients of a dense network's weights: a few rows of a layer each.

use std::ops::Range;

use crate::engine::{Buffer, Device, Plan, Program};
use crate::error::{Error, Misfit, Result};
use crate::model::Model;

/// Maximum number of pairs in a tile; but a tile has at least [`ROWS`] rows, however long they are.
const PAIRS: usize = 1 << 18;

/// Tiles are multiples of this many rows, except for a layer's last one: each row of delta has at least four words, and
/// views begin at multiples of 64.
const ROWS: usize = 16;

/// Rows of a layer whose gradients are in the tile after a given number of dispatches of their pass.
#[derive(Clone)]
pub(super) struct Tile {
    pub dispatches: usize,
    pub layer: usize,
    /// Pairs, as numbers within the layer.
    pub pairs: Range<usize>,
}

/// A pass whose weight gradients are in the tile one after the other: each tile's after its program has run.
pub(super) type TiledPass = Vec<(Program, Tile)>;

/// Rows of a layer's tiles.
pub(super) fn rows(n_in: usize, n_out: usize) -> usize {
    let fit = PAIRS / n_in.max(1);
    (fit / ROWS * ROWS).max(ROWS).min(n_out)
}

/// Number of words of the largest tile.
pub(super) fn words(model: &Model) -> usize {
    let shapes = model.shapes();
    let tiles = shapes.iter().map(|s| rows(s.n_in, s.n_out) * s.n_in);
    tiles.max().unwrap_or(1)
}

/// Prepares a pass, whose transient buffers have their places, to be run tile by tile.
pub(super) fn prepare(device: &Device, plan: &Plan, tiles: Vec<Tile>) -> Result<TiledPass> {
    let stretches = plan.stretches(tiles.iter().map(|tile| tile.dispatches));
    (stretches.iter().zip(tiles))
        .map(|(stretch, tile)| Ok((device.prepare(stretch)?, tile)))
        .collect()
}

/// The memory of a tile, for a network that has one.
pub(super) fn tile(buffer: &Option<Buffer>) -> Result<&Buffer> {
    let missing = || {
        Error::Shape(Misfit::NotMadeFor {
            what: "gradients in tiles",
            option: "purpose",
        })
    };
    buffer.as_ref().ok_or_else(missing)
}
