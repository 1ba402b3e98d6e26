//! When rounds happen and how much they exchange.

/// The cosine schedule of the rounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schedule {
    /// Share of the connections exchanged at the start: the paper's alpha.
    pub alpha: f64,
    /// Steps between rounds: T. Zero means no rounds.
    pub every: u64,
    /// Step at which rounds end: T_end.
    pub until: u64,
}

impl Schedule {
    /// Whether a round is due after `step` optimiser steps: every T steps, before T_end.
    pub fn due(&self, step: u64) -> bool {
        self.every > 0 && step > 0 && step.is_multiple_of(self.every) && step < self.until
    }

    /// `alpha / 2 * (1 + cos(pi * step / T_end))`; zero from T_end on.
    pub fn alpha_at(&self, step: u64) -> f64 {
        if step >= self.until {
            return 0.0;
        }
        let part = step as f64 / self.until as f64;
        self.alpha / 2.0 * (1.0 + (std::f64::consts::PI * part).cos())
    }
}
