//! The clocks that time work on a device.

/// The clock that times work on a device, finest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimedBy {
    /// The adapter's timestamps between the dispatches of a pass.
    TimestampsInsidePass,
    /// The adapter's timestamps at the beginning and the end of a pass.
    TimestampsAroundPass,
    /// The host's clock over many dispatches in one submission, divided by their number.
    ManyDispatches,
    /// The host's clock around each dispatch, which on the CPU executor is a call.
    HostClock,
}

impl TimedBy {
    /// The clock in words, for a sentence.
    pub fn words(self) -> &'static str {
        match self {
            TimedBy::TimestampsInsidePass => "timestamps between dispatches",
            TimedBy::TimestampsAroundPass => "timestamps around passes",
            TimedBy::ManyDispatches => "the host's clock over many dispatches",
            TimedBy::HostClock => "the host's clock",
        }
    }
}
