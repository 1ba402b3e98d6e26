//! The crate's one error type. Every variant renders as a single sentence that says what was wrong, where, and what to
//! do.
//!
//! Options have their names from the library: `batch`. A program that calls them otherwise, such as `--batch` on a
//! command line, says so through [`name_options`].

mod fault;
mod message;
mod misfit;
mod no_adapter;
pub(crate) mod option;
mod other_model;
mod rank_fault;
mod refusal;
mod remedy;
mod unshareable;

use std::path::{Path, PathBuf};

pub use fault::Fault;
pub use misfit::Misfit;
pub use no_adapter::NoAdapter;
pub use option::{OptionName, name_options};
pub use other_model::OtherModel;
pub use rank_fault::RankFault;
pub use refusal::Refusal;
pub use remedy::{Remedies, Remedy};
pub use unshareable::Unshareable;

/// Result of anything in this crate that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What can go wrong, ordered by whose fault it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// An option of a program of its own that cannot be used, as a sentence. The library's own are [`Error::Refused`].
    Usage(String),
    /// What was asked for and cannot be done, because it contradicts itself, other options or the data.
    Refused(Box<Refusal>),
    /// A value that an option cannot have.
    Value {
        /// The option's name, as in `round_every`.
        option: &'static str,
        /// The condition: "must be at least 1 step".
        must: String,
        /// The value that it has.
        value: String,
    },
    /// An option that was given but changes nothing.
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
        /// What the option is: "the folder with …".
        what: String,
    },
    /// An unknown name.
    Unknown {
        /// The kind of thing: "method".
        what: &'static str,
        /// The name.
        name: String,
        /// The known names.
        known: String,
    },
    /// A number outside its range that is not the value of an option.
    OutOfRange {
        /// What the number is: "dropout".
        what: &'static str,
        /// Its value.
        value: String,
        /// The range: "it must be at least 0 and less than 1".
        must: &'static str,
    },
    /// More connections than the dense model has.
    Connections {
        /// How many are asked for.
        asked: u64,
        /// How many the dense model has.
        most: u64,
    },
    /// A sparsity at which a layer would have no connections.
    Unconnected {
        /// The sparsity.
        sparsity: f64,
        /// The layer's number.
        layer: usize,
        /// Its input and output units.
        units: [usize; 2],
    },
    /// A model that cannot do what is asked of it.
    Model {
        /// Its name.
        model: String,
        /// What it cannot do, and what to do: "does not fit images of …".
        why: String,
    },
    /// A loss or a metric that does not suit the data.
    Objective {
        /// "loss" or "metric".
        what: &'static str,
        /// Its name.
        name: String,
        /// Why it does not suit the data, and what to do.
        why: String,
    },
    /// Something that cannot change once a training has begun.
    Fixed {
        /// What it is: "`batch` cannot change in a resumed run".
        what: String,
        /// What to do.
        way_out: String,
    },
    /// A state that another optimiser began.
    OtherOptimiser {
        /// The network's optimiser.
        own: String,
        /// The optimiser that trained the state.
        begun: String,
    },
    /// A configuration text that cannot be understood.
    Config {
        /// The file, with the line if it is known, or the key.
        origin: String,
        /// What is wrong.
        why: String,
    },
    /// A run in a sweep's folder that does not belong to the sweep.
    OtherRun {
        /// Its folder.
        path: PathBuf,
        /// The difference.
        why: String,
    },
    /// A folder that cannot be what an option needs.
    Folder {
        /// The option's name.
        option: String,
        /// The folder.
        path: PathBuf,
        /// What it is instead, and what to do.
        why: &'static str,
    },
    /// Something that this build cannot do.
    LeftOut {
        /// What it is: "reads no image folders".
        what: &'static str,
        /// The crate feature that would provide it.
        feature: &'static str,
        /// What to do.
        way_out: &'static str,
    },
    /// Something that needs an adapter other than the CPU executor.
    OnCpu {
        /// Why its twins will not do: "which have no variants".
        what: &'static str,
    },
    /// Work with nothing to work on.
    Nothing {
        /// What was to be done, and why there is nothing: "drawn: the files have no products".
        what: String,
    },
    /// A data file that is missing, truncated or corrupt.
    Data {
        /// The file at fault.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A row of a table that cannot be used, in a file to predict for: others could be predicted without it.
    DamagedRow {
        /// The table's file.
        path: PathBuf,
        /// The row's number, from 1.
        row: u64,
        /// What is wrong with it, and where.
        why: String,
        /// How many other rows cannot be used either.
        others: u64,
    },
    /// A checkpoint that cannot be used, or a run that lacks one.
    Checkpoint {
        /// The checkpoint or run folder at fault.
        path: PathBuf,
        /// What is wrong with it and what to do.
        reason: String,
    },
    /// A folder that is not a run folder, or in which something is in place of a file.
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
        /// The process, if it is known.
        process: Option<u32>,
    },
    /// The operating system refused a file operation.
    Io {
        /// The operation, such as "write".
        action: String,
        /// The file or folder.
        path: PathBuf,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// No adapter, or an unknown or ambiguous one.
    NoAdapter {
        /// What is missing.
        why: NoAdapter,
        /// The available adapters, in a sentence; may be empty.
        candidates: String,
    },
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
    /// A buffer for which the device or the operating system has no memory.
    Memory {
        /// The buffer's label.
        buffer: String,
        /// Bytes it would need.
        bytes: u64,
        /// The reason, if it is known: "the device has no memory left".
        why: Option<String>,
        /// What the user can do.
        remedies: Remedies,
    },
    /// Loops in a kernel that are too long for adapters to finish.
    Loops {
        /// The plan's name.
        plan: String,
        /// The kernel's name.
        kernel: String,
        /// Iterations of the busiest invocation.
        iterations: u64,
        /// Largest number allowed.
        most: u64,
    },
    /// The device was lost: its driver was reset, the machine slept, or the GPU was unplugged.
    Lost(String),
    /// The device refused a shader, or a driver reported an error; or the system refused something that the library
    /// needs.
    Device(Fault),
    /// The loss is no longer a number.
    Diverged {
        /// The optimiser step, counted from 1.
        step: u64,
        /// The loss: NaN or infinite.
        loss: f32,
    },
    /// Another process of this training failed, or cannot be reached.
    Rank(RankFault),
    /// A stop was requested while the run was waiting for images.
    Stopped,
    /// Sizes that do not fit together.
    Shape(Misfit),
}

impl Error {
    /// Whether the fault lies in what was asked for: then other values, names or files help, and nothing else does.
    pub fn is_usage(&self) -> bool {
        matches!(
            self,
            Error::Usage(_)
                | Error::Refused(_)
                | Error::Value { .. }
                | Error::NoEffect { .. }
                | Error::Missing { .. }
                | Error::Unknown { .. }
                | Error::OutOfRange { .. }
                | Error::Connections { .. }
                | Error::Unconnected { .. }
                | Error::Model { .. }
                | Error::Objective { .. }
                | Error::Fixed { .. }
                | Error::OtherOptimiser { .. }
                | Error::Config { .. }
                | Error::OtherRun { .. }
                | Error::Folder { .. }
                | Error::LeftOut { .. }
                | Error::OnCpu { .. }
                | Error::Nothing { .. }
        )
    }

    /// A closure for `map_err` that says which file operation failed on which path.
    pub fn io(action: &str, path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let (action, path) = (action.to_owned(), path.to_owned());
        move |source| Error::Io {
            action,
            path,
            source,
        }
    }
}
