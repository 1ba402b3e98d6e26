//! The phases of a network's programs, and what a timed step took.

use crate::engine::PhaseTime;

/// The batch, made on the device or uploaded.
pub const DATA: &str = "data";
/// The forward pass of training, including the loss.
pub const FORWARD: &str = "forward";
/// Gradients, including what is recomputed for them.
pub const BACKWARD: &str = "backward";
/// The update of the weights.
pub const OPTIMISER: &str = "optimiser";
/// What a round does, between steps and within them.
pub const ROUND: &str = "round";
/// The forward pass of an evaluation.
pub const EVALUATION: &str = "evaluation";

/// Where the time of a training step went.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StepTimes {
    /// Seconds until the batch was on the device, from an idle device to an idle device.
    pub data: f64,
    /// Device seconds by consecutive stretches of one phase.
    pub phases: Vec<PhaseTime>,
}

impl StepTimes {
    /// Seconds that a phase took.
    pub fn seconds(&self, phase: &str) -> f64 {
        let of = self.phases.iter().filter(|time| time.phase == phase);
        of.map(|time| time.seconds).sum()
    }
}
