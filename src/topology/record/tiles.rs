//! Going through all pairs: a layer's tiles within the backward pass, each merged with the best so far; then the list
//! becomes the candidates.

use super::{Recorder, Sampled};
use crate::engine::{Grid, Plan};
use crate::error::Result;
use crate::primitive::{Pairs, Selection};
use crate::sparse::{Arena, LayerSpan};
use crate::topology::scratch::{RunningList, Scratch};
use crate::topology::tiles::{
    Enumerate, EnumerateParams, ExtendList, ExtendListParams, KeepBest, KeepBestParams, PutBack,
    PutBackParams, Settle, SettleParams,
};

/// One layer's pairs, to be processed in tiles.
pub(in crate::topology) struct LayerTiles<'a> {
    pub arena: &'a Arena,
    pub scratch: &'a Scratch,
    pub list: &'a RunningList,
    /// Largest length of the list.
    pub capacity: usize,
    pub layer: usize,
    /// The index of this layer's requested number.
    pub segment: usize,
    /// Whether the layer has its own selection.
    pub own_segment: bool,
    /// Number of pairs in later layers that share its selection.
    pub behind: usize,
}

/// Records the tiles of a layer, last one first; `score` records the scores of the current pairs. Each tile takes 20
/// dispatches and those of `score`.
pub(in crate::topology) fn record_layer(
    tiles: &LayerTiles<'_>,
    plan: &mut Plan,
    score: &dyn Fn(&mut Plan) -> Result<()>,
) -> Result<()> {
    let span = tiles.arena.spans[tiles.layer];
    let pairs = span.n_in * span.n_out;
    let tile = tiles.list.tile;
    for number in (0..pairs.div_ceil(tile)).rev() {
        let first = number * tile;
        let length = tile.min(pairs - first);
        tiles.enumerate(plan, &span, first, length)?;
        score(plan)?;
        // The open part of the list holds no more pairs than have been processed.
        let open = tiles.behind + pairs - (first + length);
        let in_use = length + open.min(tiles.capacity);
        tiles.select(plan, first + length == pairs, in_use)?;
    }
    Ok(())
}

impl LayerTiles<'_> {
    /// Lists the inactive ones of the layer's pairs, starting with pair `first`.
    fn enumerate(
        &self,
        plan: &mut Plan,
        span: &LayerSpan,
        first: usize,
        length: usize,
    ) -> Result<()> {
        let (arena, list) = (self.arena, self.list);
        plan.dispatch(
            Enumerate {
                params: EnumerateParams {
                    length: length as u32,
                    row: (span.first_row + first / span.n_in) as u32,
                    input: (first % span.n_in) as u32,
                    inputs: span.n_in as u32,
                    first_col: span.first_col as u32,
                    n_rows: arena.n_rows as u32,
                },
                list: list.state.all(),
                active_offsets: arena.row_offsets.all(),
                active_cols: arena.cols.all(),
                rows: list.rows.all(),
                cols: list.cols.all(),
                offsets: self.scratch.candidate_offsets.all(),
            },
            Grid::Items(length.max(arena.n_rows + 1)),
        )
    }

    /// Selects the best of the tile and of the list's open part, which become the list's new open part. Together they
    /// have at most `in_use` slots, from the tile's first on; the rest is ignored.
    fn select(&self, plan: &mut Plan, first_of_layer: bool, in_use: usize) -> Result<()> {
        let (s, list) = (self.scratch, self.list);
        let (best, best_scores) = best(s);
        plan.dispatch(
            ExtendList {
                params: ExtendListParams {
                    layer: self.layer as u32,
                    segment: self.segment as u32,
                    opens: u32::from(first_of_layer && self.own_segment),
                },
                table: s.table.all(),
                offsets: s.candidate_offsets.all(),
                list: list.state.all(),
                starts: s.grow_starts.all(),
                state: s.grow_state.all(),
                histogram: s.select.histogram.all(),
            },
            Grid::Groups(1),
        )?;
        let selection = Selection {
            values: list.scores.all(),
            length: in_use,
            starts: s.grow_starts.all(),
            segments: 1,
            state: s.grow_state.all(),
            largest: true,
        };
        let [ties, ranks] = [&s.ties, &list.ranks].map(|buffer| buffer.range(0..in_use + 1));
        s.select.record(plan, &s.scan, &selection, &ties, &ranks)?;
        plan.dispatch(
            KeepBest {
                params: KeepBestParams {
                    slots: in_use as u32,
                },
                ranks,
                rows: list.rows.all(),
                cols: list.cols.all(),
                scores: list.scores.all(),
                best_rows: best.keys.clone(),
                best_cols: best.values.clone(),
                best_scores: best_scores.clone(),
                starts: s.grow_starts.all(),
            },
            Grid::Items(in_use),
        )?;
        plan.dispatch(
            PutBack {
                params: PutBackParams {
                    capacity: self.capacity.min(in_use) as u32,
                },
                list: list.state.all(),
                best_rows: best.keys,
                best_cols: best.values,
                best_scores,
                rows: list.rows.all(),
                cols: list.cols.all(),
                scores: list.scores.all(),
            },
            Grid::Items(self.capacity.min(in_use)),
        )
    }
}

/// Where the best are kept between reading and rewriting the list: arrays that are free until the exchange.
fn best(scratch: &Scratch) -> (Pairs, crate::engine::View) {
    let [a, b] = scratch.pairs();
    (b, a.keys)
}

impl Recorder<'_> {
    /// If the step went through all pairs, turns the list into the candidates with their scores.
    pub fn settle(&mut self, sampled: &Sampled) -> Result<()> {
        let s = self.scratch;
        let Some(list) = &s.list else {
            return Ok(());
        };
        self.plan.dispatch(
            Settle {
                params: SettleParams {
                    capacity: self.capacity(),
                    slots: list.slots as u32,
                    n_rows: self.n_rows(),
                },
                list: list.state.all(),
                rows: list.rows.all(),
                cols: list.cols.all(),
                scores: list.scores.all(),
                out_rows: sampled.candidates.keys.clone(),
                out_cols: sampled.candidates.values.clone(),
                out_scores: sampled.scores.clone(),
            },
            Grid::Items(self.sizes.capacity),
        )?;
        let rows = sampled.candidates.keys.clone();
        self.offsets(
            rows,
            self.sizes.capacity,
            &s.candidate_offsets,
            self.arena.n_rows,
        )
    }
}
