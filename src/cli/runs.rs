//! `rootlet runs`.

use std::path::PathBuf;

use clap::Args;
use rootlet::Result;
use rootlet::report::list_runs;

use super::output;

const EXAMPLES: &str = "\
Examples:
  rootlet runs
      All runs below runs/.
  rootlet runs runs/sweep
      Those of a sweep.";

/// Lists runs
///
/// Lists the runs of a folder, and those one level below it, as in the folders of sweeps: how many epochs each has
/// trained, its result or that of its last epoch so far, and whether it has finished, is in training, was interrupted
/// or stopped (`rootlet train --resume RUN` goes on with it), has diverged or failed. The newest is the last.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct RunsArgs {
    /// The folder of runs
    #[arg(value_name = "DIR", default_value = "runs")]
    folder: PathBuf,
}

/// Lists them.
pub fn run(args: &RunsArgs) -> Result<()> {
    let table = list_runs(&args.folder, &mut |text| output::note(text))?;
    output::print(&table.aligned())
}
