//! Drawing: from the sums behind f and g, where a method has them, to the candidate set S.

use super::{Drawn, Recorder};
use crate::engine::{Grid, Plan};
use crate::error::Result;
use crate::primitive::{Pairs, bits_for};
use crate::topology::candidates::{Compact, CompactParams, Mark, MarkParams, Sample, SampleParams};
use crate::topology::cumulate::{Cumulate, CumulateParams};
use crate::topology::table;

impl Recorder<'_> {
    /// Records the draw; nothing where the step itself goes through all pairs. Says where the candidates are when it has
    /// run, or when the list of the best has settled.
    pub fn draw(mut self) -> Result<(Plan, Drawn)> {
        let [a, b] = self.scratch.pairs();
        let (drawn, candidates) = match &self.scratch.list {
            Some(_) => (a, b),
            None => {
                if self.sizes.weighted {
                    self.cumulate()?;
                }
                // The sorted pairs are in one pair of arrays; their candidates go into the other, and the first is free again.
                self.sample(&a)?;
                let (drawn, candidates) = self.sort(a, b)?;
                self.keep_candidates(&drawn, &candidates)?;
                (drawn, candidates)
            }
        };
        let drawn = Drawn {
            candidates,
            scores: drawn.keys,
            grow_ranks: drawn.values,
        };
        Ok((self.plan, drawn))
    }

    /// Stage 2: f and g as running sums.
    fn cumulate(&mut self) -> Result<()> {
        let s = self.scratch;
        for (sums, first) in [(&s.inputs, table::COL), (&s.outputs, table::ROW)] {
            self.plan.dispatch(
                Cumulate {
                    params: CumulateParams {
                        layers: self.layers(),
                        first: first as u32,
                    },
                    table: s.table.all(),
                    sums: sums.all(),
                },
                Grid::Groups(self.arena.spans.len()),
            )?;
        }
        Ok(())
    }

    /// Stage 3: columns as keys, rows as values.
    fn sample(&mut self, to: &Pairs) -> Result<()> {
        let s = self.scratch;
        self.plan.dispatch(
            Sample {
                params: SampleParams {
                    capacity: self.capacity(),
                    layers: self.layers(),
                    n_rows: self.n_rows(),
                    weighted: u32::from(self.sizes.weighted),
                },
                table: s.table.all(),
                inputs: s.inputs.all(),
                outputs: s.outputs.all(),
                cols: to.keys.clone(),
                rows: to.values.clone(),
                step: self.step.clone(),
            },
            Grid::Items(self.sizes.capacity),
        )
    }

    /// Stage 4: sorts by column, then stably by row. Returns the sorted pairs, rows as keys, and the spare arrays.
    fn sort(&mut self, drawn: Pairs, spare: Pairs) -> Result<(Pairs, Pairs)> {
        let sort = &self.scratch.sort;
        let n = self.sizes.capacity;
        let cols = bits_for(self.arena.n_cols);
        let rows = bits_for(self.arena.n_rows + 1);
        let (by_col, spare) = sort.sort(&mut self.plan, n, cols, drawn, spare)?;
        sort.sort(&mut self.plan, n, rows, by_col.swapped(), spare.swapped())
    }

    /// Stage 5: duplicates and active pairs are dropped, rows become offsets.
    fn keep_candidates(&mut self, drawn: &Pairs, candidates: &Pairs) -> Result<()> {
        let s = self.scratch;
        let (capacity, n_rows) = (self.capacity(), self.n_rows());
        self.plan.dispatch(
            Mark {
                params: MarkParams { capacity, n_rows },
                rows: drawn.keys.clone(),
                cols: drawn.values.clone(),
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
                rows: drawn.keys.clone(),
                cols: drawn.values.clone(),
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
