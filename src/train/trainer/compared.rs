//! The progress of comparing kernels with their twins.

/// Kernels to compare with their twins, and the progress of it.
pub(super) struct Checking {
    /// A part of their names.
    pub filter: String,
    /// Whether a step, and whether a round, is still to come.
    pub in_step: bool,
    pub in_round: bool,
    /// Results that were compared.
    pub compared: usize,
}

impl Checking {
    /// The filter for the current step, if it is the first.
    pub fn step(&mut self) -> Option<String> {
        std::mem::take(&mut self.in_step).then(|| self.filter.clone())
    }

    /// The filter for the current round, if it is the first.
    pub fn round(&mut self) -> Option<String> {
        std::mem::take(&mut self.in_round).then(|| self.filter.clone())
    }
}
