//! Names of a run's files.

pub(in crate::report) const CONFIG: &str = "config.toml";
pub(in crate::report) const CHECKPOINTS: &str = "checkpoints";
pub(in crate::report) const SUMMARY: &str = "summary.json";
pub(in crate::report) const PROGRESS: &str = "progress.json";
pub(in crate::report) const METRICS: &str = "metrics.csv";
pub(in crate::report) const TOPOLOGY: &str = "topology.csv";

/// The file that is locked. It is never removed, because a removed file could be locked twice. It names the holder.
pub(in crate::report) const LOCK: &str = "lock";
