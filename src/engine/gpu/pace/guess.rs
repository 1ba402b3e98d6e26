//! What work of unknown duration may take on this device.

use std::collections::HashMap;

/// Seconds for a unit of work on a device of which nothing is known: several times those of most kernels on Mesa's
/// llvmpipe on two cores, and so slower than any GPU.
const UNKNOWN: f64 = 4e-9;

/// Guesses are so many times what was measured.
const CARE: f64 = 4.0;

/// And so many times that for a kernel that was never run: what a unit of work takes differs two hundredfold on
/// llvmpipe, between a loop that only adds and one that multiplies tiles of matrices.
const CARE_OF_NEW: f64 = 16.0;

/// So many times less than guessed is believed of one measurement: where workgroups have unequal work, there is less of
/// it than was thought.
const BELIEVED: f64 = 64.0;

/// And for kernels that were never run.
const BELIEVED_FOR_NEW: f64 = 8.0;

/// Below so many seconds a measurement tells more of the way to the device and back than of work.
const SHORT: f64 = 0.01;

/// Seconds for a unit of work, with care: of each kernel, and of those not run yet.
pub(crate) struct Guess {
    any: f64,
    kernels: HashMap<&'static str, f64>,
}

impl Default for Guess {
    fn default() -> Self {
        Guess {
            any: UNKNOWN,
            kernels: HashMap::new(),
        }
    }
}

impl Guess {
    /// Whether anything was measured of a kernel.
    pub(super) fn knows(&self, kernel: &str) -> bool {
        self.kernels.contains_key(kernel)
    }

    fn rate(&self, kernel: &str) -> f64 {
        let known = self.kernels.get(kernel);
        known.copied().unwrap_or(CARE_OF_NEW * self.any)
    }

    /// Seconds that so much work of a kernel takes at most, as far as can be guessed.
    pub(super) fn seconds(&self, kernel: &str, work: f64) -> f64 {
        work * self.rate(kernel)
    }

    /// Learns from a submission of some work of each of these kernels.
    pub(super) fn learn(&mut self, parts: &[(&'static str, f64)], seconds: f64) {
        let work: f64 = parts.iter().map(|(_, work)| work).sum();
        let guessed: f64 = parts
            .iter()
            .map(|(kernel, work)| self.seconds(kernel, *work))
            .sum();
        let changed = |rate: f64, guessed: f64, believed: f64| {
            let change = (CARE * seconds / guessed).max(1.0 / believed);
            match seconds < SHORT {
                true => rate * change.min(1.0),
                false => rate * change,
            }
        };
        let mut kernels: Vec<&'static str> = parts.iter().map(|(kernel, _)| *kernel).collect();
        kernels.sort_unstable();
        kernels.dedup();
        for kernel in kernels {
            let rate = changed(self.rate(kernel), guessed, BELIEVED);
            self.kernels.insert(kernel, rate);
        }
        let any = changed(self.any, work * self.any, BELIEVED_FOR_NEW);
        self.any = any.min(UNKNOWN);
    }
}
