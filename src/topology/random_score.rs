//! SET's scores.

use rayon::prelude::*;

use crate::engine::random::{Stream, random, unit};
use crate::engine::step_state::StepState;
use crate::threads::DealOut;

crate::kernel! {
    /// `scores[i]` uniform in [0, 1). Grid: [`Items`](crate::engine::Grid::Items) = capacity.
    pub RandomScore, RandomScoreParams, RandomScoreTwin = "topology/random_score", shader!("topology/random_score");
    params { capacity: u32 }
    no loops;
    write scores: f32,
    uniform step: StepState,
}

impl RandomScoreTwin<'_> {
    fn run(self) {
        let step = self.step;
        self.scores[..self.params.capacity as usize]
            .par_iter_mut()
            .zip(0..self.params.capacity)
            .with_min_len(4096)
            .deal_out(|(score, i)| {
                *score = unit(random(step.seed, step.step, Stream::RandomScores, 0, i)[0]);
            });
    }
}
