//! What all stages of a round need for recording.

use crate::engine::{Buffer, Grid, Plan, View};
use crate::error::Result;
use crate::primitive::{LowerBound, LowerBoundParams, Pairs};
use crate::sparse::{Arena, LayerSpan};
use crate::topology::scratch::{Scratch, Sizes};

pub(in crate::topology) struct Recorder<'a> {
    pub arena: &'a Arena,
    /// A [`StepState`](crate::engine::StepState).
    pub step: View,
    pub sizes: &'a Sizes,
    pub scratch: &'a Scratch,
    pub plan: Plan,
}

/// The candidates and their scores, in whichever arrays sorting left them.
#[derive(Clone)]
pub(in crate::topology) struct Sampled {
    /// Rows as keys, columns as values.
    pub candidates: Pairs,
    pub scores: View,
    /// Unused until the candidates are ranked.
    pub grow_ranks: View,
}

impl Sampled {
    /// The arrays that the candidates were picked from, unused until the candidates are scored: rows as keys, columns
    /// as values.
    pub(super) fn sorted(&self) -> Pairs {
        Pairs {
            keys: self.scores.clone(),
            values: self.grow_ranks.clone(),
        }
    }
}

impl Recorder<'_> {
    /// The number of units in the largest layer.
    pub(super) fn most(&self, units: impl Fn(&LayerSpan) -> usize) -> u32 {
        let units = self.arena.spans.iter().map(units);
        units.max().unwrap_or(0) as u32
    }

    /// Offsets `[rows + 1]` of sorted rows.
    pub(super) fn offsets(
        &mut self,
        keys: View,
        length: usize,
        offsets: &Buffer,
        rows: usize,
    ) -> Result<()> {
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

    pub(super) fn layers(&self) -> u32 {
        self.arena.spans.len() as u32
    }

    pub(super) fn n_rows(&self) -> u32 {
        self.arena.n_rows as u32
    }

    pub(super) fn capacity(&self) -> u32 {
        self.sizes.capacity as u32
    }
}
