//! The results of the comparisons by kernel.

use std::collections::BTreeMap;

use crate::engine::KernelCheck;

/// Where a comparison was made.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Place {
    /// The problem with its sizes.
    pub problem: String,
    /// The workgroup shape.
    pub shape: String,
    /// The binding.
    pub binding: String,
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` at {}, {} shape",
            self.binding, self.problem, self.shape
        )
    }
}

/// The results of comparing one kernel with its twin.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct KernelTally {
    /// Number of buffers compared.
    pub comparisons: usize,
    /// Number of those that differ by more than the tolerance.
    pub failed: usize,
    /// Number of words compared.
    pub words: u64,
    /// Number of words that differ in any bit.
    pub different: u64,
    /// Largest relative error.
    pub error: f64,
    /// Where it occurred.
    pub at: Place,
}

/// The comparisons of all kernels, by name.
#[derive(Clone, Debug, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Tally(pub BTreeMap<String, KernelTally>);

impl Tally {
    /// Adds the comparisons of one problem.
    pub fn add(&mut self, problem: &str, shape: &str, checks: &[KernelCheck]) {
        for check in checks {
            let kernel = self.0.entry(check.kernel.clone()).or_default();
            kernel.comparisons += 1;
            kernel.failed += usize::from(!check.passes());
            kernel.words += check.words as u64;
            kernel.different += check.different as u64;
            if check.error > kernel.error || kernel.at.problem.is_empty() {
                kernel.error = check.error;
                kernel.at = Place {
                    problem: problem.to_owned(),
                    shape: shape.to_owned(),
                    binding: check.binding.clone(),
                };
            }
        }
    }

    /// The kernels that differ from their twins.
    pub fn failed(&self) -> impl Iterator<Item = (&String, &KernelTally)> {
        self.0.iter().filter(|(_, kernel)| kernel.failed > 0)
    }

    /// The kernel with the largest error.
    pub fn worst(&self) -> Option<(&String, &KernelTally)> {
        let by_error = |a: &KernelTally, b: &KernelTally| a.error.total_cmp(&b.error);
        self.0.iter().max_by(|(_, a), (_, b)| by_error(a, b))
    }

    /// Sum over all kernels.
    pub fn sum(&self, part: impl Fn(&KernelTally) -> u64) -> u64 {
        self.0.values().map(part).sum()
    }
}
