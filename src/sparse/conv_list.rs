//! What the convolutions' products have in common: tiles of positions, lines of tiles, and in the hardware shape the
//! list of a unit's connections in workgroup memory (`shaders/lib/conv_list.wgsl`).

use crate::engine::loops::{Loops, NONE, Piece, looped};
use crate::engine::{Grid, WorkgroupShape};

/// Adjacent positions of a row that one invocation computes.
pub(super) const TILE: usize = 4;

/// Number of items, each a tile of positions for four lanes of the batch, that a line of lanes computes: one per lane
/// in the hardware shape, four in the software shape.
pub(super) const LINE: usize = 32;

/// The variant of the convolutions that also sum over a workgroup, for which other numbers of lanes would mean another
/// order: the loads of four connections are in flight instead of those of two.
pub(super) const FOUR: &[WorkgroupShape] = &[WorkgroupShape::hardware(32, 4).unrolled(8)];

/// Number of connections that a workgroup of the hardware shape lists at a time, in 2 KiB: all of most rows at once.
const LISTED: u32 = 128;

/// The pieces of a product in the hardware shape, each with as many of a unit's `connections` as an invocation may sum
/// for all its items. A workgroup has one unit, and a line of items for each of its rows. `tile`: loops that find an
/// item's place; `others`: loops that may replace the two over pairs of connections, inside and at the border.
pub(super) fn listed_pieces(
    [units, lines, connections]: [u32; 3],
    shape: WorkgroupShape,
    tile: Loops,
    others: impl Fn(u32) -> Loops,
) -> Vec<Piece> {
    let groups = units as usize * lines.div_ceil(shape.rows()) as usize;
    let items = (LINE as u32).div_ceil(shape.lanes());
    Piece::ranges(Grid::Groups(groups), connections, 1, |n| {
        looped(items, tile + listed(n, shape, &others))
    })
}

/// Loops in which a workgroup goes through the list of `n` connections.
pub(super) fn listed(n: u32, shape: WorkgroupShape, others: impl Fn(u32) -> Loops) -> Loops {
    let at_once = n.min(LISTED);
    let list = looped(at_once.div_ceil(shape.invocations()), NONE);
    let at_a_time = match shape.unroll() {
        8 => looped(at_once / 4, NONE) + looped(1, NONE),
        _ => looped(at_once / 2, NONE),
    };
    let sums = 2 * at_a_time + others(at_once);
    looped(n.div_ceil(LISTED), list + sums)
}
