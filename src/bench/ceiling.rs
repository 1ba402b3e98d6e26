//! A ceiling that what it bounds is measured beside.

use std::time::Duration;

use super::timing::{Measured, Timed};
use crate::engine::Device;
use crate::error::Result;

/// A ceiling that can be measured in turns with what it bounds.
pub(super) struct Ceiling {
    /// Its runs.
    pub timed: Timed,
    /// 10^9 elements or operations of a run.
    pub amount: f64,
}

impl Ceiling {
    /// 10^9 elements or operations a second.
    pub fn measure(&self, device: &Device, budget: Duration) -> Result<Measured> {
        Ok(self.timed.measure(device, budget)?.rate(self.amount))
    }
}
