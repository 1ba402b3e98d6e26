//! Threads: whether there are any, starting one, and the pool that the CPU executor runs on.
//!
//! WebAssembly in a page has none. rayon's iterators then run on the caller's thread by themselves, and so does a
//! [`Pool`].

use std::io;
use std::thread::{Builder, JoinHandle};

/// Whether threads can be started.
pub(crate) const AVAILABLE: bool = cfg!(not(target_family = "wasm"));

/// More threads than any machine has cores are a typing error, and would only wait for each other.
pub(crate) const MOST_THREADS: usize = 1024;

/// Starts a thread that is called `name` in debuggers.
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
        /// `threads` = 0 takes every core.
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

        /// Whether the caller is one of its threads.
        pub(crate) fn has_caller(&self) -> bool {
            self.0.current_thread_index().is_some()
        }

        /// Does `work` on the pool, and waits for its end.
        pub(crate) fn run(&self, work: impl FnOnce() + Send) -> Result<()> {
            let work = || self.0.install(work);
            if rayon::current_thread_index().is_none() {
                work();
                return Ok(());
            }
            // A thread of another rayon pool would take up a second of its tasks while it waits for ours, with whatever
            // locks its first task holds; should the second want one of these, it would never come. It waits for a
            // thread that is in no pool.
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
        /// Whether a pool is at work. There is one thread.
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

        /// Whether the caller is at work in it.
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
