//! What a loss and a metric see while their dispatches are recorded.

use crate::engine::{Class, Device, View};
use crate::error::Result;

/// A batch's outputs and targets, and where the results go.
///
/// Lanes from `step.count` on are padding: what is written there must be zero. A batch may come in parts: `step.total`
/// is the number of samples in all of them ([`StepState`](crate::engine::StepState)).
#[non_exhaustive]
pub struct Comparison<'a> {
    pub(crate) device: &'a Device,
    /// Numbers that the network tells of each sample.
    pub outputs: usize,
    /// Lanes of the batch, padding included: a multiple of 4.
    pub lanes: usize,
    /// Whether it is a step of training. A test knows no smoothing, and nobody reads the gradient.
    pub training: bool,
    /// The uniform that changes from step to step.
    pub step: View,
    /// What the network tells, `[outputs][lanes]`, f32.
    pub output: View,
    /// What that is compared with: labels `[lanes]`, u32, or flags or values `[values][lanes]`, f32.
    pub targets: View,
    /// The gradient of the loss's mean over the whole batch, `[outputs][lanes]`, f32.
    pub delta: View,
    /// The loss of each sample, `[lanes]`, f32.
    pub losses: View,
    /// The score of each sample, `[lanes]`, f32.
    pub scores: View,
}

impl Comparison<'_> {
    /// Work space of a dispatch or two.
    pub fn scratch(&self, label: &str, words: usize) -> View {
        let words = words.max(1);
        let buffer = self.device.transient(label, Class::Scratch, words);
        buffer.range(0..words)
    }

    /// Numbers that stay the same, such as class weights, on the device.
    ///
    /// # Errors
    /// A device that cannot hold them.
    pub fn constants(&self, label: &str, numbers: &[f32]) -> Result<View> {
        let buffer = self.device.buffer_with(label, Class::Scratch, numbers)?;
        Ok(buffer.range(0..numbers.len()))
    }
}
