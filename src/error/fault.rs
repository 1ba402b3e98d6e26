//! What goes wrong in the machine: the driver, the system, the libraries that write files. As data.

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
        /// Why.
        why: String,
    },
    /// Results that are not what they should be.
    Wrong {
        /// The adapter.
        adapter: String,
        /// What it computes: "kernel `bench/copy`".
        what: String,
        /// By how much, or in what way.
        how: String,
    },
    /// A call that the driver did not do.
    Driver {
        /// What it was to do: "waiting for the device".
        doing: String,
        /// Its answer.
        why: String,
    },
    /// Memory that the host lacks for a kernel's twin.
    NoMemory {
        /// The kernel's name.
        kernel: String,
    },
    /// A thread that the system does not give.
    Thread {
        /// Which: "loader thread 2 of 4".
        what: String,
        /// Its answer, and what to do where something helps.
        why: String,
    },
    /// A result for which a format has no place.
    Written {
        /// What: "the counts".
        what: &'static str,
        /// As what: "JSON".
        form: &'static str,
        /// Why not.
        why: String,
    },
    /// A figure that cannot be drawn.
    Figure {
        /// Its name.
        id: String,
        /// Why.
        why: String,
    },
    /// What happens in one place alone, in a sentence.
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
