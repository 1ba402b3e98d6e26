//! The candidate set S: pairs drawn, sorted, without duplicates and without active connections.

use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use super::table::{COL, COMPLETE, DRAWS, ROW, SLOT, Table};
use crate::engine::loops::{NONE, SEARCH, looped};
use crate::engine::random::{Stream, below, random, unit};
use crate::engine::step_state::StepState;
use crate::primitive::shared;
use crate::threads::DealOut;

/// Pairs that a task of a twin works on.
const BLOCK: usize = 4096;

crate::kernel! {
    /// Draws the pairs of all slots in use: a from f, b from g, independently, with replacement. A distribution that is
    /// all zero counts as uniform. In a further draw of a round, a layer's first slots take the candidates found
    /// before. A layer marked in the table gets all its pairs, in order. Grid: [`Items`](crate::engine::Grid::Items) =
    /// capacity.
    pub Sample, SampleParams, SampleTwin = "topology/sample", shader!("topology/sample");
    params {
        /// Number of slots, in use or not.
        capacity: u32,
        layers: u32,
        /// Also the row of unused slots, so that sorting puts them last.
        n_rows: u32,
        /// 0: both distributions are uniform, and `inputs` and `outputs` are not used.
        weighted: u32,
        /// 0: the round's first draw, with nothing held; otherwise the number of this draw in its program.
        redraw: u32,
    }
    loops |_, _| 3 * looped(SEARCH, NONE);
    read table: u32,
    /// `[C]`: running sums of f, layer by layer.
    read inputs: f32,
    /// `[R]`: running sums of g.
    read outputs: f32,
    write cols: u32,
    write rows: u32,
    /// `[R + 1]`: row r's candidates so far are `held_offsets[r]..held_offsets[r + 1]`; not read in a first draw.
    read held_offsets: u32,
    /// `[capacity]`
    read held_cols: u32,
    /// `[capacity]`
    read held_rows: u32,
    uniform step: StepState,
}

impl SampleTwin<'_> {
    fn run(self) {
        let p = self.params;
        let step = self.step;
        let table = Table(self.table);
        slots(
            self.cols,
            self.rows,
            table,
            p.capacity,
            p.layers,
            p.n_rows,
            |layer| {
                let side = |sums, word: usize| {
                    Side::new(
                        sums,
                        table.get(layer, word),
                        table.get(layer, word + 1),
                        p.weighted,
                    )
                };
                let f = side(self.inputs, COL);
                let g = side(self.outputs, ROW);
                let first_slot = table.get(layer, SLOT) as u32;
                let complete = table.get(layer, COMPLETE) != 0;
                let held = match p.redraw {
                    0 => 0..0,
                    _ => {
                        let rows = table.get(layer, ROW)..table.get(layer, ROW) + g.units;
                        self.held_offsets[rows.start]..self.held_offsets[rows.end]
                    }
                };
                let draw = table.get(p.layers as usize, DRAWS) as u32 + p.redraw;
                move |place| {
                    if complete {
                        let n_in = f.units as u32;
                        return (f.first as u32 + place % n_in, g.first as u32 + place / n_in);
                    }
                    let at = held.start + place;
                    if at < held.end {
                        return (self.held_cols[at as usize], self.held_rows[at as usize]);
                    }
                    let words = match p.redraw {
                        0 => random(
                            step.seed,
                            step.step,
                            Stream::Candidates,
                            layer as u32,
                            place,
                        ),
                        _ => random(
                            step.seed,
                            step.step,
                            Stream::Redraws,
                            draw,
                            first_slot + place,
                        ),
                    };
                    (f.draw(words[0]), g.draw(words[1]))
                }
            },
        );
    }
}

/// One layer's distribution over its units on one side.
struct Side<'a> {
    first: usize,
    units: usize,
    /// The running sums, and where to start in them for each value of the word's highest bits; none if the distribution
    /// is uniform.
    search: Option<(&'a [f32], Vec<u32>)>,
}

/// Bits that choose where a search starts. What remains is few enough units to walk through, without a mispredicted
/// branch at each step.
const GUIDE_BITS: u32 = 12;

impl<'a> Side<'a> {
    fn new(sums: &'a [f32], first: usize, units: usize, weighted: u32) -> Self {
        let uniform = Side {
            first,
            units,
            search: None,
        };
        if weighted == 0 || units == 0 {
            return uniform;
        }
        let sums = &sums[first..first + units];
        let total = sums[units - 1];
        if !(total > 0.0 && total <= f32::MAX) {
            return uniform;
        }
        // The place rises with the word, so the place of the smallest word with these bits is a lower bound.
        let guide = (0..1u32 << GUIDE_BITS)
            .map(|bits| {
                let threshold = unit(bits << (32 - GUIDE_BITS)) * total;
                sums[..units - 1].partition_point(|&sum| sum <= threshold) as u32
            })
            .collect();
        Side {
            search: Some((sums, guide)),
            ..uniform
        }
    }

