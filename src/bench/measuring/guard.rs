//! What is measured and what is skipped: a case that this adapter cannot hold, or that would take too long.

use std::collections::HashMap;
use std::time::Duration;

use crate::bench::Part;
use crate::engine::Device;
use crate::error::option::LIMIT;
use crate::error::{Error, Result};

/// A case that was not measured.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Skipped {
    /// The part's name.
    pub part: String,
    /// The case, such as "n = 16384, sparsity 80 %".
    pub case: String,
    /// The reason.
    pub reason: String,
    /// Whether it was measured but cannot be trusted, because the machine was busy with other work.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub busy: bool,
}

impl Skipped {
    /// A case that was not started.
    pub(in crate::bench) fn new(part: Part, case: &str, reason: String) -> Self {
        Skipped {
            part: part.name().to_owned(),
            case: case.to_owned(),
            reason,
            busy: false,
        }
    }

    /// The text of it in a table.
    pub(in crate::bench) fn text(&self) -> String {
        let how = match self.busy {
            true => "not measured",
            false => "skipped",
        };
        format!("{how}: {}, {}: {}", self.part, self.case, self.reason)
    }
}

/// Predicts how long a case takes from a smaller one of its kind.
#[derive(Debug)]
pub(in crate::bench) struct Guard {
    limit: f64,
    /// Seconds per unit of work in the last case of each kind.
    pace: HashMap<String, f64>,
}

impl Guard {
    pub fn new(limit: Duration) -> Self {
        Guard {
            limit: limit.as_secs_f64(),
            pace: HashMap::new(),
        }
    }

    /// Remembers that `work` of a kind took `seconds`.
    pub fn note(&mut self, kind: &str, work: f64, seconds: f64) {
        self.pace.insert(kind.to_owned(), seconds / work);
    }

    /// Seconds that `work` of a kind would probably take.
    pub fn foresee(&self, kind: &str, work: f64) -> f64 {
        self.pace.get(kind).map_or(0.0, |pace| pace * work)
    }

    /// The reason not to start something that would take `seconds`.
    pub fn too_long(&self, seconds: f64) -> Option<String> {
        (seconds > self.limit).then(|| {
            format!(
                "would take about {seconds:.0} s by a smaller case, more than {LIMIT} {}",
                self.limit
            )
        })
    }
}

/// The reason not to start something with buffers of this many bytes on a device.
pub(in crate::bench) fn too_large(device: &Device, largest: u64, total: u64) -> Option<String> {
    let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
    let binding = device.largest_binding();
    if largest > binding {
        return Some(format!(
            "needs a buffer of {} MiB, and this adapter binds {} MiB at most",
            mebibytes(largest),
            mebibytes(binding)
        ));
    }
    match device.free_memory() {
        Some(free) if total > free => Some(format!(
            "needs {} MiB, and {} MiB are free",
            mebibytes(total),
            mebibytes(free)
        )),
        _ => None,
    }
}

/// Turns "does not fit" and "is impossible" into the reason for a skip; other errors stay errors.
pub(in crate::bench) fn unless_impossible<T>(result: Result<T>) -> Result<Result<T, String>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(error @ (Error::Limit { .. } | Error::Memory { .. } | Error::Loops { .. })) => {
            Ok(Err(error.to_string()))
        }
        Err(error) if error.is_usage() => Ok(Err(error.to_string())),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_longer_case_is_foreseen_from_a_shorter_one() {
        let mut guard = Guard::new(Duration::from_secs(2));
        assert_eq!(guard.foresee("spmm", 1e9), 0.0);
        guard.note("spmm", 100.0, 0.5);
        assert_eq!(guard.foresee("spmm", 200.0), 1.0);
        assert_eq!(guard.foresee("sddmm", 200.0), 0.0);
        assert_eq!(guard.too_long(2.0), None);
        let reason = guard.too_long(32.4).unwrap();
        assert!(reason.contains("about 32 s") && reason.contains("`limit` 2"));
    }

    #[test]
    fn what_no_memory_holds_is_skipped_and_what_is_wrong_is_not() {
        let device = Device::cpu(1).unwrap();
        assert_eq!(too_large(&device, 4, 4), None);
        let reason = too_large(&device, 4, u64::MAX);
        assert_eq!(reason.is_some(), device.free_memory().is_some());
        let limit = Error::Limit {
            buffer: "x".into(),
            bytes: 8,
            limit: 4,
            what: "a limit".into(),
            remedies: crate::error::Remedies::MEMORY,
        };
        assert!(unless_impossible::<()>(Err(limit)).unwrap().is_err());
        assert!(
            unless_impossible::<()>(Err(Error::Device(crate::error::Fault::DriverReport(
                "wrong".into()
            ))))
            .is_err()
        );
    }
}
