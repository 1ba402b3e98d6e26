//! What changes from step to step: one small uniform that the host rewrites before each step.

crate::uniform! {
    /// The uniform `step` of kernels that need it (`shaders/lib/step.wgsl`).
    ///
    /// A step's batch is what one optimiser update averages over. It may pass through the device in several parts
    /// (micro-batches), each of which has a state of its own.
    pub struct StepState {
        /// Seed of the run.
        seed: u32,
        /// Optimiser step, counted from 0.
        step: u32,
        /// Samples on the device: lanes `count..lanes` are padding.
        count: u32,
        /// Learning rate of this step.
        learning_rate: f32,
        /// Samples of the batch in earlier parts; 0 for the first part.
        first: u32,
        /// Samples in the whole batch.
        total: u32,
    }
}

/// Words of a buffer that a [`StepState`] is uploaded to.
pub const STEP_WORDS: usize = size_of::<StepState>() / 4;

impl StepState {
    /// The state of a batch of `count` samples that is on the device as a whole.
    pub fn whole(seed: u32, step: u32, count: usize, learning_rate: f32) -> Self {
        StepState {
            seed,
            step,
            count: count as u32,
            learning_rate,
            first: 0,
            total: count as u32,
        }
    }
}
