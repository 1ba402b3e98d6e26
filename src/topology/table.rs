//! The small table that the host uploads before each round: everything that depends on the number of active
//! connections.
//!
//! Shader half: `shaders/lib/round_table.wgsl`.

use crate::sparse::LayerSpan;

/// Words of a table row.
pub(super) const WORDS: usize = 8;
/// First candidate slot of the layer; in the row after the last, the number of slots.
pub(super) const SLOT: usize = 0;
/// First column; the number of input units follows.
pub(super) const COL: usize = 1;
/// First row; the number of output units follows.
pub(super) const ROW: usize = 3;
/// Number of connections to exchange in the segment with this index.
pub(super) const REQUESTED: usize = 5;
/// 1: the layer's slots are all its pairs, in order.
pub(super) const COMPLETE: usize = 6;
/// In the row after the last: the number of draws in this round before the program that reads this.
pub(super) const DRAWS: usize = 7;

/// The candidate slots of a layer in one round.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Slots {
    /// How many.
    pub count: usize,
    /// Whether they are all pairs of the layer, in order, instead of drawn ones.
    pub complete: bool,
}

/// `[layers + 1][WORDS]`, for a round's first draw. `slots` and `requested` are per layer; a single segment for all
/// layers has its number in the first.
pub(super) fn build(spans: &[LayerSpan], slots: &[Slots], requested: &[usize]) -> Vec<u32> {
    let mut table = Vec::with_capacity((spans.len() + 1) * WORDS);
    let mut first_slot = 0;
    let (mut cols, mut rows) = (0, 0);
    for (l, span) in spans.iter().enumerate() {
        let requested = requested.get(l).copied().unwrap_or(0);
        let row = [
            first_slot,
            span.first_col,
            span.n_in,
            span.first_row,
            span.n_out,
            requested,
            usize::from(slots[l].complete),
            0,
        ];
        table.extend(row.map(|word| word as u32));
        first_slot += slots[l].count;
        cols = span.first_col + span.n_in;
        rows = span.first_row + span.n_out;
    }
    table.extend([first_slot, cols, 0, rows, 0, 0, 0, 0].map(|word| word as u32));
    table
}

/// A table as a twin reads it.
#[derive(Clone, Copy)]
pub(super) struct Table<'a>(pub &'a [u32]);

impl Table<'_> {
    /// Word `word` of row `layer`.
    pub fn get(self, layer: usize, word: usize) -> usize {
        self.0[layer * WORDS + word] as usize
    }

    /// The candidate slots of a layer, at most `capacity`.
    pub fn slots(self, layer: usize, capacity: usize) -> std::ops::Range<usize> {
        self.get(layer, SLOT).min(capacity)..self.get(layer + 1, SLOT).min(capacity)
    }
}
