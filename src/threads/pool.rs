//! The pool that the CPU executor runs on.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::deal::{alone, is_alone_for};
use crate::error::Result;

/// The number of the newest pool; none has the number 0.
static NEWEST: AtomicUsize = AtomicUsize::new(0);

/// Threads that share the work of rayon's iterators.
pub(crate) struct Pool {
    number: usize,
    #[cfg(not(target_family = "wasm"))]
    threads: rayon::ThreadPool,
}

impl Pool {
    /// A pool of `threads` threads; 0 takes every core.
    #[cfg_attr(target_family = "wasm", expect(unused_variables))]
    pub(crate) fn new(threads: usize) -> Result<Self> {
        Ok(Pool {
            number: NEWEST.fetch_add(1, Ordering::Relaxed) + 1,
            #[cfg(not(target_family = "wasm"))]
            threads: threaded::start(threads)?,
        })
    }

    pub(crate) fn threads(&self) -> usize {
        #[cfg(not(target_family = "wasm"))]
        return self.threads.current_num_threads();
        #[cfg(target_family = "wasm")]
        1
    }

    /// Whether the caller is working in it.
    pub(crate) fn has_caller(&self) -> bool {
        #[cfg(not(target_family = "wasm"))]
        if self.threads.current_thread_index().is_some() {
            return true;
        }
        is_alone_for(self.number)
    }

    /// Does `work` on the calling thread if it is `small`, otherwise on the pool, and waits until it is done.
    pub(crate) fn run(&self, small: bool, work: impl FnOnce() + Send) -> Result<()> {
        #[cfg(not(target_family = "wasm"))]
        if !small || rayon::current_thread_index().is_some() {
            return threaded::run(&self.threads, work);
        }
        let _ = small;
        alone(self.number, work);
        Ok(())
    }
}

#[cfg(not(target_family = "wasm"))]
mod threaded {
    use std::panic::resume_unwind;
    use std::thread::Builder;

    use rayon::{ThreadPool, ThreadPoolBuilder};

    use crate::error::{Error, Fault, Result};

    pub(super) fn start(threads: usize) -> Result<ThreadPool> {
        ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("rootlet-cpu-{i}"))
            .build()
            .map_err(|e| {
                Error::Device(Fault::Thread {
                    what: format!("{threads} CPU threads"),
                    why: e.to_string(),
                })
            })
    }

    /// Does `work` on the pool, and waits until it is done.
    pub(super) fn run(pool: &ThreadPool, work: impl FnOnce() + Send) -> Result<()> {
        let work = || pool.install(work);
        if rayon::current_thread_index().is_none() {
            work();
            return Ok(());
        }
        // While a thread of another rayon pool waits for ours, it would start a second task of its own pool, holding
        // whatever locks its first task holds. If the second task needs one of these, neither ever ends. So the waiting
        // is done by a thread that is in no pool.
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
