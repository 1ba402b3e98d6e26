//! All inactive pairs, tile by tile, and the running list of the best: O(n_in * n_out) time, O(N) memory.
//!
//! The list and the tile lie in one array of slots. The list ends at the last slot, and a tile's inactive pairs are
//! written right before it. Layers come last first, as in a backward pass, and so do the tiles of a layer. So the used
//! slots always form one stretch in rising order of (row, column), and a selection that gives ties to the lower slot
//! gives them to the lower pair. A running selection under one total order is exact, whatever the size of the tiles.
//!
//! If every layer has its own selection, a layer's part of the list is closed when the next one begins, and stays after
//! it.

use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use super::table::{REQUESTED, Table};
use crate::engine::loops::{NONE, SEARCH, looped};
use crate::primitive::shared;
use crate::threads::DealOut;

/// Pairs that a task of a twin works on.
const BLOCK: usize = 4096;

/// Words of the list's state: its first slot; the end of the part that is still open; then, for each layer, the number
/// of scored pairs, lower half first. Shader half: `shaders/lib/running_list.wgsl`.
const BEGIN: usize = 0;
const END: usize = 1;
const JUDGED: usize = 2;

/// Words of the state.
pub(super) const fn state_words(layers: usize) -> usize {
    JUDGED + 2 * layers
}

/// The state before the first tile: an empty list.
pub(super) fn empty_list(slots: usize, layers: usize) -> Vec<u32> {
    let mut state = vec![0; state_words(layers)];
    state[BEGIN] = slots as u32;
    state[END] = slots as u32;
    state
}

/// Number of scored pairs, by layer.
pub(super) fn scored(state: &[u32]) -> impl Iterator<Item = usize> {
    let halves = state[JUDGED..].as_chunks::<2>().0.iter();
    halves.map(|&[low, high]| (u64::from(high) << 32 | u64::from(low)) as usize)
}

crate::kernel! {
    /// Writes the inactive pairs of a tile (a stretch of a layer's pairs in the order of row, column) into the slots
    /// before the list, and where each row's pairs lie there. Grid: [`Items`](crate::engine::Grid::Items) = the larger
    /// of length and n_rows + 1.
    pub Enumerate, EnumerateParams, EnumerateTwin = "topology/enumerate", shader!("topology/enumerate");
    params {
        /// Number of pairs in the tile: at least 1.
        length: u32,
        /// Row of the first pair.
        row: u32,
        /// Its input unit, counted from the layer's first.
        input: u32,
        /// Input units of the layer.
        inputs: u32,
        /// The layer's first column in the arena.
        first_col: u32,
        n_rows: u32,
    }
    loops |_, _| 5 * looped(SEARCH, NONE);
    read list: u32,
    read active_offsets: u32,
    read active_cols: u32,
    write rows: u32,
    write cols: u32,
    /// `[R + 1]`: row r's pairs are the slots `offsets[r]..offsets[r + 1]`.
    write offsets: u32,
}

/// A tile and the connections among its pairs.
#[derive(Clone, Copy)]
struct Tile<'a> {
    params: EnumerateParams,
    offsets: &'a [u32],
    cols: &'a [u32],
}

