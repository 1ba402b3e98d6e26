//! How long work of unknown duration may take on this device.

use std::collections::HashMap;

/// Seconds per unit of work on an unknown device: several times those of most kernels on Mesa's llvmpipe with two
/// cores, and so slower than any GPU.
const UNKNOWN: f64 = 4e-9;

/// A guess is this many times what was measured.
const CARE: f64 = 4.0;

/// For a kernel that never ran, it is this many times that: on llvmpipe, the time of a unit of work differs two
/// hundredfold between a loop that only adds and one that multiplies tiles of matrices.
const CARE_OF_NEW: f64 = 16.0;

/// The guess falls by at most this factor after one measurement: if workgroups have unequal work, there was less of it
/// than was assumed.
const BELIEVED: f64 = 64.0;

/// The same for kernels that never ran.
const BELIEVED_FOR_NEW: f64 = 8.0;

/// Below this many seconds, a measurement shows the way to the device and back rather than work.
const SHORT: f64 = 0.01;

/// Careful estimates of the seconds per unit of work, for each kernel and for those that have not run yet.
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
    /// Whether a kernel was ever measured.
    pub(super) fn knows(&self, kernel: &str) -> bool {
        self.kernels.contains_key(kernel)
    }

    fn rate(&self, kernel: &str) -> f64 {
        let known = self.kernels.get(kernel);
        known.copied().unwrap_or(CARE_OF_NEW * self.any)
    }

    /// The most seconds that this much work of a kernel takes, as far as can be guessed.
    pub(super) fn seconds(&self, kernel: &str, work: f64) -> f64 {
        work * self.rate(kernel)
    }

    /// Learns from a submission with some work of each of these kernels.
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
