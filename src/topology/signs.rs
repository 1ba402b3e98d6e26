//! The random signs of the GraEst sketch, the same for activations and deltas.

use rayon::prelude::*;

use crate::engine::random::{Stream, random};
use crate::engine::step_state::StepState;
use crate::threads::DealOut;

crate::kernel! {
    /// GraEst's signs `[positions][lanes]`: +1 or -1 for each output position and sample of the whole batch, so that
    /// they do not depend on how it is split; 0 for padding. Grid: [`Items`](crate::engine::Grid::Items) = positions *
    /// lanes.
    pub GraEstSigns, GraEstSignsParams, GraEstSignsTwin = "topology/graest_signs", shader!("topology/graest_signs");
    params { lanes: u32, positions: u32 }
    no loops;
    write signs: f32,
    uniform step: StepState,
}

impl GraEstSignsTwin<'_> {
    fn run(self) {
        let (p, step) = (self.params, self.step);
        self.signs[..(p.positions * p.lanes) as usize]
            .par_chunks_mut(p.lanes as usize)
            .enumerate()
            .with_min_len(64)
            .deal_out(|(position, signs)| {
                for (lane, sign) in (0..p.lanes).zip(signs) {
                    let member = step.first + lane;
                    let key = (step.seed, step.step, position as u32);
                    let [word, ..] = random(key.0, key.1, Stream::Signs, key.2, member);
                    *sign = match (lane < step.count, word >> 31) {
                        (false, _) => 0.0,
                        (true, 0) => 1.0,
                        (true, _) => -1.0,
                    };
                }
            });
    }
}
