//! The running statistics of batch norms whose batch comes in parts: they advance once a batch.

use crate::engine::StepState;

crate::kernel! {
    /// Merges the statistics of a part of the batch with those of the earlier parts, in order (Chan, Golub and LeVeque
    /// 1979), for all batch norms of a network; after the last part, the running statistics advance by those of the
    /// whole batch.
    ///
    /// Shapes: `places` `[channels][3]`: where a channel's mean and variance are in `part` and `running`, and the
    /// positions of its plane; `batch` `[channels][2]`. Variances are unbiased. Grid:
    /// [`Items`](crate::engine::Grid::Items) = channels.
    pub BatchNormAdvance, BatchNormAdvanceParams, BatchNormAdvanceTwin =
        "layer/norm/batch_norm_advance", shader!("layer/norm/batch_norm_advance");
    params {
        /// Channels of all norms.
        channels: u32,
        /// Share of the running statistics that the batch replaces.
        momentum: f32,
    }
    no loops;
    uniform step: StepState,
    read places: u32,
    read part: f32,
    write batch: f32,
    write running: f32,
}

impl BatchNormAdvanceTwin<'_> {
    fn run(self) {
        let StepState {
            count,
            first,
            total,
            ..
        } = self.step;
        let momentum = self.params.momentum;
        let (places, _) = self.places.as_chunks::<3>();
        let (batch, _) = self.batch.as_chunks_mut::<2>();
        let channels = self.params.channels as usize;
        for (place, batch) in places[..channels].iter().zip(batch) {
            let [at_mean, at_variance, positions] = *place;
            let [at_mean, at_variance] = [at_mean as usize, at_variance as usize];
            let more = (positions * count) as f32;
            let mut mean = self.part[at_mean];
            let mut squares = self.part[at_variance] * (more - 1.0).max(1.0);
            if first > 0 {
                let n = (positions * first) as f32;
                let [before, squares_before] = *batch;
                let d = mean - before;
                let share = more / (n + more);
                mean = before + d * share;
                squares += squares_before + d * d * (n * share);
            }
            *batch = [mean, squares];
            if first + count < total {
                continue;
            }
            let unbiased = squares / ((positions * total) as f32 - 1.0).max(1.0);
            for (at, found) in [(at_mean, mean), (at_variance, unbiased)] {
                let running = &mut self.running[at];
                *running = (1.0 - momentum) * *running + momentum * found;
            }
        }
    }
}
