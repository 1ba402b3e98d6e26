//! Faults of the machine as data: the driver, the system, the libraries that write files.

use std::fmt;

use super::option::{ADAPTER, CHECK, NO_VERIFY};

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
    /// A kernel's result that differs from its twin's.
    Differs {
        /// The kernel's name.
        kernel: String,
        /// The binding in which they differ.
        binding: String,
        /// The label of its buffer.
        buffer: String,
        /// Words that differ.
        different: usize,
        /// Words in it.
        words: usize,
        /// The largest relative error.
        error: f64,
    },
    /// A topology round whose counts contradict each other.
    Round {
        /// Connections that it pruned.
        pruned: usize,
        /// Connections that it grew.
        grown: usize,
        /// Connections that are active after it.
        active: usize,
        /// Connections that should be.
        expected: usize,
    },
    /// A verification that an adapter failed.
    Verification {
        /// The adapter.
        adapter: String,
        /// The first failure.
        first: String,
        /// How many more there are.
        more: usize,
    },
    /// An adapter on which no training begins, because its verification failed.
    Untrusted {
        /// How it failed.
        why: String,
    },
    /// A training that ended because its device was lost.
    GaveUp {
        /// The device.
        device: String,
        /// How it was lost: "lost 3 times without progress".
        how: String,
        /// How to continue.
        way_out: String,
    },
    /// A kernel's twin that uses the device on which it runs.
    Reentered,
    /// What the driver reported outside any call, in its words.
    DriverReport(String),
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
            Fault::Differs {
                kernel,
                binding,
                buffer,
                different,
                words,
                error,
            } => write!(
                f,
                "kernel `{kernel}` differs from its CPU twin in `{binding}` (buffer `{buffer}`): {different} of \
                 {words} words, relative error {error:.3e}"
            ),
            Fault::Round {
                pruned,
                grown,
                active,
                expected,
            } => write!(
                f,
                "the topology round pruned {pruned} and grew {grown} connections, which leaves {active} of \
                 {expected}: the driver computes wrongly; {CHECK} topology finds the kernel"
            ),
            Fault::Verification {
                adapter,
                first,
                more,
            } => {
                write!(f, "{adapter} computes wrongly: {first}")?;
                match more {
                    0 => Ok(()),
                    more => write!(f, " (and {more} more)"),
                }
            }
            Fault::Untrusted { why } => write!(
                f,
                "{why}; what is trained there would be wrong. Update the driver, or train on another adapter \
                 ({ADAPTER} cpu always works); `rootlet verify` tells more, for a bug report. {NO_VERIFY} trains all \
                 the same"
            ),
            Fault::GaveUp {
                device,
                how,
                way_out,
            } => write!(f, "{device} was {how}; {way_out}"),
            Fault::Reentered => {
                f.write_str("a kernel's twin cannot use the device that it runs on")
            }
            Fault::DriverReport(text) => f.write_str(text),
        }
    }
}
