//! Loading ahead of the device: worker threads assemble batches, and bounded queues deliver them in order.
//!
//! Each of `W` workers makes every `W`-th batch and has its own queue; the consumer takes from the queues in turn. That
//! keeps the order without a lock or a sorting buffer, and a batch depends only on its number.

use std::fmt;
use std::panic;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use super::assemble::Assembler;
use super::batch::{Batch, LoaderOptions};
use crate::data::{ImageShape, Images, Normalisation};
use crate::error::option::WORKERS;
use crate::error::{Error, Fault, Result};
use crate::threads;

/// Number of batches that wait in one worker's queue. Two keep a worker busy while the consumer is late by one batch.
const AHEAD: usize = 2;
/// Size in bytes from which a batch counts as large: then a worker keeps it until it is taken, and none waits in the
/// queue.
const LARGE: usize = 16 << 20;
/// More workers than this only cost memory.
pub(crate) const MOST_WORKERS: usize = 64;
/// How long a dropped loader waits for the batches that its workers are making.
const PATIENCE: Duration = Duration::from_secs(5);

/// The batches of one epoch, in order, made ahead by worker threads.
///
/// At most three batches per worker exist at a time, and one if it is larger than 16 MiB. A file that cannot be read or
/// decoded appears as an error in place of its batch, and ends the epoch. Dropping the loader stops the workers, and
/// waits for the batch that each is making; a worker whose file hangs, for example on a lost network, is abandoned
/// after five seconds. If a worker panics, [`next`](Iterator::next) continues with that panic instead of ending the
/// epoch early.
///
/// Without threads, as in a web page, each batch is made when it is requested.
pub struct Loader {
    queues: Vec<Receiver<Result<Batch>>>,
    workers: Vec<JoinHandle<()>>,
    /// Receives nothing until all workers have ended.
    ended: Receiver<()>,
    turn: usize,
    remaining: u64,
    /// Makes the batches if there are no workers.
    here: Option<Here>,
}

/// The batches from a number on, made by the caller.
struct Here {
    make: Box<dyn Fn(u64) -> Result<Batch> + Send + Sync>,
    next: u64,
}

impl Loader {
    /// Starts to load `images`, which have the given shape. A `first_batch` past the end leaves no batches.
    ///
    /// # Errors
    /// [`Error::Shape`] if shape, normalisation, batch, lanes and augmentation do not fit together, [`Error::Value`]
    /// for random crops of images in memory, [`Error::Device`] if the operating system provides no thread.
    pub fn start(
        images: impl Into<Images>,
        shape: ImageShape,
        normalisation: &Normalisation,
        options: LoaderOptions,
    ) -> Result<Self> {
        let assembler = Assembler::new(images.into(), shape, normalisation, &options)?;
        let batches = assembler.batches();
        let ahead = match assembler.bytes() > LARGE {
            true => 0,
            false => AHEAD,
        };
        let (share, first) = (options.share, options.first_batch);
        let own = share.of_all(batches.saturating_sub(first));
        Self::run(
            move |number| assembler.assemble(first + share.batch(number)),
            0..own,
            options.workers,
            ahead,
        )
    }

    /// Starts to make the batches of `range`.
    pub(in crate::data) fn run(
        make: impl Fn(u64) -> Result<Batch> + Send + Sync + 'static,
        range: std::ops::Range<u64>,
        workers: usize,
        ahead: usize,
    ) -> Result<Self> {
        if !threads::AVAILABLE {
            return Ok(Self::without_workers(make, range));
        }
        let (living, ended) = sync_channel(0);
        let mut loader = Self {
            queues: Vec::new(),
            workers: Vec::new(),
            ended,
            turn: 0,
            remaining: range.end.saturating_sub(range.start),
            here: None,
        };
        // If a thread is refused, this is dropped before the loader, which waits for its last copy.
        let living = living;
        let make = Arc::new(make);
        let workers = (workers.clamp(1, MOST_WORKERS) as u64).min(loader.remaining);
        for worker in 0..workers {
            let (sender, receiver) = sync_channel(ahead);
            let make = Arc::clone(&make);
            let indices = (range.start + worker..range.end).step_by(workers as usize);
            let living = living.clone();
            let work = move || {
                let _living = living;
                for index in indices {
                    let batch = make(index);
                    let failed = batch.is_err();
                    if sender.send(batch).is_err() || failed {
                        return; // The loader was dropped, or will end here.
                    }
                }
            };
            let handle = threads::spawn(format!("loader {worker}"), work).map_err(|error| {
                Error::Device(Fault::Thread {
                    what: format!("loader thread {worker} of {workers}"),
                    why: format!("{error}; use fewer {WORKERS}"),
                })
            })?;
            loader.queues.push(receiver);
            loader.workers.push(handle);
        }
        Ok(loader)
    }

    /// Makes the batches of `range` itself, each when it is requested.
    fn without_workers(
        make: impl Fn(u64) -> Result<Batch> + Send + Sync + 'static,
        range: std::ops::Range<u64>,
    ) -> Self {
        Self {
            queues: Vec::new(),
            workers: Vec::new(),
            ended: sync_channel(0).1,
            turn: 0,
            remaining: range.end.saturating_sub(range.start),
            here: Some(Here {
                make: Box::new(make),
                next: range.start,
            }),
        }
    }

    /// As [`next`](Iterator::next); `None` if it does not arrive within `time`.
    pub(in crate::data) fn next_within(&mut self, time: Duration) -> Option<Option<Result<Batch>>> {
        if self.remaining == 0 {
            return Some(None);
        }
        if let Some(batch) = self.make_here() {
            return Some(Some(batch));
        }
        match self.queues[self.turn].recv_timeout(time) {
            Err(RecvTimeoutError::Timeout) => None,
            batch => Some(self.received(batch.ok())),
        }
    }

