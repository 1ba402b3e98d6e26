//! The result of checks.

/// A check's outcome: the error is only the reason. The caller, who knows the path and the way out, turns it into an
/// [`Error`](crate::Error).
pub(super) type Checked<T> = Result<T, String>;