    fn draw(&self, word: u32) -> u32 {
        let index = match &self.search {
            None => below(word, self.units as u32) as usize,
            Some((sums, guide)) => {
                let last = self.units - 1;
                let threshold = unit(word) * sums[last];
                let mut at = guide[(word >> (32 - GUIDE_BITS)) as usize] as usize;
                while at < last && sums[at] <= threshold {
                    at += 1;
                }
                at
            }
        };
        (self.first + index) as u32
    }
}

/// Sets the column and row of every slot: `of_layer` gives a function of the slot's index within the layer.
fn slots<F: Fn(u32) -> (u32, u32) + Sync>(
    cols: &mut [u32],
    rows: &mut [u32],
    table: Table<'_>,
    capacity: u32,
    layers: u32,
    n_rows: u32,
    of_layer: impl Fn(usize) -> F,
) {
    let capacity = capacity as usize;
    let mut used = 0;
    for layer in 0..layers as usize {
        let range = table.slots(layer, capacity);
        used = range.end;
        let pair = of_layer(layer);
        cols[range.clone()]
            .par_iter_mut()
            .zip(&mut rows[range])
            .enumerate()
            .with_min_len(BLOCK)
            .deal_out(|(slot, (col, row))| (*col, *row) = pair(slot as u32));
    }
    cols[used..capacity].fill(0);
    rows[used..capacity].fill(n_rows);
}

crate::kernel! {
    /// `marks[i]` = 1 if the sorted pair `i` is in use, not equal to the one before, and not active;
    /// `marks[capacity]` = 0. Grid: [`Items`](crate::engine::Grid::Items) = capacity + 1.
    pub Mark, MarkParams, MarkTwin = "topology/mark", shader!("topology/mark");
    params { capacity: u32, n_rows: u32 }
    loops |_, _| looped(SEARCH, NONE);
    read rows: u32,
    read cols: u32,
    read active_offsets: u32,
    read active_cols: u32,
    write marks: u32,
}

impl MarkTwin<'_> {
    fn run(self) {
        let p = self.params;
        let capacity = p.capacity as usize;
        let (rows, cols) = (&self.rows[..capacity], &self.cols[..capacity]);
        self.marks[capacity] = 0;
        self.marks[..capacity]
            .par_chunks_mut(BLOCK)
            .enumerate()
            .deal_out(|(chunk, marks)| {
                let mut walk = Walk::new(self.active_offsets, self.active_cols);
                for (i, mark) in (chunk * BLOCK..).zip(marks) {
                    let pair = (rows[i], cols[i]);
                    let again = i > 0 && (rows[i - 1], cols[i - 1]) == pair;
                    *mark = u32::from(
                        pair.0 < p.n_rows && !again && {
                            let at = walk.lower_bound(pair.0, pair.1);
                            !(at < walk.end && self.active_cols[at] == pair.1)
                        },
                    );
                }
            });
    }
}

/// Lower bounds of rising (row, column) pairs in compressed rows, found by walking; a shader searches instead.
pub(super) struct Walk<'a> {
    offsets: &'a [u32],
    cols: &'a [u32],
    row: Option<u32>,
    at: usize,
    /// End of the current row.
    pub end: usize,
}

impl<'a> Walk<'a> {
    pub fn new(offsets: &'a [u32], cols: &'a [u32]) -> Self {
        Walk {
            offsets,
            cols,
            row: None,
            at: 0,
            end: 0,
        }
    }

    /// The first place in `row` whose column is not below `col`.
    pub fn lower_bound(&mut self, row: u32, col: u32) -> usize {
        if self.row != Some(row) {
            self.row = Some(row);
            self.at = self.offsets[row as usize] as usize;
            self.end = self.offsets[row as usize + 1] as usize;
        }
        while self.at < self.end && self.cols[self.at] < col {
            self.at += 1;
        }
        self.at
    }
}

crate::kernel! {
    /// Compacts the marked pairs; the rest gets row `n_rows`. `ranks` are the scanned marks. Grid:
    /// [`Items`](crate::engine::Grid::Items) = capacity.
    pub Compact, CompactParams, CompactTwin = "topology/compact", shader!("topology/compact");
    params { capacity: u32, n_rows: u32 }
    no loops;
    read ranks: u32,
    read rows: u32,
    read cols: u32,
    write out_rows: u32,
    write out_cols: u32,
}

impl CompactTwin<'_> {
    fn run(self) {
        let capacity = self.params.capacity as usize;
        let (out_rows, out_cols) = (shared(self.out_rows), shared(self.out_cols));
        self.ranks[..=capacity]
            .par_windows(2)
            .enumerate()
            .with_min_len(BLOCK)
            .deal_out(|(i, ranks)| {
                if ranks[1] > ranks[0] {
                    out_rows[ranks[0] as usize].store(self.rows[i], Relaxed);
                    out_cols[ranks[0] as usize].store(self.cols[i], Relaxed);
                }
            });
        let used = self.ranks[capacity] as usize;
        self.out_rows[used..capacity].fill(self.params.n_rows);
        self.out_cols[used..capacity].fill(0);
    }
}
