//! Why no adapter was opened, as data.

use std::fmt;

/// What is not there.
#[derive(Debug)]
#[non_exhaustive]
pub enum NoAdapter {
    /// No adapter has this number.
    Number(usize),
    /// No adapter's name contains this.
    Name(String),
    /// Several adapters' names contain this.
    Ambiguous {
        /// The part of a name.
        name: String,
        /// How many adapters match.
        adapters: usize,
    },
    /// It offers less than WebGPU's default limits.
    Limits {
        /// Its number.
        index: usize,
        /// Its name.
        name: String,
    },
    /// The adapter that a run used is gone, and this one is there instead.
    Replaced(String),
    /// It is there but cannot be opened, for this reason.
    Closed(String),
}

impl fmt::Display for NoAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAdapter::Number(index) => write!(f, "there is no adapter number {index}"),
            NoAdapter::Name(name) => write!(f, "no adapter's name contains \"{name}\""),
            NoAdapter::Ambiguous { name, adapters } => {
                write!(f, "\"{name}\" fits {adapters} adapters")
            }
            NoAdapter::Limits { index, name } => {
                write!(
                    f,
                    "adapter {index} ({name}) does not meet WebGPU's default limits"
                )
            }
            NoAdapter::Replaced(other) => write!(f, "only {other} is there now"),
            NoAdapter::Closed(reason) => f.write_str(reason),
        }
    }
}
