//! Why no adapter was opened, as data.

use std::fmt;

/// What is not there.
#[derive(Debug)]
#[non_exhaustive]
pub enum NoAdapter {
    /// None has this number.
    Number(usize),
    /// No name contains this.
    Name(String),
    /// More than one name contains this.
    Ambiguous {
        /// The part of a name.
        name: String,
        /// How many have it.
        adapters: usize,
    },
    /// It offers less than WebGPU's default limits.
    Limits {
        /// Its number.
        index: usize,
        /// Its name.
        name: String,
    },
    /// The one that a run had is gone, and this one is there.
    Replaced(String),
    /// It is there and cannot be opened, for this reason.
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
