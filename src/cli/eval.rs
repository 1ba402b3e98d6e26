//! `rootlet eval`.

use std::path::PathBuf;

use clap::Args;
use rootlet::{Error, Result};

use super::DeviceArgs;

const EXAMPLES: &str = "\
Examples:
  rootlet eval runs/20260131-174502-digits
      The newest checkpoint of a run, on the test images of the data that it was trained on.
  rootlet eval runs/20260131-174502-mnist --data-dir /data/mnist --json
      The same where the data lies elsewhere now, as JSON.";

/// Tests a trained network
///
/// Evaluates a checkpoint on the test images: loss and accuracy.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[allow(dead_code)] // LEAD: drop this line once `run` reads them
pub struct EvalArgs {
    /// A checkpoint, or a run folder, whose newest checkpoint is taken
    checkpoint: PathBuf,
    /// Data set to test on [default: the one it was trained on]
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Folder with the data set's files [default: the one it was trained from]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Use only the first N test images [default: all]
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Evaluates a checkpoint.
pub fn run(_args: &EvalArgs) -> Result<()> {
    // LEAD: checkpoint::load, the data source from its configuration with these flags over it, evaluate, print.
    Err(Error::Usage("`rootlet eval` is not built yet".to_owned()))
}
