//! What a method's training computes, for the count of floating-point operations.

/// What a method computes in addition to the steps of a sparse model that never changes, when it runs as in its paper.
/// [Growth](super::Growth::scored) says what its rounds compute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cost {
    /// Share of the steps that are dense instead of sparse. If the density falls, this is the mean excess of the steps
    /// over the final one, as a share of a dense step's excess.
    pub dense_share: f64,
    /// Dense forward and backward passes over the batch before the first step.
    pub passes_before: f64,
    /// Dense trainings of full length before this one.
    pub trainings_before: f64,
    /// Connections in the backward pass for each one in the forward pass.
    pub backward: f64,
}

impl Cost {
    /// Nothing in addition.
    pub const SPARSE: Self = Cost {
        dense_share: 0.0,
        passes_before: 0.0,
        trainings_before: 0.0,
        backward: 1.0,
    };

    /// This many dense passes before the first step.
    pub const fn before(passes_before: f64) -> Self {
        Cost {
            passes_before,
            ..Self::SPARSE
        }
    }
}
