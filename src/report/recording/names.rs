//! Names of a run's files.

pub(in crate::report) const CONFIG: &str = "config.toml";
pub(in crate::report) const CHECKPOINTS: &str = "checkpoints";
pub(in crate::report) const SUMMARY: &str = "summary.json";
pub(in crate::report) const PROGRESS: &str = "progress.json";
pub(in crate::report) const METRICS: &str = "metrics.csv";
pub(in crate::report) const TOPOLOGY: &str = "topology.csv";

/// The file that is locked. It stays, for one that is removed could be locked twice; in it is who holds it.
pub(in crate::report) const LOCK: &str = "lock";
