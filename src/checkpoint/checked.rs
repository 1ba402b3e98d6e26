//! What checks return.

/// A check's outcome: the error is the reason alone. Whoever knows the path and the way out turns it into an
/// [`Error`](crate::Error).
pub(super) type Checked<T> = Result<T, String>;
