//! The clock for durations: the system's, or in a page, where the standard library has none, the page's.

#[cfg(not(target_family = "wasm"))]
pub(crate) use std::time::Instant;

#[cfg(target_family = "wasm")]
pub(crate) use web_time::Instant;
