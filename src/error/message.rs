//! The sentence of an error.

use std::fmt;

use super::{Error, OptionName, option};
use crate::words::{given, grouped};

impl Error {
    /// The sentence, for a place where options have other names than in the rest of the program, such as a file.
    /// Options that the error holds as data are named by `name`.
    pub fn message(&self, name: impl Fn(&str) -> String) -> String {
        match self {
            Error::Usage(text) => text.clone(),
            Error::Refused(refusal) => refusal.to_string(),
            Error::Device(fault) => fault.to_string(),
            Error::Rank(fault) => fault.to_string(),
            Error::Shape(misfit) => misfit.to_string(),
            Error::NoAdapter { why, candidates } => match candidates.as_str() {
                "" => why.to_string(),
                candidates => format!("{why}; {candidates}"),
            },
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
            Error::Unknown { what, name, known } => format!("unknown {what} `{name}`; known: {known}"),
            Error::OutOfRange { what, value, must } => format!("{what} of {value}: {must}"),
            Error::Connections { asked, most } => format!(
                "{} {asked} are more than the {most} of the dense model",
                name(option::CONNECTIONS.0)
            ),
            Error::Unconnected {
                sparsity,
                layer,
                units: [inputs, outputs],
            } => format!(
                "sparsity {sparsity} leaves layer {layer} ({inputs} to {outputs} units) without a connection; use a \
                 lower one or wider layers"
            ),
            Error::Model { model, why } => format!("the model {model} {why}"),
            Error::Objective {
                what,
                name: called,
                why,
            } => format!("the {what} {called} {why}"),
            Error::Fixed { what, way_out } => format!("{what}; {way_out}"),
            Error::OtherOptimiser { own, begun } => format!(
                "the state was trained by the optimiser `{begun}`, and this network's is `{own}`: go on with \
                 `{begun}`, or take the weights alone"
            ),
            Error::Config { origin, why } => format!("{origin}: {why}"),
            Error::OtherRun { path, why } => format!(
                "the run in {} {why}; give another {}, or remove that folder",
                path.display(),
                name(option::OUT.0)
            ),
            Error::Folder {
                option,
                path,
                why,
            } => format!("{} {} {why}", name(option), path.display()),
            Error::LeftOut {
                what,
                feature,
                way_out,
            } => format!(
                "this build of rootlet {what} (its feature `{feature}` is left out); {way_out}"
            ),
            Error::OnCpu { what } => format!(
                "the CPU executor runs the kernels' twins themselves, {what}; name a GPU or another adapter with {} \
                 (`rootlet adapters` lists them)",
                name(option::ADAPTER.0)
            ),
            Error::Nothing { what } => format!("there is nothing to be {what}"),
            Error::Data { path, reason } => format!("data file {}: {reason}", path.display()),
            Error::DamagedRow {
                path,
                row,
                why,
                others,
            } => {
                let others = match others {
                    0 => String::new(),
                    1 => "; 1 other cannot be used either".to_owned(),
                    count => format!("; {} others cannot be used either", grouped(*count)),
                };
                format!("data file {}: row {}, {why}{others}", path.display(), grouped(*row))
            }
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
                "plan `{plan}`, kernel `{kernel}`: at this size the loops of an invocation have {iterations} \
                 iterations, and adapters are only known to finish {most}; use a smaller batch, smaller images or a \
                 smaller layer"
            ),
            Error::Lost(reason) => format!("the device was lost ({reason})"),
            Error::Diverged { step, loss } => format!(
                "the loss became {loss} at step {step}; checkpoints saved before are kept. Lower {}, or lengthen {}",
                name(option::LR.0),
                name(option::WARMUP_EPOCHS.0)
            ),
            Error::Stopped => "stopped while waiting for samples that do not arrive; check the disk or network that \
                               they are on"
                .to_owned(),
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
