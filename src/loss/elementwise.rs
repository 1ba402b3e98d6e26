//! What losses and scores that sum a function of each of a sample's outputs share: their twins, as
//! `shaders/lib/elementwise_loss.wgsl` and `elementwise_score.wgsl` are for their shaders.

use crate::engine::StepState;

/// A batch as a twin sees it.
pub(super) struct Rows<'a> {
    pub outputs: u32,
    pub lanes: u32,
    pub step: StepState,
    /// `[outputs][lanes]`.
    pub output: &'a [f32],
    /// `[outputs][lanes]`.
    pub targets: &'a [f32],
}

impl Rows<'_> {
    /// Places of a lane's outputs.
    fn places(&self, lane: usize) -> impl Iterator<Item = (usize, usize)> + use<> {
        let lanes = self.lanes as usize;
        (0..self.outputs as usize).map(move |o| (o, o * lanes + lane))
    }

    /// The losses `[lanes]` and the gradient `[outputs][lanes]`: `compared` takes an output's number, the output and
    /// its target, and returns a loss and its derivative.
    pub fn lose(
        &self,
        losses: &mut [f32],
        delta: &mut [f32],
        compared: impl Fn(usize, f32, f32) -> [f32; 2],
    ) {
        let scale = 1.0 / (self.outputs as f32 * self.step.total as f32);
        for (lane, loss) in losses[..self.lanes as usize].iter_mut().enumerate() {
            let there = lane < self.step.count as usize;
            let mut sum = 0.0;
            for (o, at) in self.places(lane) {
                let [part, slope] = compared(o, self.output[at], self.targets[at]);
                sum += part;
                delta[at] = if there { scale * slope } else { 0.0 };
            }
            *loss = if there {
                sum / self.outputs as f32
            } else {
                0.0
            };
        }
    }

    /// The scores `[lanes]`: `whole` converts the sum of the parts.
    pub fn score(
        &self,
        scores: &mut [f32],
        part: impl Fn(usize, f32, f32) -> f32,
        whole: impl Fn(f32) -> f32,
    ) {
        for (lane, score) in scores[..self.lanes as usize].iter_mut().enumerate() {
            let mut sum = 0.0;
            for (o, at) in self.places(lane) {
                sum += part(o, self.output[at], self.targets[at]);
            }
            let there = lane < self.step.count as usize;
            *score = if there { whole(sum) } else { 0.0 };
        }
    }
}

/// The [`Rows`] of a twin.
macro_rules! rows {
    ($twin:ident) => {
        $crate::loss::elementwise::Rows {
            outputs: $twin.params.outputs,
            lanes: $twin.params.lanes,
            step: $twin.step,
            output: $twin.output,
            targets: $twin.targets,
        }
    };
}
pub(super) use rows;
