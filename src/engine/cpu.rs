//! The CPU executor: runs the twins of a plan's kernels, one dispatch after the other, on its own rayon pool.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::buffer::{HostMemory, Memory, View};
use super::kernel::{TwinCall, TwinSlice};
use super::plan::Dispatch;
use crate::error::{Error, Result};

/// More threads than any machine has cores are a typing error, and would only wait for each other.
const MOST_THREADS: usize = 1024;

pub(crate) struct CpuExecutor {
    pool: rayon::ThreadPool,
    /// Held while buffers are read or written: what makes the unsafe accesses to host memory exclusive.
    turn: Mutex<()>,
}

impl CpuExecutor {
    /// `threads` = 0 takes every core.
    pub(crate) fn new(threads: usize) -> Result<Self> {
        if threads > MOST_THREADS {
            return Err(Error::Usage(format!(
                "--threads {threads} is more than {MOST_THREADS}; 0 takes one per core"
            )));
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .thread_name(|i| format!("rootlet-cpu-{i}"))
            .build()
            .map_err(|e| Error::Device(format!("cannot start {threads} CPU threads: {e}")))?;
        Ok(CpuExecutor {
            pool,
            turn: Mutex::new(()),
        })
    }

    pub(crate) fn threads(&self) -> usize {
        self.pool.current_num_threads()
    }

    fn turn(&self) -> MutexGuard<'_, ()> {
        self.turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn run(&self, dispatches: &[Dispatch]) {
        let _turn = self.turn();
        self.pool.install(|| dispatches.iter().for_each(run_twin));
    }

    pub(crate) fn upload(&self, view: &View, words: &[u32]) {
        let _turn = self.turn();
        // SAFETY: the turn is ours.
        unsafe { host(view).slice_mut(view.range.clone()) }.copy_from_slice(words);
    }

    pub(crate) fn download(&self, view: &View) -> Vec<u32> {
        let _turn = self.turn();
        // SAFETY: the turn is ours.
        unsafe { host(view).slice(view.range.clone()) }.to_vec()
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
fn run_twin(dispatch: &Dispatch) {
    let slices = dispatch
        .views
        .iter()
        .map(|view| TwinSlice {
            memory: host(view),
            range: view.range.clone(),
        })
        .collect();
    (dispatch.kernel.twin)(&TwinCall {
        params: &dispatch.params,
        slices,
    });
}
