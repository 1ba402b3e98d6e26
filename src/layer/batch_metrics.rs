//! A batch's loss and score, kept on the device: printing them later forces no read-back during the step.

use crate::engine::StepState;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// `ring[step % slots] = (sum of losses, sum of scores)`, added to what the batch's earlier parts wrote there.
    /// Grid: one workgroup.
    ///
    /// Shapes: `losses` and `scores` `[lanes]`, `ring` `[slots][2]`; other slots are left alone.
    pub BatchMetrics, BatchMetricsParams, BatchMetricsTwin =
        "layer/batch_metrics", shader!("layer/batch_metrics");
    params {
        /// Number of lanes.
        lanes: u32,
        /// Number of slots in the ring.
        slots: u32,
    }
    loops |p, _| looped(p.lanes.div_ceil(LANES as u32), NONE) + looped(LANES as u32, NONE);
    uniform step: StepState,
    read losses: f32,
    read scores: f32,
    write ring: f32,
}

/// Lanes of the workgroup, which decide the order of the sum.
const LANES: usize = 64;

impl BatchMetricsTwin<'_> {
    pub(super) fn run(self) {
        let lanes = self.params.lanes as usize;
        let partial = |lane: usize| -> [f32; 2] {
            (lane..lanes)
                .step_by(LANES)
                .fold([0.0; 2], |[loss, score], i| {
                    [loss + self.losses[i], score + self.scores[i]]
                })
        };
        let [loss, score] = (1..LANES).fold(partial(0), |[loss, score], lane| {
            let more = partial(lane);
            [loss + more[0], score + more[1]]
        });
        let slot = (self.step.step % self.params.slots) as usize;
        let before = match self.step.first {
            0 => [0.0; 2],
            _ => [self.ring[2 * slot], self.ring[2 * slot + 1]],
        };
        self.ring[2 * slot] = before[0] + loss;
        self.ring[2 * slot + 1] = before[1] + score;
    }
}
