//! Exchanging connections: how many, and merging the surviving and grown ones into the arena's order.

use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use super::candidates::Walk;
use super::table::{REQUESTED, ROW, Table};
use crate::engine::loops::{NONE, SEARCH, looped};
use crate::primitive::{STATE_WORDS, shared};
use crate::threads::DealOut;

/// Marks a source as a candidate. So there must be fewer than 2^31 connections and candidates.
const GROWN: u32 = 1 << 31;
/// Connections that a task of a twin works on.
const BLOCK: usize = 4096;

crate::kernel! {
    /// Prepares the two selections: the segments' starts among connections and candidates, and for each segment
    /// `k = min(requested, |A|, |S|)`, the number to take from both. Zeroes the selections' histogram. Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = segments + 1.
    pub Segments, SegmentsParams, SegmentsTwin = "topology/segments", shader!("topology/segments");
    params { segments: u32, layers: u32 }
    no loops;
    read table: u32,
    read active_offsets: u32,
    read candidate_offsets: u32,
    write prune_starts: u32,
    write grow_starts: u32,
    write prune_state: u32,
    write grow_state: u32,
    write histogram: u32,
}

impl SegmentsTwin<'_> {
    fn run(self) {
        let p = self.params;
        let segments = p.segments as usize;
        let table = Table(self.table);
        let row = |segment: usize| {
            let last = segment == segments;
            table.get(if last { p.layers as usize } else { segment }, ROW)
        };
        self.histogram[..segments * 256].fill(0);
        for segment in 0..=segments {
            self.prune_starts[segment] = self.active_offsets[row(segment)];
            self.grow_starts[segment] = self.candidate_offsets[row(segment)];
        }
        for segment in 0..segments {
            let length = |starts: &[u32]| starts[segment + 1] - starts[segment];
            let exchanged = (table.get(segment, REQUESTED) as u32)
                .min(length(self.prune_starts))
                .min(length(self.grow_starts));
            let state = segment * STATE_WORDS..(segment + 1) * STATE_WORDS;
            self.prune_state[state.clone()].copy_from_slice(&[0, exchanged]);
            self.grow_state[state].copy_from_slice(&[0, exchanged]);
        }
    }
}

crate::kernel! {
    /// `sources[p] = j` for every connection `j` that survives, where `p` is its place in the new order. Grid:
    /// [`Items`](crate::engine::Grid::Items) = connections.
    pub PlaceSurvivors, PlaceSurvivorsParams, PlaceSurvivorsTwin =
        "topology/place_survivors", shader!("topology/place_survivors");
    params { connections: u32 }
    loops |_, _| looped(SEARCH, NONE);
    read rows: u32,
    read cols: u32,
    read prune_ranks: u32,
    read candidate_offsets: u32,
    read candidate_cols: u32,
    read grow_ranks: u32,
    write sources: u32,
}

impl PlaceSurvivorsTwin<'_> {
    fn run(self) {
        let sources = shared(self.sources);
        in_blocks(self.params.connections, |block| {
            let mut walk = Walk::new(self.candidate_offsets, self.candidate_cols);
            for j in block {
                let pruned_before = self.prune_ranks[j];
                if self.prune_ranks[j + 1] == pruned_before {
                    let at = walk.lower_bound(self.rows[j], self.cols[j]);
                    let place = j - pruned_before as usize + self.grow_ranks[at] as usize;
                    sources[place].store(j as u32, Relaxed);
                }
            }
        });
    }
}

/// Runs `work` on blocks of `0..length`.
fn in_blocks(length: u32, work: impl Fn(std::ops::Range<usize>) + Sync) {
    let length = length as usize;
    (0..length.div_ceil(BLOCK))
        .into_par_iter()
        .deal_out(|block| work(block * BLOCK..length.min((block + 1) * BLOCK)));
}

crate::kernel! {
    /// `sources[p] = 2^31 + i` for every candidate `i` that is grown. Grid: [`Items`](crate::engine::Grid::Items) =
    /// capacity.
    pub PlaceGrown, PlaceGrownParams, PlaceGrownTwin = "topology/place_grown", shader!("topology/place_grown");
    params { capacity: u32 }
    loops |_, _| looped(SEARCH, NONE);
    read candidate_rows: u32,
    read candidate_cols: u32,
    read grow_ranks: u32,
    read active_offsets: u32,
    read active_cols: u32,
    read prune_ranks: u32,
    write sources: u32,
}

impl PlaceGrownTwin<'_> {
    fn run(self) {
        let sources = shared(self.sources);
        in_blocks(self.params.capacity, |block| {
            let mut walk = Walk::new(self.active_offsets, self.active_cols);
            for i in block {
                let grown_before = self.grow_ranks[i];
                if self.grow_ranks[i + 1] > grown_before {
                    let at = walk.lower_bound(self.candidate_rows[i], self.candidate_cols[i]);
                    let place = grown_before as usize + at - self.prune_ranks[at] as usize;
                    sources[place].store(GROWN | i as u32, Relaxed);
                }
            }
        });
    }
}

crate::kernel! {
    /// Rows and columns in the new order, gathered by `sources`. Grid: [`Items`](crate::engine::Grid::Items) =
    /// connections.
    pub MergePairs, MergePairsParams, MergePairsTwin = "topology/merge_pairs", shader!("topology/merge_pairs");
    params { connections: u32 }
    no loops;
    read sources: u32,
    read rows: u32,
    read cols: u32,
    read candidate_rows: u32,
    read candidate_cols: u32,
    write new_rows: u32,
    write new_cols: u32,
}

impl MergePairsTwin<'_> {
    fn run(self) {
        (self.sources[..self.params.connections as usize].par_iter())
            .zip(self.new_rows)
            .zip(self.new_cols)
            .with_min_len(BLOCK)
            .deal_out(|((&source, row), col)| {
                let (rows, cols) = match source & GROWN {
                    0 => (self.rows, self.cols),
                    _ => (self.candidate_rows, self.candidate_cols),
                };
                let at = (source & !GROWN) as usize;
                (*row, *col) = (rows[at], cols[at]);
            });
    }
}

crate::kernel! {
    /// An array of the connections in the new order: a survivor keeps its bits, a grown connection gets `start`. Grid:
    /// [`Items`](crate::engine::Grid::Items) = connections.
    pub MergeState, MergeStateParams, MergeStateTwin = "topology/merge_state", shader!("topology/merge_state");
    params {
        connections: u32,
        /// The bits of the starting value.
        start: u32,
    }
    no loops;
    read sources: u32,
    read own: u32,
    write merged: u32,
}

impl MergeStateTwin<'_> {
    fn run(self) {
        let MergeStateParams { connections, start } = self.params;
        (self.sources[..connections as usize].par_iter())
            .zip(self.merged)
            .with_min_len(BLOCK)
            .deal_out(|(&source, merged)| {
                *merged = match source & GROWN {
                    0 => self.own[source as usize],
                    _ => start,
                };
            });
    }
}

crate::kernel! {
    /// Copies a merged array into the arena. Grid: [`Items`](crate::engine::Grid::Items) = connections.
    pub CopyBack, CopyBackParams, CopyBackTwin = "topology/copy_back", shader!("topology/copy_back");
    params { connections: u32 }
    no loops;
    read merged: u32,
    write own: u32,
}

impl CopyBackTwin<'_> {
    fn run(self) {
        let n = self.params.connections as usize;
        self.own[..n].copy_from_slice(&self.merged[..n]);
    }
}
