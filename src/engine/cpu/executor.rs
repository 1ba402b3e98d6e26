//! The CPU executor: runs the twins of a plan's kernels, one dispatch after another, on its own pool of threads.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::together::{Together, together};
use crate::clock::Instant;
use crate::engine::Dispatch;
use crate::engine::buffer::{Memory, View};
use crate::engine::chain::ChainCall;
use crate::engine::declaration::twin_call::{Bound, TwinCall};
use crate::engine::memory::pages::HostMemory;
use crate::error::{Error, Fault, Result};
use crate::threads::{MOST_THREADS, Pool, sharing};

/// Bytes that the dispatches of a small program bind at most, all counted.
const SMALL_BYTES: u64 = 2 << 20;

/// The time within which one thread has to be done with a small program. Up to about this, a second one that has to be
/// woken saved nothing when it was measured on two cores (docs/benchmarks.md).
const SMALL_TIME: Duration = Duration::from_micros(250);

/// How often it may take longer, for other work on the machine delays it, too.
const PATIENCE: u32 = 3;

/// How often one thread has taken too long for a program alone: then all share it.
#[derive(Default)]
pub(crate) struct Delays(AtomicU32);

pub(crate) struct CpuExecutor {
    pool: Pool,
    /// Held while buffers are read or written, so that the unsafe accesses to host memory are exclusive.
    turn: Mutex<()>,
}

impl CpuExecutor {
    /// `threads` = 0 takes every core.
    pub(crate) fn new(threads: usize) -> Result<Self> {
        if threads > MOST_THREADS {
            return Err(Error::Value {
                option: "threads",
                must: format!("must be 1 to {MOST_THREADS}, or 0 for one per core"),
                value: threads.to_string(),
            });
        }
        // The module contains the twins' vector instructions, so only machines that have them load it; pulp has to be
        // told.
        #[cfg(target_arch = "wasm32")]
        pulp::wasm::enable_simd128();
        Ok(CpuExecutor {
            pool: Pool::new(threads)?,
            turn: Mutex::new(()),
        })
    }

    pub(crate) fn threads(&self) -> usize {
        self.pool.threads()
    }

    /// The right to access the buffers' memory. A twin runs while its caller holds this, so asking for it there would
    /// wait for ever.
    fn turn(&self) -> Result<MutexGuard<'_, ()>> {
        if self.pool.has_caller() {
            return Err(Error::Device(Fault::Reentered));
        }
        Ok(self.turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs dispatches of a program, on the calling thread if they are so few that waking others takes longer.
    pub(crate) fn run(&self, dispatches: &[Dispatch], delays: &Delays) -> Result<()> {
        let _turn = self.turn()?;
        let only = self.pool.threads() == 1;
        let small = only || delays.0.load(Ordering::Relaxed) < PATIENCE && is_small(dispatches);
        let (mut ran, start) = (Ok(()), Instant::now());
        self.pool.run(small, || ran = run_twins(dispatches))?;
        if small && start.elapsed() > SMALL_TIME {
            delays.0.fetch_add(1, Ordering::Relaxed);
        }
        ran
    }

    #[expect(unsafe_code, reason = "access to a buffer's memory")]
    pub(crate) fn upload(&self, view: &View, words: &[u32]) -> Result<()> {
        let _turn = self.turn()?;
        // SAFETY: this thread holds the turn.
        unsafe { host(view).slice_mut(view.word_range()) }.copy_from_slice(words);
        Ok(())
    }

    #[expect(unsafe_code, reason = "access to a buffer's memory")]
    pub(crate) fn download(&self, view: &View) -> Result<Vec<u32>> {
        let _turn = self.turn()?;
        // SAFETY: this thread holds the turn.
        Ok(unsafe { host(view).slice(view.word_range()) }.to_vec())
    }
}

/// Whether one thread may be done with these dispatches before it could wake another.
fn is_small(dispatches: &[Dispatch]) -> bool {
    let bytes = dispatches
        .iter()
        .flat_map(|dispatch| &dispatch.views)
        .map(View::bytes);
    bytes.sum::<u64>() <= SMALL_BYTES
}

fn run_twins(mut dispatches: &[Dispatch]) -> Result<()> {
    while let [first, others @ ..] = dispatches {
        dispatches = match together(dispatches, sharing()) {
            Some(together) => {
                run_chain(&together)?;
                &dispatches[together.dispatches.len()..]
            }
            None => {
                run_twin(first)?;
                others
            }
        };
    }
    Ok(())
}

fn host(view: &View) -> &HostMemory {
    match view.buffer.memory() {
        Memory::Host(memory) => memory,
        Memory::Gpu(_) | Memory::Counted | Memory::Unplaced => {
            unreachable!("the device checks that a buffer is its own, and has memory")
        }
    }
}

/// The twin call of a dispatch whose buffers are in host memory.
///
/// # Safety
/// As [`TwinCall::new`].
#[expect(unsafe_code, reason = "hands a twin the memory of its bindings")]
unsafe fn call(dispatch: &Dispatch) -> Result<TwinCall<'_>> {
    let bound = dispatch.views.iter().map(|view| Bound {
        memory: host(view),
        words: view.word_range(),
        precision: view.precision(),
    });
    // SAFETY: by this function's contract.
    unsafe { TwinCall::new(dispatch.kernel.bound(), &dispatch.params, bound) }
}

#[expect(unsafe_code, reason = "hands a twin the memory of its bindings")]
fn run_twin(dispatch: &Dispatch) -> Result<()> {
    // SAFETY: the caller holds the turn, and the device has checked that no dispatch binds twice what it writes.
    dispatch.kernel.run_twin(unsafe { call(dispatch) })
}

/// Runs the twins of dispatches together.
#[expect(unsafe_code, reason = "hands a chain the memory of its bindings")]
fn run_chain(together: &Together<'_>) -> Result<()> {
    let calls = together.dispatches.iter();
    // SAFETY: as for each call on its own. That they overlap each other does no harm, since a `ChainCall` looks for a
    // memory in all of them, and hands out a written one only once: it has only one name.
    let calls = calls.map(|dispatch| unsafe { call(dispatch) });
    let call = ChainCall::new(calls.collect::<Result<_>>()?, together.idle);
    (together.chain.run)(&call);
    Ok(())
}
