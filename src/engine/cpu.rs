//! The CPU executor: runs the twins of a plan's kernels, one dispatch after the other, on a pool of its own.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::buffer::{HostMemory, Memory, View};
use super::plan::Dispatch;
use super::twin_call::{Bound, TwinCall};
use crate::error::{Error, Result};
use crate::threads::{MOST_THREADS, Pool};

pub(crate) struct CpuExecutor {
    pool: Pool,
    /// Held while buffers are read or written: what makes the unsafe accesses to host memory exclusive.
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
        // The twins' vectors are in the module, so that only what has them loads it; pulp waits to be told.
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

    /// The right to the buffers' memory. A twin, which runs while another holds it, would wait for itself.
    fn turn(&self) -> Result<MutexGuard<'_, ()>> {
        if self.pool.has_caller() {
            return Err(Error::Device(
                "a kernel's twin cannot use the device that it runs on".into(),
            ));
        }
        Ok(self.turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn run(&self, dispatches: &[Dispatch]) -> Result<()> {
        let _turn = self.turn()?;
        let mut ran = Ok(());
        self.pool
            .run(|| ran = dispatches.iter().try_for_each(run_twin))?;
        ran
    }

    #[expect(unsafe_code, reason = "access to a buffer's memory")]
    pub(crate) fn upload(&self, view: &View, words: &[u32]) -> Result<()> {
        let _turn = self.turn()?;
        // SAFETY: the turn is ours.
        unsafe { host(view).slice_mut(view.word_range()) }.copy_from_slice(words);
        Ok(())
    }

    #[expect(unsafe_code, reason = "access to a buffer's memory")]
    pub(crate) fn download(&self, view: &View) -> Result<Vec<u32>> {
        let _turn = self.turn()?;
        // SAFETY: the turn is ours.
        Ok(unsafe { host(view).slice(view.word_range()) }.to_vec())
    }
}

fn host(view: &View) -> &HostMemory {
    match view.buffer.memory() {
        Memory::Host(memory) => memory,
        Memory::Gpu(_) | Memory::Unplaced => {
            unreachable!("the device checks that a buffer is its own, and has memory")
        }
    }
}

/// Runs the twin of a dispatch whose buffers are host memory.
#[expect(unsafe_code, reason = "hands a twin the memory of its bindings")]
fn run_twin(dispatch: &Dispatch) -> Result<()> {
    let bound = dispatch.views.iter().map(|view| Bound {
        memory: host(view),
        words: view.word_range(),
        precision: view.precision(),
    });
    // SAFETY: whoever runs dispatches holds the turn, and the device has checked that each binds nothing twice that it
    // writes.
    let call = unsafe { TwinCall::new(dispatch.kernel.bound(), &dispatch.params, bound) };
    dispatch.kernel.run_twin(call)
}
