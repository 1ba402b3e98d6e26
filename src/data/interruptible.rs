//! Batches for somebody who may be asked to stop: a file that hangs, as on a network that is gone, holds nobody up then.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::{Batch, Loader};
use crate::error::{Error, Result};

/// How long the next batch may take once a stop was asked for. Its step would be done, but is not lost either.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time between two looks at whether that is so.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A loader's batches. Where a stop was asked for and the next one does not come, the last item is [`Error::Stopped`].
pub(crate) struct Interruptible<'s> {
    loader: Loader,
    stop: &'s AtomicBool,
}

impl<'s> Interruptible<'s> {
    /// Batches until `stop` is set and none comes any more.
    pub fn new(loader: Loader, stop: &'s AtomicBool) -> Self {
        Self { loader, stop }
    }
}

impl Iterator for Interruptible<'_> {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        let mut asked: Option<Instant> = None;
        loop {
            if let Some(next) = self.loader.next_within(LOOK_EVERY) {
                return next;
            }
            if self.stop.load(Ordering::Relaxed)
                && asked.get_or_insert_with(Instant::now).elapsed() >= PATIENCE
            {
                self.loader.abandon();
                return Some(Err(Error::Stopped));
            }
        }
    }
}

impl Drop for Interruptible<'_> {
    fn drop(&mut self) {
        // A worker may hang at a batch that nobody has asked for yet.
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
    use crate::data::loader::tests::empty;

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
            // Nor who has not come to the batch yet.
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
            assert!(began.elapsed() < 2 * PATIENCE, "{:?}", began.elapsed());
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
