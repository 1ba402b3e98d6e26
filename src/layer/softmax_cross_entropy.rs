//! Softmax and cross-entropy with label smoothing, forward and backward in one kernel: the loss needs no pass of its
//! own.

use crate::engine::StepState;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// The loss of each sample, 1 if its largest logit is its label's (otherwise 0), and the gradient of the mean loss
    /// over the whole batch of `step.total` samples.
    ///
    /// With K classes and smoothing s, the target is `s / K` everywhere, plus `1 - s` at the label (Szegedy et al.
    /// 2016). Shapes: `logits` and `delta` `[classes][lanes]`, `labels`, `losses` and `correct` `[lanes]`; lanes from
    /// `step.count` on become zero. Among equal logits the lowest class counts. Grid:
    /// [`Items`](crate::engine::Grid::Items) = lanes.
    pub SoftmaxCrossEntropy, SoftmaxCrossEntropyParams, SoftmaxCrossEntropyTwin =
        "layer/softmax_cross_entropy", shader!("layer/softmax_cross_entropy");
    params {
        /// Rows of `logits`.
        classes: u32,
        /// Number of lanes.
        lanes: u32,
        /// Share of the target that is spread over all classes.
        smoothing: f32,
    }
    // Padding has a loop of its own.
    loops |p, _| 4 * looped(p.classes.div_ceil(4), NONE);
    uniform step: StepState,
    read logits: f32,
    read labels: u32,
    write delta: f32,
    write losses: f32,
    write correct: f32,
}

impl SoftmaxCrossEntropyTwin<'_> {
    pub(super) fn run(self) {
        let lanes = self.params.lanes as usize;
        let classes = self.params.classes as usize;
        let smoothing = self.params.smoothing;
        let even = smoothing / classes as f32;
        let scale = 1.0 / self.step.total as f32;
        for lane in 0..lanes {
            if lane >= self.step.count as usize {
                (0..classes).for_each(|c| self.delta[c * lanes + lane] = 0.0);
                self.losses[lane] = 0.0;
                self.correct[lane] = 0.0;
                continue;
            }
            let logit = |c: usize| self.logits[c * lanes + lane];
            let best =
                (1..classes).fold(0, |best, c| if logit(c) > logit(best) { c } else { best });
            let highest = logit(best);
            let (mut total, mut shifted) = (0f32, 0f32);
            for c in 0..classes {
                let z = logit(c) - highest;
                total += z.exp();
                shifted += z;
            }
            let label = self.labels[lane] as usize;
            for c in 0..classes {
                let probability = (logit(c) - highest).exp() / total;
                let smoothed = even + if c == label { 1.0 - smoothing } else { 0.0 };
                self.delta[c * lanes + lane] = (probability - smoothed) * scale;
            }
            let own = logit(label) - highest;
            self.losses[lane] = total.ln() - (1.0 - smoothing) * own - even * shifted;
            self.correct[lane] = if best == label { 1.0 } else { 0.0 };
        }
    }
}
