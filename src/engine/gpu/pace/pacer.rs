//! What is submitted together, and when the host waits.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{MutexGuard, PoisonError};

use super::guess::Guess;
use super::queue::Queue;
use super::timings::{Chunk, Position, Shared, Timings};
use crate::engine::Pace;
use crate::error::Result;

/// Most seconds that a submission is planned to take: below half a second, because times vary.
pub(super) const PLANNED: f64 = 0.4;

/// Factor by which a submission may exceed the plan before it is planned anew: up to half a second.
const TOLERATED: f64 = 1.25;

/// Number of submissions that may be in flight before the host waits for the oldest: enough to keep the device busy,
/// and few enough that the uploads staged for them stay small.
const IN_FLIGHT: usize = 4;

/// If the host waited at least this many seconds, it was for the device, so the end of the wait is the end of the
/// submission, and not just a later moment.
const WAITED: f64 = 1e-3;

/// If submitting took the host this many seconds, the driver was compiling, and the device began when it was done: some
/// drivers delay compiling until a pipeline is first used.
const COMPILED: f64 = 0.01;

impl Pace {
    /// The default pace of an adapter. Software adapters have no watchdog.
    pub(in crate::engine::gpu) fn of(hardware: bool) -> Self {
        match hardware {
            true => Pace::Seconds(PLANNED),
            false => Pace::Whole,
        }
    }
}

/// Decides what is submitted together, and keeps the host from running ahead of the device without bound.
pub(in crate::engine::gpu) struct Pacer<S> {
    pace: Pace,
    guess: Guess,
    in_flight: VecDeque<Flight<S>>,
    /// When the device was last seen to finish a submission: later ones began no earlier.
    finished: f64,
    /// Number of chunks submitted so far.
    pub(in crate::engine::gpu) submissions: u64,
}

struct Flight<S> {
    submission: S,
    submitted: f64,
    timings: Shared,
    chunk: Chunk,
}

impl<S> Pacer<S> {
    pub(in crate::engine::gpu) fn new(pace: Pace) -> Self {
        Pacer {
            pace,
            guess: Guess::default(),
            in_flight: VecDeque::new(),
            finished: f64::NEG_INFINITY,
            submissions: 0,
        }
    }

    /// Submits some units of a program, in as many submissions as it takes.
    pub(in crate::engine::gpu) fn run<Q: Queue<Submission = S>>(
        &mut self,
        queue: &Q,
        program: &Q::Program,
        timings: &Shared,
        units: Range<usize>,
    ) -> Result<()> {
        let mut at = Position::new(units.start);
        loop {
            let chunk = held(timings).next(at, units.end, self.pace, &self.guess);
            at = held(timings).behind(&chunk);
            self.submissions += 1;
            match chunk.measured {
                true => self.measure(queue, program, timings, &chunk)?,
                false => self.submit(queue, program, timings, chunk)?,
            }
            if at.unit >= units.end {
                return Ok(());
            }
        }
    }

    fn submit<Q: Queue<Submission = S>>(
        &mut self,
        queue: &Q,
        program: &Q::Program,
        timings: &Shared,
        chunk: Chunk,
    ) -> Result<()> {
        self.in_flight.push_back(Flight {
            submitted: queue.now(),
            submission: queue.submit(program, &chunk)?,
            timings: timings.clone(),
            chunk,
        });
        match self.in_flight.len() > IN_FLIGHT {
            true => self.finish_oldest(queue),
            false => Ok(()),
        }
    }

    /// Runs a part of a program from an idle device to an idle device, and records its time.
    fn measure<Q: Queue<Submission = S>>(
        &mut self,
        queue: &Q,
        program: &Q::Program,
        timings: &Shared,
        chunk: &Chunk,
    ) -> Result<()> {
        self.finish(queue)?;
        queue.await_idle()?;
        let before = queue.now();
        let submission = queue.submit(program, chunk)?;
        let after = queue.now();
        let start = match after - before < COMPILED {
            true => before,
            false => after,
        };
        queue.await_end(submission)?;
        self.finished = queue.now();
        if let Pace::Seconds(planned) = self.pace {
            let most = planned * TOLERATED;
            held(timings).measure(chunk, self.finished - start, most, &mut self.guess);
        }
        Ok(())
    }

    /// Waits for all programs in flight and records how long they took, before a wait for everything.
    pub(in crate::engine::gpu) fn finish<Q: Queue<Submission = S>>(
        &mut self,
        queue: &Q,
    ) -> Result<()> {
        if self.pace == Pace::Whole {
            self.in_flight.clear();
        }
        while !self.in_flight.is_empty() {
            self.finish_oldest(queue)?;
        }
        Ok(())
    }

    fn finish_oldest<Q: Queue<Submission = S>>(&mut self, queue: &Q) -> Result<()> {
        let Some(flight) = self.in_flight.pop_front() else {
            return Ok(());
        };
        let before = queue.now();
        queue.await_end(flight.submission)?;
        let after = queue.now();
        if let Pace::Seconds(planned) = self.pace {
            let began = flight.submitted.max(self.finished);
            let most = planned * TOLERATED;
            held(&flight.timings).observe(&flight.chunk, after - began, most);
        }
        if after - before > WAITED {
            self.finished = after;
        }
        Ok(())
    }

    /// Whether these units of a program fit into one submission, as far as is known.
    pub(in crate::engine::gpu) fn in_one(&self, timings: &Shared, units: Range<usize>) -> bool {
        let timings = held(timings);
        let chunk = timings.next(
            Position::new(units.start),
            units.end,
            self.pace,
            &self.guess,
        );
        !chunk.measured && chunk.groups.is_none() && chunk.units == units
    }
}

fn held(timings: &Shared) -> MutexGuard<'_, Timings> {
    timings.lock().unwrap_or_else(PoisonError::into_inner)
}
