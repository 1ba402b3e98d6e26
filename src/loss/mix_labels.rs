//! The other class of mixed samples.

use crate::engine::StepState;

crate::kernel! {
    /// Moves a share of each sample's target from its class to another one: turns the loss and gradient of
    /// cross-entropy against the class into those against both. Because `log p[a] - log p[b] = z[a] - z[b]`, it only
    /// needs two logits.
    ///
    /// Shapes: `logits` and `delta` `[classes][lanes]`, `labels`, `others`, `shares` and `losses` `[lanes]`. Grid:
    /// [`Items`](crate::engine::Grid::Items) = lanes.
    pub MixLabels, MixLabelsParams, MixLabelsTwin = "loss/mix_labels", shader!("loss/mix_labels");
    params {
        /// Lanes.
        lanes: u32,
        /// The share of the target that label smoothing leaves to the classes of a sample.
        kept: f32,
    }
    no loops;
    uniform step: StepState,
    read logits: f32,
    read labels: u32,
    read others: u32,
    read shares: f32,
    write delta: f32,
    write losses: f32,
}

impl MixLabelsTwin<'_> {
    fn run(self) {
        let MixLabelsParams { lanes, kept } = self.params;
        for lane in 0..self.step.count.min(lanes) as usize {
            let place = |class: u32| (class * lanes) as usize + lane;
            let (own, other) = (place(self.labels[lane]), place(self.others[lane]));
            let share = self.shares[lane] * kept;
            self.losses[lane] += share * (self.logits[own] - self.logits[other]);
            let slope = share / self.step.total as f32;
            self.delta[own] += slope;
            self.delta[other] -= slope;
        }
    }
}
