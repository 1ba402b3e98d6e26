//! How programs are cut into submissions, as far as a user or a test says it.

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