impl Tile<'_> {
    /// Row of a pair of the tile, and its input unit.
    fn pair(&self, at: usize) -> (usize, usize) {
        let (inputs, unit) = (self.params.inputs as usize, self.params.input as usize + at);
        (self.params.row as usize + unit / inputs, unit % inputs)
    }

    /// Number of connections of the arena that lie before a pair of the tile, or before its end.
    fn connections_before(&self, at: usize) -> usize {
        let (row, input) = self.pair(at);
        let start = self.offsets[row] as usize;
        if input == 0 {
            return start; // of the row behind the last, too
        }
        let cols = &self.cols[start..self.offsets[row + 1] as usize];
        start + cols.partition_point(|&col| col - self.params.first_col < input as u32)
    }

    /// Number of inactive pairs in a range.
    fn inactive(&self, range: std::ops::Range<usize>) -> usize {
        let active = self.connections_before(range.end) - self.connections_before(range.start);
        range.len() - active
    }

    /// Writes the inactive pairs of a range; `rows` and `cols` are exactly as long.
    fn write(&self, range: std::ops::Range<usize>, rows: &mut [u32], cols: &mut [u32]) {
        let inputs = self.params.inputs as usize;
        let first_col = self.params.first_col;
        let mut connection = self.connections_before(range.start);
        let (mut at, mut out) = (range.start, 0);
        while at < range.end {
            let (row, mut input) = self.pair(at);
            let row_end = self.offsets[row + 1] as usize;
            let end = inputs.min(input + range.end - at);
            at += end - input;
            // Each run goes from one connection of the row to the next.
            while input < end {
                let next = self.cols[connection..row_end].first();
                let next = next.map_or(inputs, |&col| (col - first_col) as usize);
                let stop = next.min(end);
                let run = out..out + stop - input;
                rows[run.clone()].fill(row as u32);
                let columns = first_col + input as u32..;
                (cols[run].iter_mut().zip(columns)).for_each(|(col, c)| *col = c);
                out += stop - input;
                connection += usize::from(next < end);
                input = stop + 1;
            }
        }
    }
}

impl EnumerateTwin<'_> {
    fn run(self) {
        let p = self.params;
        let length = p.length as usize;
        let tile = Tile {
            params: p,
            offsets: self.active_offsets,
            cols: self.active_cols,
        };
        let end = self.list[BEGIN] as usize;
        let first = end - tile.inactive(0..length);
        // Each task's pairs fill slots of their own.
        let (mut rows, mut cols) = (&mut self.rows[first..end], &mut self.cols[first..end]);
        let mut tasks = Vec::new();
        for start in (0..length).step_by(BLOCK) {
            let range = start..length.min(start + BLOCK);
            let own_rows;
            let own_cols;
            (own_rows, rows) = rows.split_at_mut(tile.inactive(range.clone()));
            (own_cols, cols) = cols.split_at_mut(own_rows.len());
            tasks.push((range, own_rows, own_cols));
        }
        (tasks.into_par_iter()).deal_out(|(range, rows, cols)| tile.write(range, rows, cols));
        for (row, offset) in self.offsets[..=p.n_rows as usize].iter_mut().enumerate() {
            let before = row.saturating_sub(p.row as usize) * p.inputs as usize;
            let before = before.saturating_sub(p.input as usize).min(length);
            *offset = (first + tile.inactive(0..before)) as u32;
        }
    }
}

crate::kernel! {
    /// Prepares the selection among a tile and the open part of the list: where they lie, and how many to keep.
    /// Advances the list's state to what it will be afterwards. Grid: [`Groups`](crate::engine::Grid::Groups) of 1.
    pub ExtendList, ExtendListParams, ExtendListTwin = "topology/extend_list", shader!("topology/extend_list");
    params {
        layer: u32,
        /// The segment of the table with the requested number.
        segment: u32,
        /// 1: the list's contents belong to other segments, and this tile is the first of its own.
        opens: u32,
    }
    no loops;
    read table: u32,
    /// The tile's offsets: its pairs begin at the first of them.
    read offsets: u32,
    write list: u32,
    write starts: u32,
    write state: u32,
    write histogram: u32,
}

impl ExtendListTwin<'_> {
    fn run(self) {
        let p = self.params;
        let first = self.offsets[0];
        let begin = self.list[BEGIN];
        let end = if p.opens != 0 { begin } else { self.list[END] };
        let requested = Table(self.table).get(p.segment as usize, REQUESTED) as u32;
        let taken = requested.min(end - first);
        self.histogram[..256].fill(0);
        self.starts[..2].copy_from_slice(&[first, end]);
        self.state[..2].copy_from_slice(&[0, taken]);
        self.list[BEGIN] = end - taken;
        self.list[END] = end;
        let [low, high] = &mut self.list[JUDGED..].as_chunks_mut().0[p.layer as usize];
        let (sum, carry) = low.overflowing_add(begin - first);
        *low = sum;
        *high += u32::from(carry);
    }
}

