//! A ceiling that is measured beside what it bounds.

use std::time::Duration;

use super::timing::{Measured, Timed};
use crate::engine::Device;
use crate::error::Result;

/// A ceiling that can be measured in turns with what it bounds.
pub(in crate::bench) struct Ceiling {
    /// The work that is timed.
    pub timed: Timed,
    /// 10^9 elements or operations of one run.
    pub amount: f64,
}

impl Ceiling {
    /// 10^9 elements or operations per second.
    pub fn measure(&self, device: &Device, budget: Duration) -> Result<Measured> {
        Ok(self.timed.measure(device, budget)?.rate(self.amount))
    }
}
