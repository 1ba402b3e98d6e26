//! The distributions f over a layer's inputs and g over its outputs that candidates are drawn from: O(n B) each.
//!
//! Sums are in one fixed order, the same in shader and twin, and without products that an adapter could fuse: so the bits,
//! and with them the topology, are the same on every adapter.

use rayon::prelude::*;

use super::method::Distribution;
use super::table::Table;
use crate::engine::random::{Stream, random};
use crate::engine::step_state::StepState;
use crate::engine::{Plan, View};
use crate::error::Result;
use crate::sparse::{LayerSpan, Window};

/// Invocations that share a unit; each holds a vector of four partial sums.
const LANES: usize = 8;
const PARTIAL: usize = LANES * 4;

crate::kernel! {
    /// GraBo: `sums[first + u] = sum over the batch of |values[u, i]|`. `values` is `[rows][4 * vectors]`. Grid:
    /// [`Groups`](crate::engine::Grid::Groups), one per 8 rows.
    pub GraBo, GraBoParams, GraBoTwin = "topology/grabo", shader!("topology/grabo");
    params { rows: u32, vectors: u32, first: u32 }
    read values: f32,
    write sums: f32,
    uniform step: StepState,
}

impl GraBoTwin<'_> {
    fn run(self) {
        let p = self.params;
        let stride = p.vectors as usize * 4;
        let count = self.step.count as usize;
        units(self.sums, p.first, p.rows, |unit| {
            let row = &self.values[unit * stride..][..count];
            let mut sum = [0f32; PARTIAL];
            let (blocks, rest) = row.as_chunks::<PARTIAL>();
            for block in blocks {
                for i in 0..PARTIAL {
                    sum[i] += block[i].abs();
                }
            }
            for (sum, value) in sum.iter_mut().zip(rest) {
                *sum += value.abs();
            }
            fold(&sum)
        });
    }
}

crate::kernel! {
    /// GraEst's signs: +1 or -1 for each member of the batch, 0 for padding. Grid: [`Items`](crate::engine::Grid::Items) =
    /// lanes.
    pub GraEstSigns, GraEstSignsParams, GraEstSignsTwin = "topology/graest_signs", shader!("topology/graest_signs");
    params { lanes: u32 }
    write signs: f32,
    uniform step: StepState,
}

impl GraEstSignsTwin<'_> {
    fn run(self) {
        let step = self.step;
        for (lane, sign) in (0..self.params.lanes).zip(self.signs) {
            let [word, ..] = random(step.seed, step.step, Stream::Signs, 0, lane);
            *sign = match (lane < step.count, word >> 31) {
                (false, _) => 0.0,
                (true, 0) => 1.0,
                (true, _) => -1.0,
            };
        }
    }
}

crate::kernel! {
    /// GraEst: `sums[first + u] = |sum over the batch of values[u, i] * signs[i]|`. Grid:
    /// [`Groups`](crate::engine::Grid::Groups), one per 8 rows.
    pub GraEst, GraEstParams, GraEstTwin = "topology/graest", shader!("topology/graest");
    params { rows: u32, vectors: u32, first: u32 }
    read values: f32,
    read signs: f32,
    write sums: f32,
}

impl GraEstTwin<'_> {
    fn run(self) {
        let p = self.params;
        let stride = p.vectors as usize * 4;
        let signs = &self.signs[..stride];
        units(self.sums, p.first, p.rows, |unit| {
            let row = &self.values[unit * stride..][..stride];
            let mut sum = [0f32; PARTIAL];
            for (row, signs) in row.chunks(PARTIAL).zip(signs.chunks(PARTIAL)) {
                for ((sum, value), sign) in sum.iter_mut().zip(row).zip(signs) {
                    *sum += if *sign == 0.0 { 0.0 } else { value * sign };
                }
            }
            fold(&sum).abs()
        });
    }
}

/// Sets `sums[first + u]` for all `rows` units `u`.
fn units(sums: &mut [f32], first: u32, rows: u32, sum: impl Fn(usize) -> f32 + Sync) {
    sums[first as usize..][..rows as usize]
        .par_iter_mut()
        .enumerate()
        .with_min_len(64)
        .for_each(|(unit, out)| *out = sum(unit));
}

/// Adds the partial sums up: the four of an invocation in pairs, then the invocations in order.
fn fold(sum: &[f32; PARTIAL]) -> f32 {
    let mut total = 0.0;
    for s in sum.as_chunks::<4>().0 {
        total += (s[0] + s[1]) + (s[2] + s[3]);
    }
    total
}

crate::kernel! {
    /// Running sums in place, layer by layer. They never fall, and rise only at units of some probability. Grid:
    /// [`Groups`](crate::engine::Grid::Groups) = layers.
    pub Cumulate, CumulateParams, CumulateTwin = "topology/cumulate", shader!("topology/cumulate");
    params {
        layers: u32,
        /// Word of a table row that holds the first unit; the number of units follows it.
        first: u32,
    }
    read table: u32,
    write sums: f32,
}

impl CumulateTwin<'_> {
    fn run(self) {
        const WIDTH: usize = 256;
        let table = Table(self.table);
        for layer in 0..self.params.layers as usize {
            let first = table.get(layer, self.params.first as usize);
            let units = table.get(layer, self.params.first as usize + 1);
            let mut before = 0f32;
            for chunk in self.sums[first..first + units].chunks_mut(units.div_ceil(WIDTH).max(1)) {
                let mut running = 0f32;
                for sum in chunk {
                    running += *sum;
                    *sum = before + running;
                }
                before += running;
            }
        }
    }
}

/// Where one layer's sums behind f and g go, and what they are made of.
pub(super) struct Statistics {
    pub distribution: Distribution,
    pub span: LayerSpan,
    pub window: Window,
    pub stride: usize,
    pub step: View,
    pub signs: View,
    pub inputs: View,
    pub outputs: View,
    pub accumulate: bool,
}
impl Statistics {
    pub fn record(self, _plan: &mut Plan, _activation: View, _delta: View) -> Result<()> {
        todo!()
    }
    pub fn record_signs(
        _plan: &mut Plan,
        _stride: usize,
        _signs: View,
        _step: &View,
    ) -> Result<()> {
        todo!()
    }
}
