//! Faults of the machine as data: the driver, the system, the libraries that write files.

use std::fmt;

use super::option::ADAPTER;

/// What went wrong.
#[derive(Debug)]
#[non_exhaustive]
pub enum Fault {
    /// A shader that is wrong, or that the adapter refuses.
    Shader {
        /// The kernel's name.
        kernel: &'static str,
        /// The reason.
        why: String,
    },
    /// Wrong results.
    Wrong {
        /// The adapter.
        adapter: String,
        /// What it computed: "kernel `bench/copy`".
        what: String,
        /// By how much, or in what way.
        how: String,
    },
    /// A driver call that failed.
    Driver {
        /// Its purpose: "waiting for the device".
        doing: String,
        /// The driver's answer.
        why: String,
    },
    /// The host has too little memory for a kernel's twin.
    NoMemory {
        /// The kernel's name.
        kernel: String,
    },
    /// A thread that the system refused.
    Thread {
        /// Which thread: "loader thread 2 of 4".
        what: String,
        /// The system's answer, and what to do if something helps.
        why: String,
    },
    /// A result that a format cannot hold.
    Written {
        /// The result: "the counts".
        what: &'static str,
        /// The format: "JSON".
        form: &'static str,
        /// The reason.
        why: String,
    },
    /// A figure that cannot be drawn.
    Figure {
        /// Its name.
        id: String,
        /// The reason.
        why: String,
    },
    /// A fault that occurs in one place only, as a sentence.
    Other(String),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Shader { kernel, why } => write!(f, "shader `{kernel}`: {why}"),
            Fault::Wrong { adapter, what, how } => write!(
                f,
                "{adapter} computes {what} wrongly: {how}. No figure measured on it could be trusted; update its \
                 driver, or choose another {ADAPTER}"
            ),
            Fault::Driver { doing, why } => write!(f, "{doing} failed: {why}"),
            Fault::NoMemory { kernel } => write!(f, "no memory left for kernel `{kernel}`"),
            Fault::Thread { what, why } => write!(f, "cannot start {what}: {why}"),
            Fault::Written { what, form, why } => {
                write!(f, "{what} cannot be written as {form}: {why}")
            }
            Fault::Figure { id, why } => write!(f, "figure {id} cannot be drawn: {why}"),
            Fault::Other(text) => f.write_str(text),
        }
    }
}
