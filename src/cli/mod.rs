//! The command line. It is thin: a subcommand parses its flags, calls the library and lets the reports show what
//! happens.

mod adapters;
mod bench;
mod checks;
mod command;
mod data;
mod device_args;
mod errors;
mod eval;
mod explain;
mod export;
mod flops;
mod interrupt;
mod model;
mod model_flags;
mod output;
mod predict;
mod presets;
mod processes;
mod progress;
mod ranks;
mod report;
mod runs;
mod sample_args;
mod samples;
mod shell;
mod sweep;
mod train;
mod trained;
mod tune;
mod tune_layers;
mod verify;
mod watch;

pub use checks::{check_beside, check_typed};
pub use command::{Cli, run};
pub use errors::{exit_code, flag, name_variable};
