//! A countdown after which a device is lost on purpose.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Number of calls left before the device is lost.
pub(in crate::engine) struct Fuse(AtomicU64);

/// No loss is requested.
const NEVER: u64 = u64::MAX;

impl Default for Fuse {
    fn default() -> Self {
        Fuse(AtomicU64::new(NEVER))
    }
}

impl Fuse {
    /// The device will be lost at the `calls`-th call from now.
    pub fn light(&self, calls: u64) {
        self.0.store(calls.max(1), Relaxed);
    }

    /// Whether no call is left.
    pub fn burnt(&self) -> bool {
        self.0.load(Relaxed) == 0
    }

    /// Counts a call; whether none is left.
    pub fn burn(&self) -> bool {
        let left = self.0.load(Relaxed);
        if left == NEVER {
            return false;
        }
        let left = left.saturating_sub(1);
        self.0.store(left, Relaxed);
        left == 0
    }
}
