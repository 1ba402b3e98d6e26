//! What changes from step to step: one small uniform that the host rewrites before each step.

crate::uniform! {
    /// The uniform `step` of kernels that need it (`shaders/lib/step.wgsl`).
    pub struct StepState {
        /// Seed of the run.
        seed: u32,
        /// Optimiser step, counted from 0.
        step: u32,
        /// Members of this batch: lanes `count..stride` are padding.
        count: u32,
        /// Learning rate of this step.
        learning_rate: f32,
    }
}
