//! The crate's one error type. Every variant renders as a single sentence that says what was wrong, where, and what to
//! do.
//!
//! Options have the names that they have in the library: `batch`. A program that calls them otherwise, as a command
//! line calls it `--batch`, says so by [`name_options`].

pub(crate) mod option;
mod remedy;

use std::fmt;
use std::path::{Path, PathBuf};

use crate::words::given;
pub use option::{OptionName, name_options};
pub use remedy::{Remedies, Remedy};

/// Result of anything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong, by whose fault it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A flag, an option or a configuration value that cannot be used.
    Usage(String),
    /// A value that an option cannot have.
    Value {
        /// The option's name, as in `round_every`.
        option: &'static str,
        /// What it must be: "must be at least 1 step".
        must: String,
        /// What it is.
        value: String,
    },
    /// An option that was asked for and changes nothing.
    NoEffect {
        /// The option's name, as in `lottery_cycles`.
        option: String,
        /// Why: "it is for the method lottery".
        why: String,
    },
    /// An option that is not given and has no default.
    Missing {
        /// The option's name, as in `data_dir`.
        option: &'static str,
        /// What needs it: "the data set mnist".
        who: String,
        /// What it is: "the folder with …".
        what: String,
    },
    /// A data file that is missing, truncated or corrupt.
    Data {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A checkpoint that cannot be used, or a run that lacks one.
    Checkpoint {
        /// The checkpoint or run folder at fault.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A run folder that is none, or in which something is in a file's place.
    Run {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A run folder in which another process trains.
    InUse {
        /// The run folder.
        path: PathBuf,
        /// The process, where that is known.
        process: Option<u32>,
    },
    /// The operating system refused a file operation.
    Io {
        /// The verb, such as "write".
        action: String,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// No adapter, or an unknown or ambiguous one.
    Adapter(String),
    /// A buffer that the device cannot hold or bind.
    Limit {
        /// The buffer's label.
        buffer: String,
        /// Bytes it would need.
        bytes: u64,
        /// The limit it exceeds, in bytes.
        limit: u64,
        /// The name of that limit.
        what: String,
        /// What the user can do.
        remedies: Remedies,
    },
    /// A buffer that the device, or the operating system, refuses to give memory for.
    Memory {
        /// The buffer's label.
        buffer: String,
        /// Bytes it would need.
        bytes: u64,
        /// Why, as far as that is known: "the device has no memory left".
        why: Option<String>,
        /// What the user can do.
        remedies: Remedies,
    },
    /// Loops of a kernel that adapters may not finish.
    Loops {
        /// The plan's name.
        plan: String,
        /// The kernel's name.
        kernel: String,
        /// Iterations of the busiest invocation.
        iterations: u64,
        /// Most that there may be.
        most: u64,
    },
    /// The device was lost: its driver was reset, the machine slept, the GPU was unplugged.
    Lost(String),
    /// The device refused a shader, or a driver reported an error.
    Device(String),
    /// The loss is no longer a number.
    Diverged {
        /// The optimiser step, counted from 1.
        step: u64,
        /// The loss: NaN or infinite.
        loss: f32,
    },
    /// A stop was asked for while images were waited for that did not come.
    Stopped,
    /// Sizes that do not fit together.
    Shape(String),
}

impl Error {
    /// Its sentence for where options have other names than in the rest of the program, as in a file: those that the
    /// error has as data are called as `name` says.
    pub fn message(&self, name: impl Fn(&str) -> String) -> String {
        match self {
            Error::Usage(text)
            | Error::Adapter(text)
            | Error::Device(text)
            | Error::Shape(text) => text.clone(),
            Error::Value {
                option,
                must,
                value,
            } => format!("{} {must}, not {}", name(option), given(value)),
            Error::NoEffect { option, why } => {
                format!("{} has no effect here: {why}; leave it out", name(option))
            }
            Error::Missing { option, who, what } => {
                format!("{who} needs {}, {what}", name(option))
            }
            Error::Data { path, reason } => format!("data file {}: {reason}", path.display()),
            Error::Checkpoint { path, reason } => {
                format!("checkpoint {}: {reason}", path.display())
            }
            Error::Run { path, reason } => format!("run {}: {reason}", path.display()),
            Error::InUse { path, process } => format!(
                "the run {} is in use by {}; wait until that has ended, or stop it",
                path.display(),
                process.map_or("another process".to_owned(), |id| format!("process {id}"))
            ),
            Error::Io {
                action,
                path,
                source,
            } => format!("cannot {action} {}: {source}", path.display()),
            Error::Limit {
                buffer,
                bytes,
                limit,
                what,
                remedies,
            } => format!(
                "buffer `{buffer}` needs {bytes} bytes, more than {what} of {limit} bytes; use {}",
                remedies.message(&name)
            ),
            Error::Memory {
                buffer,
                bytes,
                why,
                remedies,
            } => {
                let why = why.as_ref().map(|why| format!("{why}, or ")).unwrap_or_default();
                format!(
                    "the allocation of {bytes} bytes for buffer `{buffer}` was refused; {why}use {}",
                    remedies.message(&name)
                )
            }
            Error::Loops {
                plan,
                kernel,
                iterations,
                most,
            } => format!(
                "plan `{plan}`, kernel `{kernel}`: at this size the loops of an invocation have {iterations} iterations, and \
                 adapters are only known to finish {most}; use a smaller batch, smaller images or a smaller layer"
            ),
            Error::Lost(reason) => format!("the device was lost ({reason})"),
            Error::Diverged { step, loss } => format!(
                "the loss became {loss} at step {step}; checkpoints saved before are kept. Lower {}, or lengthen {}",
                name(option::LR.0),
                name(option::WARMUP_EPOCHS.0)
            ),
            Error::Stopped => "stopped while waiting for images that do not come; see whether the disk or network that they \
                               are on is there"
                .to_owned(),
        }
    }

    /// Closure for `map_err` that says which file operation failed on which path.
    pub fn io(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let (action, path) = (action.to_owned(), path.to_owned());
        move |source| Error::Io {
            action,
            path,
            source,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message(|option| OptionName(option).to_string()))
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
