//! Threads: whether there are any, how to start one, the pool that the CPU executor runs on, and how its work is dealt
//! out.
//!
//! WebAssembly in a page has none. There, a [`Pool`] works on the caller's thread.

mod deal;
mod pool;

use std::io;
use std::thread::{Builder, JoinHandle};

pub(crate) use deal::{DealOut, sharing};
pub(crate) use pool::Pool;

/// Whether threads can be started.
pub(crate) const AVAILABLE: bool = cfg!(not(target_family = "wasm"));

/// More threads than any machine has cores are a typing error, and would only wait for each other.
pub(crate) const MOST_THREADS: usize = 1024;

/// Starts a thread; debuggers show `name`.
pub(crate) fn spawn<T: Send + 'static>(
    name: String,
    work: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    Builder::new().name(name).spawn(work)
}
