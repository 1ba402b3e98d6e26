//! Time limits: a submission that takes about two seconds is ended by Windows, and the device is lost with it.
//!
//! So on hardware no submission is planned to take longer than [`PLANNED`]. A program's dispatches are cut into [`Chunk`]s by
//! the time that they were seen to take, and a dispatch that alone takes longer runs in ranges of its workgroups. What is not
//! known yet is measured in its first run, from an idle device to an idle device, beginning with little work by a careful
//! [`Guess`]. Later runs are watched without a further wait: when the executor waits for a submission anyway, the time since it was
//! submitted, or since the one before it ended, is at least what it took. If that is too long, the next run is
//! measured again. On a fast device a program becomes one submission with its second run.
//!
//! Everything here is given the time and has a [`Queue`] of its own to submit to, so that tests can run it by a clock that they
//! set.

mod guess;
#[cfg(test)]
mod tests;
mod timings;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub(super) use guess::Guess;
pub(super) use timings::{Chunk, Position, Timings, Unit};

use crate::error::Result;

/// Seconds that a submission is planned to take at most: below half a second, since times vary.
pub(super) const PLANNED: f64 = 0.4;

/// How much longer than planned a submission may take before it is planned anew: up to half a second.
const TOLERATED: f64 = 1.25;

/// Submissions that may be in flight before the host waits for the oldest: enough to keep the device
/// busy, few enough that the uploads staged for them stay small.
const IN_FLIGHT: usize = 4;

/// A wait of so many seconds was for the device: its end is when the submission ended, not only a time by which it had.
const WAITED: f64 = 1e-3;

/// A submission that the host needed so many seconds for made the driver compile, and the device began with its end: some drivers
/// put compiling off until a pipeline is first used.
const COMPILED: f64 = 0.01;

/// How a device's programs are cut into submissions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Not at all: nothing ends a long submission.
    Whole,
    /// By measured time: at most so many seconds each, as far as can be planned.
    Seconds(f64),
    /// Every dispatch in so many ranges of workgroups, each a submission, for tests.
    Ranges(usize),
}

impl Pace {
    /// That of an adapter which nobody has asked to run otherwise. Software adapters have no watchdog.
    pub(super) fn of(hardware: bool) -> Self {
        match hardware {
            true => Pace::Seconds(PLANNED),
            false => Pace::Whole,
        }
    }
}

/// What takes submissions.
pub(super) trait Queue {
    /// What chunks are of.
    type Program;
    /// Names a submission.
    type Submission;
    /// Submits a part of a program.
    fn submit(&self, program: &Self::Program, chunk: &Chunk) -> Result<Self::Submission>;
    /// Waits until a submission has ended.
    fn await_end(&self, submission: Self::Submission) -> Result<()>;
    /// Submits what is still staged, and waits for everything.
    fn await_idle(&self) -> Result<()>;
    /// Seconds since some moment that does not change.
    fn now(&self) -> f64;
}

/// The timings of a program, which its submissions in flight refer to.
pub(super) type Shared = Arc<Mutex<Timings>>;

/// Decides what is submitted together, and keeps the host from running ahead of the device without bound.
pub(super) struct Pacer<S> {
    pace: Pace,
    guess: Guess,
    in_flight: VecDeque<Flight<S>>,
    /// When the device was last seen to finish a submission: later ones began no earlier.
    finished: f64,
    /// Chunks that were submitted so far.
    pub(super) submissions: u64,
}

struct Flight<S> {
    submission: S,
    submitted: f64,
    timings: Shared,
    chunk: Chunk,
}

impl<S> Pacer<S> {
    pub(super) fn new(pace: Pace) -> Self {
        Pacer {
            pace,
            guess: Guess::default(),
            in_flight: VecDeque::new(),
            finished: f64::NEG_INFINITY,
            submissions: 0,
        }
    }

    /// Submits some units of a program, in as many submissions as it takes.
    pub(super) fn run<Q: Queue<Submission = S>>(
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

    /// Runs a part of a program from an idle device to an idle device, and learns what it takes.
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

    /// Waits for all programs in flight and sees how long they took, before a wait for everything.
    pub(super) fn finish<Q: Queue<Submission = S>>(&mut self, queue: &Q) -> Result<()> {
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

    /// Whether these units of a program go into one submission, as far as is known.
    pub(super) fn in_one(&self, timings: &Shared, units: Range<usize>) -> bool {
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
