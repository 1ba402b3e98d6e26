//! The crate's one error type. Every variant renders as a single sentence that says what was wrong, where, and what to do.

use std::path::{Path, PathBuf};

/// Result of anything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong, by whose fault it is.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A flag, an option or a configuration value that cannot be used.
    #[error("{0}")]
    Usage(String),
    /// A data file that is missing, truncated or corrupt.
    #[error("data file {}: {reason}", path.display())]
    Data {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A checkpoint that cannot be used, or a run that lacks one.
    #[error("checkpoint {}: {reason}", path.display())]
    Checkpoint {
        /// The checkpoint or run folder at fault.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A run folder that is none, or in which something is in a file's place.
    #[error("run {}: {reason}", path.display())]
    Run {
        /// The folder.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A run folder in which another process trains.
    #[error(
        "the run {} is in use by {}; wait until that has ended, or stop it",
        path.display(),
        process.map_or("another process".to_owned(), |id| format!("process {id}"))
    )]
    InUse {
        /// The run folder.
        path: PathBuf,
        /// The process, where that can be told.
        process: Option<u32>,
    },
    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The verb, such as "write".
        action: String,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's answer.
        source: std::io::Error,
    },
    /// No adapter, or an unknown or ambiguous one.
    #[error("{0}")]
    Adapter(String),
    /// A buffer that the device cannot hold or bind.
    #[error("buffer `{buffer}` needs {bytes} bytes, more than {what} of {limit} bytes; {advice}")]
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
        advice: String,
    },
    /// A buffer that the device, or the operating system, refuses to give memory for.
    #[error("the allocation of {bytes} bytes for buffer `{buffer}` was refused; {advice}")]
    Memory {
        /// The buffer's label.
        buffer: String,
        /// Bytes it would need.
        bytes: u64,
        /// What the user can do.
        advice: String,
    },
    /// Loops of a kernel that adapters may not finish.
    #[error(
        "plan `{plan}`, kernel `{kernel}`: at this size the loops of an invocation have {iterations} iterations, and adapters are \
         only known to finish {most}; use a smaller batch, smaller images or a smaller layer"
    )]
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
    #[error("the device was lost ({0})")]
    Lost(String),
    /// The device refused a shader, or a driver reported an error.
    #[error("{0}")]
    Device(String),
    /// The loss is no longer a number.
    #[error(
        "the loss became {loss} at step {step}; checkpoints saved before are kept. Lower --lr, or lengthen --warmup-epochs"
    )]
    Diverged {
        /// The optimiser step, counted from 1.
        step: u64,
        /// The loss: NaN or infinite.
        loss: f32,
    },
    /// A stop was asked for while images were waited for that did not come.
    #[error(
        "stopped while waiting for images that do not come; see whether the disk or network that they are on is there"
    )]
    Stopped,
    /// Sizes that do not fit together.
    #[error("{0}")]
    Shape(String),
}

impl Error {
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
