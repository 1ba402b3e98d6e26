//! Softmax, cross-entropy and the sums of a batch's losses and scores in one dispatch.

use super::batch_metrics::{BatchMetricsParams, BatchMetricsTwin};
use super::softmax_cross_entropy::{SoftmaxCrossEntropyParams, SoftmaxCrossEntropyTwin};
use crate::engine::StepState;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// [`SoftmaxCrossEntropy`](super::SoftmaxCrossEntropy) and [`BatchMetrics`](super::BatchMetrics), with the same bits,
    /// for at most [`MOST_LANES`](CrossEntropyMetrics::MOST_LANES) lanes. Shapes as there. Grid: one workgroup.
    pub CrossEntropyMetrics, CrossEntropyMetricsParams, CrossEntropyMetricsTwin =
        "layer/cross_entropy_metrics", shader!("layer/cross_entropy_metrics");
    params {
        /// Rows of `logits`.
        classes: u32,
        /// Number of lanes.
        lanes: u32,
        /// Share of the target that is spread over all classes.
        smoothing: f32,
        /// Number of slots in the ring.
        slots: u32,
    }
    // Padding has a loop of its own.
    loops |p, _| 4 * looped(p.classes.div_ceil(4), NONE) + looped(4, NONE) + looped(64, NONE);
    uniform step: StepState,
    read logits: f32,
    read labels: u32,
    write delta: f32,
    write losses: f32,
    write correct: f32,
    write ring: f32,
}

impl CrossEntropyMetrics {
    /// The most lanes that it takes: the invocations of its workgroup.
    pub const MOST_LANES: usize = 256;
}

impl CrossEntropyMetricsTwin<'_> {
    fn run(self) {
        let p = self.params;
        SoftmaxCrossEntropyTwin {
            params: SoftmaxCrossEntropyParams {
                classes: p.classes,
                lanes: p.lanes,
                smoothing: p.smoothing,
            },
            step: self.step,
            logits: self.logits,
            labels: self.labels,
            delta: self.delta,
            losses: &mut *self.losses,
            correct: &mut *self.correct,
        }
        .run();
        BatchMetricsTwin {
            params: BatchMetricsParams {
                lanes: p.lanes,
                slots: p.slots,
            },
            step: self.step,
            losses: self.losses,
            scores: self.correct,
            ring: self.ring,
        }
        .run();
    }
}
