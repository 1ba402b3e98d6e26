//! The clock that durations are measured by: the system's, and in a page, where the standard library has none, the
//! page's.

#[cfg(not(target_family = "wasm"))]
pub(crate) use std::time::Instant;

#[cfg(target_family = "wasm")]
pub(crate) use web_time::Instant;
