//! The dispatches of a round, stage by stage.

use super::candidates::{
    Compact, CompactParams, Enumerate, EnumerateParams, Mark, MarkParams, Sample, SampleParams,
};
use super::cumulate::{Cumulate, CumulateParams};
use super::exchange::{
    CopyBack, CopyBackParams, MergePairs, MergePairsParams, MergeState, MergeStateParams,
    PlaceGrown, PlaceGrownParams, PlaceSurvivors, PlaceSurvivorsParams, Segments, SegmentsParams,
};
use super::inputs::RoundInputs;
use super::method::{Candidates, Distribution, Method, ScoreInputs};
use super::report::{ReportLayers, ReportLayersParams, ReportRows, ReportRowsParams};
use super::scratch::{Scratch, Sizes};
use super::statistics::Statistics;
use super::table;
use crate::engine::{Buffer, Grid, Plan, View};
use crate::error::Result;
use crate::primitive::{
    Gather, GatherParams, LowerBound, LowerBoundParams, Pairs, Selection, bits_for,
};
use crate::sparse::{Arena, Window};

pub(super) struct Recorder<'a> {
    pub arena: &'a Arena,
    pub inputs: &'a RoundInputs,
    pub sizes: &'a Sizes,
    pub scratch: &'a Scratch,
    pub plan: Plan,
}

