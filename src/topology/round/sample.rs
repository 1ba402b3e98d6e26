//! Reading the candidates of a round: with what weights they were drawn, and how they scored.

use super::{Round, Work};
use crate::engine::Device;
use crate::error::Result;
use crate::topology::growth::Distribution;

/// A sample of a layer's candidates in one round, at equal distances in the order of rows and columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ScoredPairs {
    /// f × g of each, up to a common factor: the weight with which it was drawn.
    pub weights: Vec<f32>,
    /// Its |score|: |g|, unless the method ranks by something else.
    pub scores: Vec<f32>,
}

impl Round {
    /// Makes the following rounds keep the weight and the score of up to `most` candidates per layer, if the method
    /// weights them; 0 for none. This reads the candidates back, O(N), between the device's work and not in its time.
    pub fn keep_sample(&mut self, most: usize) {
        self.sampled = most;
    }

    /// What the last round kept, by layer; empty if candidates are drawn uniformly.
    pub fn sample(&self) -> &[ScoredPairs] {
        &self.sample
    }

    /// Number of pairs of a layer whose gradient a round computes, for counting its floating-point operations.
    pub fn scored_pairs(&self, layer: usize) -> f64 {
        let span = &self.spans[layer];
        let (active, total) = (self.active[layer] as f64, (span.n_in * span.n_out) as f64);
        self.growth.scored().pairs(active, total, self.gamma)
    }

    pub(super) fn read_sample(&self, device: &Device) -> Result<Vec<ScoredPairs>> {
        let Some(work) = &self.work else {
            return Ok(Vec::new());
        };
        if self.sampled == 0 || self.distribution() == Distribution::Uniform {
            return Ok(Vec::new());
        }
        let Work {
            scratch, sampled, ..
        } = work;
        let offsets: Vec<u32> = device.download(&scratch.candidate_offsets.all())?;
        let rows: Vec<u32> = device.download(&sampled.candidates.keys)?;
        let cols: Vec<u32> = device.download(&sampled.candidates.values)?;
        let scores: Vec<f32> = device.download(&sampled.scores)?;
        let f: Vec<f32> = device.download(&scratch.inputs.all())?;
        let g: Vec<f32> = device.download(&scratch.outputs.all())?;
        let layers = self.spans.iter().map(|span| {
            let first = offsets[span.first_row] as usize;
            let candidates = offsets[span.first_row + span.n_out] as usize - first;
            let kept = candidates.min(self.sampled);
            let places = (0..kept).map(|i| first + i * candidates / kept);
            let f = &f[span.first_col..span.first_col + span.n_in];
            let g = &g[span.first_row..span.first_row + span.n_out];
            places
                .map(|at| {
                    let a = cols[at] as usize - span.first_col;
                    let b = rows[at] as usize - span.first_row;
                    (share(f, a) * share(g, b), scores[at].abs())
                })
                .unzip()
        });
        Ok(layers
            .map(|(weights, scores)| ScoredPairs { weights, scores })
            .collect())
    }
}

/// The weight with which a unit was drawn: its step in the running sums. All zero, or NaN, counts as uniform.
fn share(sums: &[f32], unit: usize) -> f32 {
    let total = sums.last().copied().unwrap_or(0.0);
    if !(total > 0.0 && total <= f32::MAX) {
        return 1.0;
    }
    let before = unit.checked_sub(1).map_or(0.0, |before| sums[before]);
    (sums[unit] - before) / total
}