    /// Stops waiting for workers, and ends. They end by themselves as soon as they can.
    pub(in crate::data) fn abandon(&mut self) {
        self.remaining = 0;
        self.queues.clear();
        self.workers.clear();
    }

    /// The next batch if there are no workers.
    fn make_here(&mut self) -> Option<Result<Batch>> {
        let Here { make, next } = self.here.as_mut()?;
        let batch = make(*next);
        *next += 1;
        self.counted(&batch);
        Some(batch)
    }

    /// Reduces the number of batches to come by one, or to none after an error.
    fn counted(&mut self, batch: &Result<Batch>) {
        self.remaining = match batch {
            Ok(_) => self.remaining - 1,
            Err(_) => 0,
        };
    }

    /// Turns the result of the next worker's queue, `None` if the worker is gone, into the next item.
    fn received(&mut self, batch: Option<Result<Batch>>) -> Option<Result<Batch>> {
        if let Some(batch) = batch {
            self.turn = (self.turn + 1) % self.queues.len();
            self.counted(&batch);
            return Some(batch);
        }
        // A worker disappears before its last batch only if it panics.
        self.remaining = 0;
        if let Err(payload) = self.workers.swap_remove(self.turn).join() {
            panic::resume_unwind(payload);
        }
        None
    }
}

impl Iterator for Loader {
    type Item = Result<Batch>;

    fn next(&mut self) -> Option<Result<Batch>> {
        if self.remaining == 0 {
            return None;
        }
        if let Some(batch) = self.make_here() {
            return Some(batch);
        }
        let batch = self.queues[self.turn].recv().ok();
        self.received(batch)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let remaining = self.remaining as usize;
        (remaining, Some(remaining))
    }
}

impl ExactSizeIterator for Loader {}

impl fmt::Debug for Loader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Loader");
        text.field("workers", &self.workers.len())
            .field("remaining", &self.remaining)
            .finish_non_exhaustive()
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        // Without its receiver, a worker ends as soon as it waits for room in its queue or tries to.
        self.queues.clear();
        if self.workers.is_empty()
            || self.ended.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout)
        {
            return;
        }
        for worker in self.workers.drain(..) {
            // A panic was reported where it happened, and nobody needs the batch that it prevented.
            let _ = worker.join();
        }
    }
}

#[cfg(test)]
pub(in crate::data) mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    pub fn empty(index: u64) -> Result<Batch> {
        Ok(Batch {
            inputs: Vec::new(),
            targets: Vec::<u32>::new().into(),
            count: 0,
            weights: Vec::new(),
            index,
        })
    }

    #[test]
    fn an_error_comes_in_its_batchs_place_and_ends_the_epoch() {
        for (workers, ahead) in [(1, 0), (1, 2), (2, 0), (3, 2), (7, 2)] {
            let make = |index| match index {
                5.. => Err(Error::Shape(crate::error::Misfit::Custom(format!(
                    "no batch {index}"
                )))),
                _ => empty(index),
            };
            let with_workers = Loader::run(make, 0..20, workers, ahead).unwrap();
            for mut loader in [with_workers, Loader::without_workers(make, 0..20)] {
                assert_eq!(loader.len(), 20);
                for index in 0..5 {
                    assert_eq!(loader.next().unwrap().unwrap().index, index);
                }
                let error = loader.next().unwrap().unwrap_err();
                assert_eq!(error.to_string(), "no batch 5");
                assert!(loader.next().is_none());
                assert!(loader.next_within(Duration::ZERO).unwrap().is_none());
            }
        }
    }

    #[test]
    fn a_panicking_worker_panics_the_consumer() {
        for workers in [1, 2, 3] {
            let make = |index| match index {
                5 => panic!("no batch 5"),
                _ => empty(index),
            };
            let mut loader = Loader::run(make, 0..20, workers, AHEAD).unwrap();
            for index in 0..5 {
                assert_eq!(loader.next().unwrap().unwrap().index, index);
            }
            let caught =
                panic::catch_unwind(panic::AssertUnwindSafe(|| loader.next())).unwrap_err();
            assert_eq!(caught.downcast_ref::<&str>(), Some(&"no batch 5"));
            assert!(loader.next().is_none());
        }
    }

    #[test]
    fn the_queues_are_bounded_and_end_when_dropped() {
        let made = Arc::new(AtomicU64::new(0));
        for (workers, ahead, taken) in [
            (1, 2, 0),
            (1, 2, 3),
            (3, 2, 0),
            (3, 2, 4),
            (2, 0, 0),
            (2, 0, 3),
        ] {
            made.store(0, Ordering::SeqCst);
            let counter = Arc::clone(&made);
            let make = move |index| {
                counter.fetch_add(1, Ordering::SeqCst);
                empty(index)
            };
            let mut loader = Loader::run(make, 0..1_000_000, workers, ahead).unwrap();
            assert!(
                loader
                    .by_ref()
                    .take(taken)
                    .map(|batch| batch.unwrap().index)
                    .eq(0..taken as u64)
            );
            assert_eq!(loader.len(), 1_000_000 - taken);
            std::thread::sleep(std::time::Duration::from_millis(20));
            // Those waiting in the queues, and one in each worker's hands.
            let most = (taken + workers * (ahead + 1)) as u64;
            assert!(made.load(Ordering::SeqCst) <= most);
            drop(loader); // Must return: it joins the workers.
            assert!(made.load(Ordering::SeqCst) <= most + workers as u64);
            assert_eq!(Arc::strong_count(&made), 1, "a worker lives on");
        }
    }
}