impl Recorder<'_> {
    /// Records the whole round.
    pub fn round(mut self, method: &dyn Method) -> Result<Plan> {
        let [a, b] = self.scratch.pairs();
        if let Candidates::Sampled(distribution) = method.candidates() {
            self.statistics(distribution)?;
        }
        // The sorted pairs are in one pair of arrays; their candidates go into the other, and the first is free again.
        let (drawn, candidates) = match method.candidates() {
            Candidates::All => {
                self.enumerate(&a)?;
                (a, b)
            }
            _ => {
                self.sample(&a)?;
                self.sort(a, b)?
            }
        };
        self.keep_candidates(&drawn, &candidates)?;
        let (scores, grow_ranks) = (drawn.keys, drawn.values);
        method.score(
            &ScoreInputs {
                spans: &self.arena.spans,
                arena: self.arena,
                stride: self.inputs.stride,
                step: self.inputs.step.clone(),
                activations: &self.inputs.activations,
                deltas: &self.inputs.deltas,
                candidate_rows: candidates.keys.clone(),
                candidate_cols: candidates.values.clone(),
                candidate_offsets: self.scratch.candidate_offsets.all(),
                scores: scores.clone(),
                capacity: self.sizes.capacity,
            },
            &mut self.plan,
        )?;
        self.select(&scores, &grow_ranks)?;
        self.report(&scores, &grow_ranks)?;
        self.merge(&candidates, &grow_ranks, scores)?;
        self.transpose()?;
        Ok(self.plan)
    }

    /// Stages 1 and 2: f and g as running sums.
    fn statistics(&mut self, distribution: Distribution) -> Result<()> {
        let s = self.scratch;
        if distribution == Distribution::Uniform {
            return Ok(());
        }
        let statistics = Statistics {
            distribution,
            stride: self.inputs.stride,
            step: self.inputs.step.clone(),
            signs: s.signs.all(),
            accumulate: false,
        };
        let window = Window::pointwise([1, 1]);
        statistics.signs(&mut self.plan, window.output_positions())?;
        for (l, span) in self.arena.spans.iter().enumerate() {
            let (values, deltas) = (&self.inputs.activations[l], &self.inputs.deltas[l]);
            let (inputs, outputs) = (s.inputs.all(), s.outputs.all());
            statistics.inputs(&mut self.plan, span, &window, values.clone(), inputs)?;
            statistics.outputs(&mut self.plan, span, &window, deltas.clone(), outputs)?;
        }
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
                step: self.inputs.step.clone(),
            },
            Grid::Items(self.sizes.capacity),
        )
    }

    /// Stages 3 and 4 in one: pairs in order, rows as keys, columns as values.
    fn enumerate(&mut self, to: &Pairs) -> Result<()> {
        self.plan.dispatch(
            Enumerate {
                params: EnumerateParams {
                    capacity: self.capacity(),
                    layers: self.layers(),
                    n_rows: self.n_rows(),
                },
                table: self.scratch.table.all(),
                cols: to.values.clone(),
                rows: to.keys.clone(),
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

    /// Offsets `[rows + 1]` of sorted rows.
    fn offsets(&mut self, keys: View, length: usize, offsets: &Buffer, rows: usize) -> Result<()> {
        self.plan.dispatch(
            LowerBound {
                params: LowerBoundParams {
                    length: length as u32,
                    targets: rows as u32 + 1,
                },
                keys,
                offsets: offsets.all(),
            },
            Grid::Items(rows + 1),
        )
    }

    /// Stage 7: the k best candidates and the k smallest connections of every segment, as ranks.
    fn select(&mut self, scores: &View, grow_ranks: &View) -> Result<()> {
        let s = self.scratch;
        let segments = self.sizes.segments;
        self.plan.dispatch(
            Segments {
                params: SegmentsParams {
                    segments: segments as u32,
                    layers: self.layers(),
                },
                table: s.table.all(),
                active_offsets: self.arena.row_offsets.all(),
                candidate_offsets: s.candidate_offsets.all(),
                prune_starts: s.prune_starts.all(),
                grow_starts: s.grow_starts.all(),
                prune_state: s.prune_state.all(),
                grow_state: s.grow_state.all(),
                histogram: s.select.histogram.all(),
            },
            Grid::Groups(segments + 1),
        )?;
        let grow = Selection {
            values: scores.clone(),
            length: self.sizes.capacity,
            starts: s.grow_starts.all(),
            segments,
            state: s.grow_state.all(),
            largest: true,
        };
        let prune = Selection {
            values: self.arena.weights.all(),
            length: self.arena.connections,
            starts: s.prune_starts.all(),
            segments,
            state: s.prune_state.all(),
            largest: false,
        };
        let ties = s.ties.all();
        let ranks = s.prune_ranks.all();
        s.select
            .record(&mut self.plan, &s.scan, &grow, &ties, grow_ranks)?;
        s.select
            .record(&mut self.plan, &s.scan, &prune, &ties, &ranks)
    }

    /// Stage 10, before the merge overwrites what it counts.
    fn report(&mut self, scores: &View, grow_ranks: &View) -> Result<()> {
        let s = self.scratch;
        let weights = self.arena.weights.all();
        let sides = [
            (
                &self.arena.row_offsets,
                s.prune_ranks.all(),
                weights,
                &s.prune_sums,
            ),
            (
                &s.candidate_offsets,
                grow_ranks.clone(),
                scores.clone(),
                &s.grow_sums,
            ),
        ];
        for (offsets, ranks, values, sums) in sides {
            self.plan.dispatch(
                ReportRows {
                    params: ReportRowsParams {
                        rows: self.n_rows(),
                    },
                    offsets: offsets.all(),
                    ranks,
                    values,
                    sums: sums.all(),
                },
                Grid::Items(self.arena.n_rows),
            )?;
        }
        self.plan.dispatch(
            ReportLayers {
                params: ReportLayersParams {
                    layers: self.layers(),
                },
                table: s.table.all(),
                active_offsets: self.arena.row_offsets.all(),
                prune_ranks: s.prune_ranks.all(),
                prune_sums: s.prune_sums.all(),
                candidate_offsets: s.candidate_offsets.all(),
                grow_ranks: grow_ranks.clone(),
                grow_sums: s.grow_sums.all(),
                report: s.report.all(),
            },
            Grid::Groups(self.arena.spans.len()),
        )
    }

    /// Stage 8: survivors and grown ones in one order, via the arena's gradient and transposed order, which are stale now.
    fn merge(&mut self, candidates: &Pairs, grow_ranks: &View, free: View) -> Result<()> {
        let (arena, s) = (self.arena, self.scratch);
        let connections = arena.connections as u32;
        let grid = Grid::Items(arena.connections);
        self.plan.dispatch(
            PlaceSurvivors {
                params: PlaceSurvivorsParams { connections },
                rows: arena.rows.all(),
                cols: arena.cols.all(),
                prune_ranks: s.prune_ranks.all(),
                candidate_offsets: s.candidate_offsets.all(),
                candidate_cols: candidates.values.clone(),
                grow_ranks: grow_ranks.clone(),
                sources: s.ties.all(),
            },
            grid,
        )?;
        self.plan.dispatch(
            PlaceGrown {
                params: PlaceGrownParams {
                    capacity: self.capacity(),
                },
                candidate_rows: candidates.keys.clone(),
                candidate_cols: candidates.values.clone(),
                grow_ranks: grow_ranks.clone(),
                active_offsets: arena.row_offsets.all(),
                active_cols: arena.cols.all(),
                prune_ranks: s.prune_ranks.all(),
                sources: s.ties.all(),
            },
            Grid::Items(self.sizes.capacity),
        )?;
        let (new_rows, new_cols) = (arena.order_rows.all(), arena.order.all());
        let (new_weights, new_momentum) = (arena.gradient.all(), free);
        self.plan.dispatch(
            MergePairs {
                params: MergePairsParams { connections },
                sources: s.ties.all(),
                rows: arena.rows.all(),
                cols: arena.cols.all(),
                candidate_rows: candidates.keys.clone(),
                candidate_cols: candidates.values.clone(),
                new_rows: new_rows.clone(),
                new_cols: new_cols.clone(),
            },
            grid,
        )?;
        self.plan.dispatch(
            MergeState {
                params: MergeStateParams { connections },
                sources: s.ties.all(),
                weights: arena.weights.all(),
                momentum: arena.momentum.all(),
                new_weights: new_weights.clone(),
                new_momentum: new_momentum.clone(),
            },
            grid,
        )?;
        self.plan.dispatch(
            CopyBack {
                params: CopyBackParams { connections },
                new_rows,
                new_cols,
                new_weights,
                new_momentum,
                rows: arena.rows.all(),
                cols: arena.cols.all(),
                weights: arena.weights.all(),
                momentum: arena.momentum.all(),
            },
            grid,
        )
    }

    /// Stage 9: row offsets, and the transposed order by a stable sort of the columns.
    fn transpose(&mut self) -> Result<()> {
        let (arena, n) = (self.arena, self.arena.connections);
        self.offsets(arena.rows.all(), n, &arena.row_offsets, arena.n_rows)?;
        let sorted_cols = self.scratch.sort.argsort(
            &mut self.plan,
            n,
            bits_for(arena.n_cols),
            arena.cols.all(),
            self.scratch.pairs(),
            arena.order.all(),
        )?;
        self.offsets(sorted_cols, n, &arena.col_offsets, arena.n_cols)?;
        self.plan.dispatch(
            Gather {
                params: GatherParams { length: n as u32 },
                indices: arena.order.all(),
                source: arena.rows.all(),
                output: arena.order_rows.all(),
            },
            Grid::Items(n),
        )
    }

    fn layers(&self) -> u32 {
        self.arena.spans.len() as u32
    }

    fn n_rows(&self) -> u32 {
        self.arena.n_rows as u32
    }

    fn capacity(&self) -> u32 {
        self.sizes.capacity as u32
    }
}
