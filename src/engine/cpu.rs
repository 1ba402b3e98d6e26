//! The CPU executor: runs the twins of a plan's kernels, one dispatch after the other, on its own rayon pool.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::buffer::{HostMemory, Memory, View};
use super::kernel::TwinCall;
use super::plan::Dispatch;
use crate::error::{Error, Result};

/// More threads than any machine has cores are a typing error, and would only wait for each other.
pub(crate) const MOST_THREADS: usize = 1024;

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
                "--threads must be 1 to {MOST_THREADS}, or 0 for one per core, not {threads}"
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

    /// The right to the buffers' memory. A twin, which runs while another holds it, would wait for itself.
    fn turn(&self) -> Result<MutexGuard<'_, ()>> {
        if self.pool.current_thread_index().is_some() {
            return Err(Error::Device(
                "a kernel's twin cannot use the device that it runs on".into(),
            ));
        }
        Ok(self.turn.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn run(&self, dispatches: &[Dispatch]) -> Result<()> {
        let _turn = self.turn()?;
        let work = || self.pool.install(|| dispatches.iter().for_each(run_twin));
        if rayon::current_thread_index().is_none() {
            work();
            return Ok(());
        }
        // A thread of another rayon pool would take up a second of its tasks while it waits for our pool, with the turn in
        // its hands; should that task want the turn too, it would never come. It waits for a thread that is in no pool instead.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().spawn_scoped(scope, work);
            let thread =
                thread.map_err(|e| Error::Device(format!("cannot start a thread: {e}")))?;
            thread
                .join()
                .or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    #[expect(unsafe_code, reason = "access to a buffer's memory")]
    pub(crate) fn upload(&self, view: &View, words: &[u32]) -> Result<()> {
        let _turn = self.turn()?;
        // SAFETY: the turn is ours.
        unsafe { host(view).slice_mut(view.range.clone()) }.copy_from_slice(words);
        Ok(())
    }

    #[expect(unsafe_code, reason = "access to a buffer's memory")]
    pub(crate) fn download(&self, view: &View) -> Result<Vec<u32>> {
        let _turn = self.turn()?;
        // SAFETY: the turn is ours.
        Ok(unsafe { host(view).slice(view.range.clone()) }.to_vec())
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
fn run_twin(dispatch: &Dispatch) {
    let views = dispatch.views.iter();
    let ranges = views.map(|view| (host(view), view.range.clone()));
    // SAFETY: whoever runs dispatches holds the turn, and the device has checked that each binds nothing twice that it writes.
    let call = unsafe { TwinCall::new(dispatch.kernel, &dispatch.params, ranges) };
    (dispatch.kernel.twin)(&call);
}
