//! The report of a round: a few words per layer, summed on the device in a fixed order.

use rayon::prelude::*;

use super::table::{ROW, Table};
use crate::engine::loops::{NONE, Piece, looped};
use crate::threads::DealOut;

/// Words of a layer's report.
pub(super) const WORDS: usize = 8;

crate::kernel! {
    /// `sums[r]` = sum of the magnitudes of the items in row `r` that a selection took. Grid:
    /// [`Items`](crate::engine::Grid::Items) = rows.
    pub ReportRows, ReportRowsParams, ReportRowsTwin = "topology/report_rows", shader!("topology/report_rows");
    params {
        rows: u32,
        /// No row has more items.
        items: u32,
    }
    pieces |p, grid, _| Piece::ranges(grid, p.items, 1, |items| looped(items, NONE));
    read offsets: u32,
    read ranks: u32,
    read values: f32,
    write sums: f32,
}

impl ReportRowsTwin<'_> {
    fn run(self) {
        self.sums[..self.params.rows as usize]
            .par_iter_mut()
            .enumerate()
            .with_min_len(64)
            .deal_out(|(row, sum)| {
                let range = self.offsets[row] as usize..self.offsets[row + 1] as usize;
                *sum = 0.0;
                for j in range {
                    if self.ranks[j + 1] > self.ranks[j] {
                        *sum += self.values[j].abs();
                    }
                }
            });
    }
}

crate::kernel! {
    /// Per layer: candidates, pruned, grown, and the bits of the sums of the pruned and of the grown magnitudes. Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = layers.
    pub ReportLayers, ReportLayersParams, ReportLayersTwin = "topology/report_layers", shader!("topology/report_layers");
    params {
        layers: u32,
        /// No layer has more rows.
        rows: u32,
    }
    loops |p, _| looped(p.rows.div_ceil(256), NONE) + 2 * looped(16, NONE);
    read table: u32,
    read active_offsets: u32,
    read prune_ranks: u32,
    read prune_sums: f32,
    read candidate_offsets: u32,
    read grow_ranks: u32,
    read grow_sums: f32,
    write report: u32,
}

impl ReportLayersTwin<'_> {
    fn run(self) {
        let table = Table(self.table);
        let layers = self.report.chunks_exact_mut(WORDS);
        for (layer, report) in layers.take(self.params.layers as usize).enumerate() {
            let rows = table.get(layer, ROW)..table.get(layer, ROW) + table.get(layer, ROW + 1);
            let taken = |offsets: &[u32], ranks: &[u32]| {
                ranks[offsets[rows.end] as usize] - ranks[offsets[rows.start] as usize]
            };
            report.fill(0);
            report[0] = self.candidate_offsets[rows.end] - self.candidate_offsets[rows.start];
            report[1] = taken(self.active_offsets, self.prune_ranks);
            report[2] = taken(self.candidate_offsets, self.grow_ranks);
            report[3] = sum(&self.prune_sums[rows.clone()]).to_bits();
            report[4] = sum(&self.grow_sums[rows.clone()]).to_bits();
        }
    }
}

/// The sum in the order of the shader's 256 invocations.
fn sum(values: &[f32]) -> f32 {
    let mut partial = [0f32; 256];
    for row in values.chunks(256) {
        partial.iter_mut().zip(row).for_each(|(p, v)| *p += v);
    }
    let mut total = 0.0;
    for group in partial.as_chunks::<16>().0 {
        let mut sum = 0.0;
        for value in group {
            sum += value;
        }
        total += sum;
    }
    total
}

/// The result of a round.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct RoundReport {
    /// By layer.
    pub layers: Vec<LayerReport>,
    /// Wall-clock time, including the device's work and the read-back of these numbers.
    pub seconds: f64,
    /// Device seconds that the round added to the step that it observed: sums behind f and g, and scores if these did
    /// not need a pass of their own. Zero if that was not timed.
    pub within: f64,
    /// Number of images in the further batches that scored the candidates.
    pub further_images: usize,
}

/// The result of a round in one layer.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct LayerReport {
    /// Connections after the round.
    pub active: usize,
    /// Number of possible pairs: `n_in * n_out`.
    pub total: usize,
    /// Size of the candidate set S: distinct and inactive.
    pub candidates: usize,
    /// Connections removed.
    pub pruned: usize,
    /// Connections added; differs from `pruned` only in scope `global`.
    pub grown: usize,
    /// Mean |score| of the grown connections: mean |g|, unless the method ranks by something else. Zero if none grew.
    pub grown_gradient: f32,
    /// Mean |theta| of the pruned connections. Zero if none were.
    pub pruned_magnitude: f32,
}

impl LayerReport {
    pub(super) fn new(words: &[u32], active: usize, total: usize) -> Self {
        let mean = |sum: u32, count: u32| {
            if count == 0 {
                0.0
            } else {
                (f64::from(f32::from_bits(sum)) / f64::from(count)) as f32
            }
        };
        let [candidates, pruned, grown] = [0, 1, 2].map(|i| words[i] as usize);
        LayerReport {
            active: (active + grown).saturating_sub(pruned),
            total,
            candidates,
            pruned,
            grown,
            grown_gradient: mean(words[4], words[2]),
            pruned_magnitude: mean(words[3], words[1]),
        }
    }
}
