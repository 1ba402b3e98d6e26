//! Exchanging: the k weakest connections for the k best candidates, and the arena's new order.

use super::{Recorder, Sampled};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;
use crate::optim::Scalar;
use crate::primitive::{Gather, GatherParams, Pairs, Selection, bits_for};
use crate::topology::merge::{
    CopyBack, CopyBackParams, MergePairs, MergePairsParams, MergeState, MergeStateParams,
    PlaceGrown, PlaceGrownParams, PlaceSurvivors, PlaceSurvivorsParams, Segments, SegmentsParams,
};
use crate::topology::report::{ReportLayers, ReportLayersParams, ReportRows, ReportRowsParams};

impl Recorder<'_> {
    /// Records the exchange of candidates that were drawn and scored.
    pub fn exchange(mut self, sampled: &Sampled) -> Result<Plan> {
        self.select(&sampled.scores, &sampled.grow_ranks)?;
        self.report(&sampled.scores, &sampled.grow_ranks)?;
        self.merge(&sampled.candidates, &sampled.grow_ranks)?;
        self.transpose()?;
        Ok(self.plan)
    }

    /// The k best candidates and the k smallest connections of every segment, as ranks.
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

    /// The report. It comes before the merge overwrites what it counts.
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
                        items: self.most(|span| span.n_in),
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
                    rows: self.most(|span| span.n_out),
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

    /// Merges survivors and grown connections into one order. The arena's gradient and transposed order, which are
    /// stale now, serve as scratch.
    fn merge(&mut self, candidates: &Pairs, grow_ranks: &View) -> Result<()> {
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
        self.copy_back(new_rows, arena.rows.all())?;
        self.copy_back(new_cols, arena.cols.all())?;
        self.merge_state(Scalar::F32(0.0), arena.weights.all())?;
        // Whatever the optimiser keeps for a connection moves with it.
        (arena.state.starts()).try_for_each(|(start, array)| self.merge_state(start, array))
    }

    /// Brings one array of the connections into the new order, through the gradient's array, so that any number of
    /// arrays needs no more bindings.
    fn merge_state(&mut self, start: Scalar, array: View) -> Result<()> {
        let (arena, merged) = (self.arena, self.arena.gradient.all());
        self.plan.dispatch(
            MergeState {
                params: MergeStateParams {
                    connections: arena.connections as u32,
                    start: start.bits(),
                },
                sources: self.scratch.ties.all(),
                own: array.clone(),
                merged: merged.clone(),
            },
            Grid::Items(arena.connections),
        )?;
        self.copy_back(merged, array)
    }

    fn copy_back(&mut self, merged: View, array: View) -> Result<()> {
        let n = self.arena.connections;
        self.plan.dispatch(
            CopyBack {
                params: CopyBackParams {
                    connections: n as u32,
                },
                merged,
                own: array,
            },
            Grid::Items(n),
        )
    }

    /// Row offsets, and the transposed order, by a stable sort of the columns.
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
}
