//! What the pacer submits to: the device, or a test's clock.

use super::timings::Chunk;
use crate::error::Result;

/// Something that accepts submissions.
pub(in crate::engine::gpu) trait Queue {
    /// What chunks are parts of.
    type Program;
    /// Identifies a submission.
    type Submission;
    /// Submits a part of a program.
    fn submit(&self, program: &Self::Program, chunk: &Chunk) -> Result<Self::Submission>;
    /// Waits until a submission has ended.
    fn await_end(&self, submission: Self::Submission) -> Result<()>;
    /// Submits what is still staged, and waits for everything.
    fn await_idle(&self) -> Result<()>;
    /// Seconds since some fixed moment.
    fn now(&self) -> f64;
}
