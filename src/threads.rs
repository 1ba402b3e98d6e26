//! Threads: whether there are any, how to start one, and the pool that the CPU executor runs on.
//!
//! WebAssembly in a page has none. There, rayon's iterators run on the caller's thread, and so does a [`Pool`].

use std::io;
use std::thread::{Builder, JoinHandle};

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

pub(crate) use pool::Pool;

#[cfg(not(target_family = "wasm"))]
mod pool {
    use std::panic::resume_unwind;
    use std::thread::Builder;

    use crate::error::{Error, Fault, Result};

    /// Threads that share the work of rayon's iterators.
    pub(crate) struct Pool(rayon::ThreadPool);

    impl Pool {
        /// A pool of `threads` threads; 0 takes every core.
        pub(crate) fn new(threads: usize) -> Result<Self> {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads)
                .thread_name(|i| format!("rootlet-cpu-{i}"))
                .build()
                .map(Pool)
                .map_err(|e| {
                    Error::Device(Fault::Thread {
                        what: format!("{threads} CPU threads"),
                        why: e.to_string(),
                    })
                })
        }

        pub(crate) fn threads(&self) -> usize {
            self.0.current_num_threads()
        }

        /// Whether the caller runs on one of its threads.
        pub(crate) fn has_caller(&self) -> bool {
            self.0.current_thread_index().is_some()
        }

        /// Does `work` on the pool, and waits until it is done.
        pub(crate) fn run(&self, work: impl FnOnce() + Send) -> Result<()> {
            let work = || self.0.install(work);
            if rayon::current_thread_index().is_none() {
                work();
                return Ok(());
            }
            // While a thread of another rayon pool waits for ours, it would start a second task of its own pool,
            // holding whatever locks its first task holds. If the second task needs one of these, neither ever ends. So
            // the waiting is done by a thread that is in no pool.
            std::thread::scope(|scope| {
                let thread = Builder::new().spawn_scoped(scope, work);
                let thread = thread.map_err(|e| {
                    Error::Device(Fault::Thread {
                        what: "a thread".to_owned(),
                        why: e.to_string(),
                    })
                })?;
                thread.join().or_else(|panic| resume_unwind(panic))
            })
        }
    }
}

#[cfg(target_family = "wasm")]
mod pool {
    use std::cell::Cell;

    use crate::error::Result;

    thread_local! {
        /// Whether the pool is working. There is only one thread.
        static BUSY: Cell<bool> = const { Cell::new(false) };
    }

    /// The caller's thread.
    pub(crate) struct Pool;

    impl Pool {
        pub(crate) fn new(_threads: usize) -> Result<Self> {
            Ok(Pool)
        }

        pub(crate) fn threads(&self) -> usize {
            1
        }

        /// Whether the caller is working in it.
        pub(crate) fn has_caller(&self) -> bool {
            BUSY.get()
        }

        /// Does `work`.
        pub(crate) fn run(&self, work: impl FnOnce() + Send) -> Result<()> {
            BUSY.set(true);
            work();
            BUSY.set(false);
            Ok(())
        }
    }
}
