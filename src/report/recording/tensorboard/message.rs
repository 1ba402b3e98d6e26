//! The few messages of tensorflow's `event.proto` and `summary.proto` that scalars need, with their field numbers.

use prost::Message as _;

/// `Event`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Message {
    /// Seconds since 1970.
    #[prost(double, tag = "1")]
    wall_time: f64,
    #[prost(int64, tag = "2")]
    step: i64,
    #[prost(oneof = "What", tags = "3, 5, 7")]
    what: Option<What>,
}

/// The content of an event.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum What {
    /// The first event of a file.
    #[prost(string, tag = "3")]
    FileVersion(String),
    #[prost(message, tag = "5")]
    Summary(Scalars),
    #[prost(message, tag = "7")]
    SessionLog(SessionLog),
}

/// `Summary`.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Scalars {
    #[prost(message, repeated, tag = "1")]
    value: Vec<Scalar>,
}

/// `Summary.Value` with a simple value.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct Scalar {
    #[prost(string, tag = "1")]
    tag: String,
    // Optional, because a value of 0 must be written.
    #[prost(float, optional, tag = "2")]
    simple_value: Option<f32>,
}

/// `SessionLog`; status 1 is START, which makes TensorBoard forget events of the same step and later ones.
#[derive(Clone, PartialEq, prost::Message)]
pub(super) struct SessionLog {
    #[prost(int32, tag = "1")]
    status: i32,
}

impl What {
    pub(super) fn version() -> Self {
        Self::FileVersion("brain.Event:2".to_owned())
    }

    pub(super) fn start() -> Self {
        Self::SessionLog(SessionLog { status: 1 })
    }

    pub(super) fn scalars(scalars: Vec<(String, f32)>) -> Self {
        let value = scalars.into_iter().map(|(tag, value)| Scalar {
            tag,
            simple_value: Some(value),
        });
        Self::Summary(Scalars {
            value: value.collect(),
        })
    }
}

impl Message {
    pub(super) fn new(wall_time: f64, step: u64, what: What) -> Self {
        Self {
            wall_time,
            step: i64::try_from(step).unwrap_or(i64::MAX),
            what: Some(what),
        }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}
