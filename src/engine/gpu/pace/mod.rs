//! Time limits: a submission that takes about two seconds is ended by Windows, and the device is lost with it.
//!
//! So on hardware no submission is planned to take longer than [`PLANNED`](pacer::PLANNED). A program's dispatches are
//! cut into [`Chunk`]s by the time that they were seen to take, and a dispatch that alone takes longer runs in ranges
//! of its workgroups. What is not known yet is measured in its first run, from an idle device to an idle device,
//! beginning with little work by a careful [`Guess`](guess::Guess). Later runs are watched without a further wait: when
//! the executor waits for a submission anyway, the time since it was submitted, or since the one before it ended, is at
//! least what it took. If that is too long, the next run is measured again. On a fast device a program becomes one
//! submission with its second run.
//!
//! Everything here is given the time and has a [`Queue`] of its own to submit to, so that tests can run it by a clock
//! that they set.

mod guess;
mod pacer;
mod queue;
#[cfg(test)]
mod tests;
mod timings;

pub(super) use pacer::Pacer;
pub(super) use queue::Queue;
pub(super) use timings::{Chunk, Shared, Timings, Unit};
