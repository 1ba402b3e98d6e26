//! The trainer's own measurements: sums of losses and scores, and a clock.

use super::saving::{SaveEvery, Saving};
use crate::checkpoint::Progress;
use crate::clock::Instant;
use crate::network::BatchResult;

/// Running sums over batches.
#[derive(Default)]
pub(super) struct Sums {
    pub loss: f64,
    pub score: f64,
    pub seen: u64,
}

impl Sums {
    pub fn add(&mut self, results: &[BatchResult]) {
        for result in results {
            self.loss += f64::from(result.loss);
            self.score += f64::from(result.score);
        }
    }

    pub fn mean_loss(&self) -> f32 {
        (self.loss / self.seen.max(1) as f64) as f32
    }

    /// The mean of the metric.
    pub fn score(&self) -> f32 {
        (self.score / self.seen.max(1) as f64) as f32
    }
}

/// What progress is measured with.
pub(super) struct Clock {
    pub started: Instant,
    pub first_step: u64,
    pub looked: Instant,
    pub images: u64,
    pub images_looked: u64,
    pub epoch_started: Instant,
    pub images_before_epoch: u64,
    /// Seconds of the run before it was resumed.
    seconds_before: f64,
    pub saving: Saving,
}

impl Clock {
    pub fn new(progress: &Progress, every: SaveEvery) -> Self {
        let now = Instant::now();
        Clock {
            started: now,
            first_step: progress.step,
            looked: now,
            images: 0,
            images_looked: 0,
            epoch_started: now,
            images_before_epoch: 0,
            seconds_before: progress.seconds,
            saving: Saving::new(every),
        }
    }

    /// Seconds of training, over all parts of a resumed run.
    pub fn seconds(&self) -> f64 {
        self.seconds_before + self.started.elapsed().as_secs_f64()
    }
}
