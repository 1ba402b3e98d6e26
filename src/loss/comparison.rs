//! What a loss and a metric see while their dispatches are recorded.

use crate::engine::{Class, Device, View};
use crate::error::Result;

/// A batch's outputs and targets, and where the results go.
///
/// Lanes from `step.count` on are padding: zeros must be written there. A batch may come in parts: `step.total` is the
/// number of samples in all of them ([`StepState`](crate::engine::StepState)).
#[non_exhaustive]
pub struct Comparison<'a> {
    pub(crate) device: &'a Device,
    /// Number of outputs of the network per sample.
    pub outputs: usize,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
    /// Whether it is a training step. A test uses no smoothing, and its gradient is not read.
    pub training: bool,
    /// The uniform that changes from step to step.
    pub step: View,
    /// The network's outputs, `[outputs][lanes]`, f32.
    pub output: View,
    /// The targets: labels `[lanes]`, u32, or flags or values `[values][lanes]`, f32.
    pub targets: View,
    /// During training on samples of one class that were mixed in pairs: for each, the other class and its share,
    /// `[lanes]`, u32 and f32. The class with the larger share is among the targets.
    pub mixed: Option<[View; 2]>,
    /// The gradient of the mean loss over the whole batch, `[outputs][lanes]`, f32.
    pub delta: View,
    /// The loss of each sample, `[lanes]`, f32.
    pub losses: View,
    /// The score of each sample, `[lanes]`, f32.
    pub scores: View,
}

impl Comparison<'_> {
    /// Scratch memory for one or two dispatches.
    pub fn scratch(&self, label: &str, words: usize) -> View {
        let words = words.max(1);
        let buffer = self.device.transient(label, Class::Scratch, words);
        buffer.range(0..words)
    }

    /// Fixed numbers, such as class weights, on the device.
    ///
    /// # Errors
    /// The device cannot hold them.
    pub fn constants(&self, label: &str, numbers: &[f32]) -> Result<View> {
        let buffer = self.device.buffer_with(label, Class::Scratch, numbers)?;
        Ok(buffer.range(0..numbers.len()))
    }
}
