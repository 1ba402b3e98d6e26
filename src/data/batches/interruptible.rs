//! Data for a caller that may be asked to stop: a file that hangs, for example on a lost network, does not delay it.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::clock::Instant;
use crate::data::{Batch, DataOptions, Dataset, Loader, load_watched};
use crate::error::{Error, Fault, Result};
use crate::threads;

/// How long a pending file may take after a stop was requested. Its step would then be done, but nothing is lost if it
/// is not.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two checks for that.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A wait that ends some time after a stop was requested.
struct Patience<'s> {
    stop: &'s AtomicBool,
    asked: Option<Instant>,
}

impl<'s> Patience<'s> {
    fn new(stop: &'s AtomicBool) -> Self {
        Self { stop, asked: None }
    }

    /// Called again and again.
    fn is_over(&mut self) -> bool {
        self.stop.load(Ordering::Relaxed)
            && self.asked.get_or_insert_with(Instant::now).elapsed() >= PATIENCE
    }
}

/// As [`load`](crate::data::load()), for a caller that may be asked to stop.
///
/// # Errors
/// As [`load`](crate::data::load()); [`Error::Stopped`] if `stop` is set and the files do not arrive.
pub fn load_until(source: &DataOptions, stop: &AtomicBool) -> Result<Dataset> {
    load_until_watched(source, stop, |_, _| ())
}

/// As [`load_until`]; while a table is read, it calls `watch` with the bytes read so far and the total.
///
/// # Errors
/// As [`load_until`].
pub fn load_until_watched(
    source: &DataOptions,
    stop: &AtomicBool,
    watch: impl Fn(u64, u64) + Send + 'static,
) -> Result<Dataset> {
    if !threads::AVAILABLE {
        return load_watched(source, &watch);
    }
    let (sender, receiver) = channel();
    let source = source.clone();
    let work = move || {
        // The receiver may be gone.
        let _ = sender.send(load_watched(&source, &watch));
    };
    let worker = threads::spawn("data".to_owned(), work).map_err(|error| {
        Error::Device(Fault::Thread {
            what: "a thread to load the data".to_owned(),
            why: error.to_string(),
        })
    })?;
    let mut patience = Patience::new(stop);
    loop {
        match receiver.recv_timeout(LOOK_EVERY) {
            Ok(data) => return data,
            Err(RecvTimeoutError::Timeout) if patience.is_over() => return Err(Error::Stopped),
            Err(RecvTimeoutError::Timeout) => {}
            // It disappears without an answer only if it panics.
            Err(RecvTimeoutError::Disconnected) => match worker.join() {
                Err(payload) => panic::resume_unwind(payload),
                Ok(()) => return Err(Error::Stopped),
            },
        }
    }
}

/// The batches of a loader. If a stop was requested and the next batch does not arrive, the last item is
/// [`Error::Stopped`].
pub(crate) struct Interruptible<'s> {
    loader: Loader,
    stop: &'s AtomicBool,
}

impl<'s> Interruptible<'s> {
    /// Batches until `stop` is set and no more arrive.
    pub fn new(loader: Loader, stop: &'s AtomicBool) -> Self {
        Self { loader, stop }
    }
}

impl Iterator for Interruptible<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        let mut patience = Patience::new(self.stop);
        loop {
            if let Some(next) = self.loader.next_within(LOOK_EVERY) {
                return next;
            }
            if patience.is_over() {
                self.loader.abandon();
                return Some(Err(Error::Stopped));
            }
        }
    }
}

impl Drop for Interruptible<'_> {
    fn drop(&mut self) {
        // A worker may hang at a batch that nobody has requested yet.
        if self.stop.load(Ordering::Relaxed) {
            self.loader.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use crate::data::batches::loader::tests::empty;

    /// A worker that hangs at batch 5 until `go_on`, and a consumer that is asked to stop meanwhile.
    #[test]
    fn a_file_that_hangs_holds_nobody_up_who_is_asked_to_stop() {
        for workers in [1, 3] {
            let go_on = Arc::new(AtomicBool::new(false));
            let wait = Arc::clone(&go_on);
            let make = move |index| {
                while index == 5 && !wait.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(1));
                }
                empty(index)
            };
            let loader = Loader::run(make, 0..20, workers, 2).unwrap();
            let stop = AtomicBool::new(false);
            let mut batches = Interruptible::new(loader, &stop);
            for index in 0..5 {
                assert_eq!(batches.next().unwrap().unwrap().index, index);
            }
            let began = Instant::now();
            stop.store(true, Ordering::Relaxed);
            assert!(matches!(batches.next(), Some(Err(Error::Stopped))));
            assert!(batches.next().is_none());
            drop(batches);
            // The same for a worker that has not reached the batch yet.
            let make = {
                let wait = Arc::clone(&go_on);
                move |index| {
                    while !wait.load(Ordering::Relaxed) {
                        thread::sleep(Duration::from_millis(1));
                    }
                    empty(index)
                }
            };
            drop(Interruptible::new(
                Loader::run(make, 0..20, workers, 2).unwrap(),
                &stop,
            ));
            assert!(began.elapsed() < 30 * PATIENCE, "{:?}", began.elapsed());
            go_on.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn batches_that_come_are_given_although_a_stop_was_asked_for() {
        let loader = Loader::run(empty, 0..9, 2, 0).unwrap();
        let stop = AtomicBool::new(true);
        let batches = Interruptible::new(loader, &stop).map(|batch| batch.unwrap().index);
        assert!(batches.eq(0..9));
    }
}
