//! Drawing: from the sums behind f and g, if a method has them, to the candidate set S.

use super::{Recorder, Sampled};
use crate::engine::{Grid, Plan};
use crate::error::Result;
use crate::primitive::{Pairs, RadixSort, bits_for};
use crate::topology::candidates::{Compact, CompactParams, Mark, MarkParams, Sample, SampleParams};
use crate::topology::cumulate::{Cumulate, CumulateParams};
use crate::topology::table;

impl Recorder<'_> {
    /// Records the draw, or nothing if the step itself goes through all pairs. Says where the candidates will be after
    /// it has run, or after the list of the best has settled.
    pub fn sample(mut self) -> Result<(Plan, Sampled)> {
        let [a, b] = self.scratch.pairs();
        let (sampled, candidates) = match &self.scratch.list {
            Some(_) => (a, b),
            None => {
                if self.sizes.weighted {
                    self.cumulate()?;
                }
                self.draw_from(a, b, 0)?
            }
        };
        let sampled = Sampled {
            candidates,
            scores: sampled.keys,
            grow_ranks: sampled.values,
        };
        Ok((self.plan, sampled))
    }

    /// Records another draw in the same round: the candidates found so far stay, and every other slot is drawn anew.
    pub fn resample(mut self, sampled: &Sampled) -> Result<Plan> {
        let mut free = sampled.sorted().swapped();
        let mut candidates = sampled.candidates.clone();
        // An odd number of sorting passes leaves the candidates in the other arrays; one more draw brings them back.
        for number in 1..=1 + self.sorting_passes() % 2 {
            let (sorted, found) = self.draw_from(free, candidates.swapped(), number)?;
            free = sorted.swapped();
            candidates = found;
        }
        Ok(self.plan)
    }

    /// Draws, sorts and drops, using the arrays `to`. `held` has the candidates so far, with columns as keys, like
    /// `to`. Returns the sorted pairs, whose arrays are free again, and the candidates with rows as keys.
    fn draw_from(&mut self, to: Pairs, held: Pairs, number: u32) -> Result<(Pairs, Pairs)> {
        self.sample_pairs(&to, &held, number)?;
        // The sorted pairs are in one pair of arrays, and their candidates go into the other.
        let (sampled, candidates) = self.sort(to, held)?;
        self.keep_candidates(&sampled, &candidates)?;
        Ok((sampled, candidates))
    }

    /// The statistics f and g as running sums.
    fn cumulate(&mut self) -> Result<()> {
        let s = self.scratch;
        let [inputs, outputs] = [self.most(|span| span.n_in), self.most(|span| span.n_out)];
        for (sums, first, units) in [
            (&s.inputs, table::COL, inputs),
            (&s.outputs, table::ROW, outputs),
        ] {
            self.plan.dispatch(
                Cumulate {
                    params: CumulateParams {
                        layers: self.layers(),
                        first: first as u32,
                        units,
                    },
                    table: s.table.all(),
                    sums: sums.all(),
                },
                Grid::Groups(self.arena.spans.len()),
            )?;
        }
        Ok(())
    }

    /// Draws pairs with columns as keys and rows as values.
    fn sample_pairs(&mut self, to: &Pairs, held: &Pairs, redraw: u32) -> Result<()> {
        let s = self.scratch;
        self.plan.dispatch(
            Sample {
                params: SampleParams {
                    capacity: self.capacity(),
                    layers: self.layers(),
                    n_rows: self.n_rows(),
                    weighted: u32::from(self.sizes.weighted),
                    redraw,
                },
                table: s.table.all(),
                inputs: s.inputs.all(),
                outputs: s.outputs.all(),
                cols: to.keys.clone(),
                rows: to.values.clone(),
                held_offsets: s.candidate_offsets.all(),
                held_cols: held.keys.clone(),
                held_rows: held.values.clone(),
                step: self.step.clone(),
            },
            Grid::Items(self.sizes.capacity),
        )
    }

    /// Sorts by column, then stably by row. Returns the sorted pairs, rows as keys, and the spare arrays.
    fn sort(&mut self, sampled: Pairs, spare: Pairs) -> Result<(Pairs, Pairs)> {
        let sort = &self.scratch.sort;
        let n = self.sizes.capacity;
        let [cols, rows] = self.key_bits();
        let (by_col, spare) = sort.sort(&mut self.plan, n, cols, sampled, spare)?;
        sort.sort(&mut self.plan, n, rows, by_col.swapped(), spare.swapped())
    }

    /// The number of bits in a column and in a row.
    fn key_bits(&self) -> [u32; 2] {
        [self.arena.n_cols, self.arena.n_rows + 1].map(bits_for)
    }

    /// How often the sort moves the pairs to the other arrays.
    fn sorting_passes(&self) -> u32 {
        self.key_bits().map(RadixSort::passes).iter().sum()
    }

    /// Drops duplicates and active pairs, and turns rows into offsets.
    fn keep_candidates(&mut self, sampled: &Pairs, candidates: &Pairs) -> Result<()> {
        let s = self.scratch;
        let (capacity, n_rows) = (self.capacity(), self.n_rows());
        self.plan.dispatch(
            Mark {
                params: MarkParams { capacity, n_rows },
                rows: sampled.keys.clone(),
                cols: sampled.values.clone(),
                active_offsets: self.arena.row_offsets.all(),
                active_cols: self.arena.cols.all(),
                marks: s.ties.all(),
            },
            Grid::Items(self.sizes.capacity + 1),
        )?;
        s.scan
            .record(&mut self.plan, &s.ties.all(), self.sizes.capacity + 1)?;
        self.plan.dispatch(
            Compact {
                params: CompactParams { capacity, n_rows },
                ranks: s.ties.all(),
                rows: sampled.keys.clone(),
                cols: sampled.values.clone(),
                out_rows: candidates.keys.clone(),
                out_cols: candidates.values.clone(),
            },
            Grid::Items(self.sizes.capacity),
        )?;
        self.offsets(
            candidates.keys.clone(),
            self.sizes.capacity,
            &s.candidate_offsets,
            self.arena.n_rows,
        )
    }
}
