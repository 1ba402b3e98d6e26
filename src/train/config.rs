//! The configuration of a run: what decides everything that it computes.
//!
//! [`TrainConfig`] is made of sections, one struct per subject: data, task, model, topology, run, optimiser, machine.
//! Each declares its fields in one table (`section.rs`), checks their values, and builds from them what the library
//! takes, such as [`DataOptions`](crate::data::DataOptions), an [`Optimiser`](crate::optim::Optimiser) and a
//! [`Schedule`](crate::topology::Schedule). `config.toml` and the flags of `rootlet train` follow from the tables.

mod change;
mod class_weights;
mod context;
mod data;
mod derive;
mod file;
#[cfg(feature = "cli")]
mod flags;
mod idle;
mod machine;
mod model;
mod names;
mod number;
mod optimiser;
mod run;
mod section;
mod task;
mod text;
mod topology;
mod train_config;
mod usual;
mod value;

pub use data::DataConfig;
pub(crate) use file::parse;
#[cfg(feature = "cli")]
#[doc(hidden)]
pub use flags::ConfigFlags;
pub use machine::MachineConfig;
#[doc(hidden)]
pub use machine::idle_threads;
pub use model::ModelConfig;
pub use names::{LossName, TaskName};
// For the command, which has other numbers to read as well.
pub(crate) use class_weights::{ClassWeights, read_class_weights};
#[doc(hidden)]
pub use number::{Whole, real, whole, within};
pub use optimiser::OptimiserConfig;
pub(crate) use run::KEEP_LAST;
pub use run::RunConfig;
pub use task::TaskConfig;
pub use topology::TopologyConfig;
pub use train_config::TrainConfig;
pub(crate) use value::AUTO;