crate::kernel! {
    /// Compacts the taken slots into arrays of their own. `ranks` and `starts` belong to the selection. Grid:
    /// [`Items`](crate::engine::Grid::Items) = slots, counted from the tile's first on.
    pub KeepBest, KeepBestParams, KeepBestTwin = "topology/keep_best", shader!("topology/keep_best");
    params { slots: u32 }
    no loops;
    read ranks: u32,
    read rows: u32,
    read cols: u32,
    read scores: u32,
    write best_rows: u32,
    write best_cols: u32,
    write best_scores: u32,
    read starts: u32,
}

impl KeepBestTwin<'_> {
    fn run(self) {
        let best_rows = shared(self.best_rows);
        let best_cols = shared(self.best_cols);
        let best_scores = shared(self.best_scores);
        let slots = self.params.slots as usize;
        let ranks = &self.ranks[..=slots];
        (0..slots.div_ceil(BLOCK))
            .into_par_iter()
            .deal_out(|block| {
                let first = block * BLOCK;
                let ranks = &ranks[first..=slots.min(first + BLOCK)];
                let mut place = ranks[0];
                // Most blocks of a later tile have none.
                if ranks[ranks.len() - 1] == place {
                    return;
                }
                let begin = self.starts[0] as usize + first;
                for (slot, &next) in (begin..).zip(&ranks[1..]) {
                    if next > place {
                        best_rows[place as usize].store(self.rows[slot], Relaxed);
                        best_cols[place as usize].store(self.cols[slot], Relaxed);
                        best_scores[place as usize].store(self.scores[slot], Relaxed);
                        place = next;
                    }
                }
            });
    }
}

crate::kernel! {
    /// Puts the best into the open part of the list. Grid: [`Items`](crate::engine::Grid::Items) = capacity of the
    /// list.
    pub PutBack, PutBackParams, PutBackTwin = "topology/put_back", shader!("topology/put_back");
    params { capacity: u32 }
    no loops;
    read list: u32,
    read best_rows: u32,
    read best_cols: u32,
    read best_scores: u32,
    write rows: u32,
    write cols: u32,
    write scores: u32,
}

impl PutBackTwin<'_> {
    fn run(self) {
        let open = self.list[BEGIN] as usize..self.list[END] as usize;
        let best = open.len();
        self.rows[open.clone()].copy_from_slice(&self.best_rows[..best]);
        self.cols[open.clone()].copy_from_slice(&self.best_cols[..best]);
        self.scores[open].copy_from_slice(&self.best_scores[..best]);
    }
}

crate::kernel! {
    /// Turns the list into the round's candidates, from slot 0 on, with row `n_rows` after the last one. Grid:
    /// [`Items`](crate::engine::Grid::Items) = capacity.
    pub Settle, SettleParams, SettleTwin = "topology/settle", shader!("topology/settle");
    params {
        /// Number of candidate slots: the largest length of the list.
        capacity: u32,
        /// The list's end.
        slots: u32,
        n_rows: u32,
    }
    no loops;
    read list: u32,
    read rows: u32,
    read cols: u32,
    read scores: u32,
    write out_rows: u32,
    write out_cols: u32,
    write out_scores: u32,
}

impl SettleTwin<'_> {
    fn run(self) {
        let p = self.params;
        let list = self.list[BEGIN] as usize..p.slots as usize;
        let (used, capacity) = (list.len(), p.capacity as usize);
        self.out_rows[..used].copy_from_slice(&self.rows[list.clone()]);
        self.out_cols[..used].copy_from_slice(&self.cols[list.clone()]);
        self.out_scores[..used].copy_from_slice(&self.scores[list]);
        self.out_rows[used..capacity].fill(p.n_rows);
        self.out_cols[used..capacity].fill(0);
        self.out_scores[used..capacity].fill(0);
    }
}
