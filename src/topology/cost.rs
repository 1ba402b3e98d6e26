//! What a method's training computes, for the count of floating-point operations.

/// What a method computes besides the steps of a sparse model that never changes, as its paper runs it. What its rounds
/// compute says its [growth](super::Growth::scored).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Share of the steps that are dense in place of sparse; of steps whose density falls, the mean of what they have
    /// more than the final one, as a share of what a dense one has more.
    pub dense_share: f64,
    /// Dense forward and backward passes over the batch before the first step.
    pub passes_before: f64,
    /// Dense trainings of full length before this one.
    pub trainings_before: f64,
    /// Connections that the backward pass has for each of the forward pass.
    pub backward: f64,
}

impl Cost {
    /// Nothing besides.
    pub const SPARSE: Self = Cost {
        dense_share: 0.0,
        passes_before: 0.0,
        trainings_before: 0.0,
        backward: 1.0,
    };

    /// So many dense passes before the first step.
    pub const fn before(passes_before: f64) -> Self {
        Cost {
            passes_before,
            ..Self::SPARSE
        }
    }
}
