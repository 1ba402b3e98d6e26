//! By which clock work on a device is timed.

/// By which clock work on a device is timed, the finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimedBy {
    /// The adapter's timestamps between the dispatches of a pass.
    TimestampsInsidePass,
    /// The adapter's timestamps at the beginning and the end of a pass.
    TimestampsAroundPass,
    /// The host's clock over many dispatches of one submission, divided by their number.
    ManyDispatches,
    /// The host's clock around each dispatch, which on the CPU executor is a call.
    HostClock,
}

impl TimedBy {
    /// As a sentence says it.
    pub fn words(self) -> &'static str {
        match self {
            TimedBy::TimestampsInsidePass => "timestamps between dispatches",
            TimedBy::TimestampsAroundPass => "timestamps around passes",
            TimedBy::ManyDispatches => "the host's clock over many dispatches",
            TimedBy::HostClock => "the host's clock",
        }
    }
}
