//! How programs are split into submissions, as far as a user or a test decides.

/// How a device's programs are split into submissions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Not split: nothing ends a long submission.
    Whole,
    /// Split by measured time: at most this many seconds each, as far as can be planned.
    Seconds(f64),
    /// Every dispatch split into this many ranges of workgroups, each a submission; for tests.
    Ranges(usize),
}
