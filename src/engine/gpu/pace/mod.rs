//! Time limits: Windows ends a submission that takes about two seconds, and the device is lost with it.
//!
//! So on hardware no submission is planned to take longer than [`PLANNED`](pacer::PLANNED). A program's dispatches are
//! grouped into [`Chunk`]s by their measured times, and a dispatch that alone takes longer runs in ranges of its
//! workgroups. Unknown work is measured in its first run, from an idle device to an idle device, starting with a small
//! amount chosen by a careful [`Guess`](guess::Guess). Later runs are watched without extra waiting: when the executor
//! waits for a submission anyway, the time since it was submitted, or since the one before it ended, bounds its
//! duration. If that is too long, the next run is measured again. On a fast device a program becomes one submission
//! from its second run on.
//!
//! Everything here receives the time and a [`Queue`] to submit to from outside, so that tests can use a clock of their
//! own.

mod guess;
mod pacer;
mod queue;
#[cfg(test)]
mod tests;
mod timings;

pub(super) use pacer::Pacer;
pub(super) use queue::Queue;
pub(super) use timings::{Chunk, Shared, Timings, Unit};
