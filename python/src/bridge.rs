//! Training on a thread of its own, while the thread that called runs Python: callbacks, and Ctrl-C.
//!
//! The training thread never holds Python's lock. What it wants from Python it sends to the calling thread, and waits.
//! So callbacks run where they were given, as notebooks need it, and the calling thread looks for signals many times a
//! second, however long a step takes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::prelude::*;
use rootlet::Error;
use rootlet::error::Misfit;

use crate::errors::raised;

/// How often signals are looked for.
const TICK: Duration = Duration::from_millis(50);
/// The error that stands for an exception inside the library. The exception itself waits in the bridge.
const RAISED: &str = "a Python function raised an exception";

type Job = Box<dyn FnOnce(Python<'_>) + Send>;

/// Connects a training thread with the thread that called it.
#[derive(Default)]
pub struct Bridge {
    jobs: Mutex<Option<Sender<Job>>>,
    /// The first exception: of a callback, or `KeyboardInterrupt`.
    exception: Mutex<Option<PyErr>>,
}

impl Bridge {
    /// From the training thread: runs `work` on the calling thread and waits for what it returns.
    ///
    /// # Errors
    /// It raised an exception, which [`Bridge::run`] raises again at its end.
    pub fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(Python<'_>) -> PyResult<T> + Send + 'static,
    ) -> rootlet::Result<T> {
        let (reply, answer) = channel();
        let job: Job = Box::new(move |py| {
            // Nobody waits any more only if the training thread has panicked.
            let _ = reply.send(work(py));
        });
        let sent = locked(&self.jobs).as_ref().map(|jobs| jobs.send(job));
        match (sent, answer.recv()) {
            (Some(Ok(())), Ok(Ok(value))) => return Ok(value),
            (_, Ok(Err(exception))) => {
                locked(&self.exception).get_or_insert(exception);
            }
            _ => {}
        }
        Err(Error::Shape(Misfit::Custom(RAISED.to_owned())))
    }

    /// Runs `train` on a thread of its own, and meanwhile what it calls. An interrupt sets `stop`, and is raised when
    /// the training has ended.
    ///
    /// # Errors
    /// An exception of a callback, an interrupt, or the error of the training.
    pub fn run<T: Send>(
        &self,
        py: Python<'_>,
        stop: &AtomicBool,
        train: impl FnOnce() -> rootlet::Result<T> + Send,
    ) -> PyResult<T> {
        let (sender, mut jobs) = channel();
        *locked(&self.jobs) = Some(sender);
        *locked(&self.exception) = None;
        let trained = std::thread::scope(|scope| {
            let worker = scope.spawn(|| {
                let _end = End(self);
                train()
            });
            while let Some(job) = next(py, &mut jobs) {
                if let Some(job) = job {
                    job(py);
                }
                if let Err(interrupt) = py.check_signals() {
                    locked(&self.exception).get_or_insert(interrupt);
                    stop.store(true, Ordering::Relaxed);
                }
            }
            py.detach(|| worker.join())
        });
        let trained = trained.unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        match (locked(&self.exception).take(), trained) {
            (None, trained) => trained.map_err(raised),
            (Some(exception), Err(error)) if !is_stand_in(&error) => {
                exception.set_cause(py, Some(raised(error)));
                Err(exception)
            }
            (Some(exception), _) => Err(exception),
        }
    }
}

/// Ends the calling thread's wait, even if the training panics.
struct End<'a>(&'a Bridge);

impl Drop for End<'_> {
    fn drop(&mut self) {
        *locked(&self.0.jobs) = None;
    }
}

/// The next job, or none within a tick; `None` at the end of the training.
fn next(py: Python<'_>, jobs: &mut Receiver<Job>) -> Option<Option<Job>> {
    match py.detach(move || jobs.recv_timeout(TICK)) {
        Ok(job) => Some(Some(job)),
        Err(RecvTimeoutError::Timeout) => Some(None),
        Err(RecvTimeoutError::Disconnected) => None,
    }
}

fn is_stand_in(error: &Error) -> bool {
    matches!(error, Error::Shape(Misfit::Custom(text)) if text == RAISED)
}

/// A mutex whose holder panicked still has what it had.
pub fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
