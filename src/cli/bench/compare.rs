//! `rootlet bench compare`.

use std::path::PathBuf;

use clap::Args;
use rootlet::Result;
use rootlet::bench::Comparison;
use rootlet::report::check_output;

use super::super::output;

/// Puts devices side by side
///
/// Prints the figures of several files of `rootlet bench --json` next to each other. It refuses files of different
/// schema or code versions, because their differences would come from the code.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// Files that `rootlet bench --json FILE` wrote, one per device
    #[arg(value_name = "FILE", required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// Draw the products and the training steps into this SVG file
    #[arg(short, long, value_name = "FILE.svg")]
    output: Option<PathBuf>,
}

/// Compares the files.
pub fn run(args: &CompareArgs) -> Result<()> {
    if let Some(file) = &args.output {
        check_output(file, &args.files)?;
    }
    let comparison = Comparison::read(&args.files)?;
    output::print(&comparison.table())?;
    match &args.output {
        Some(file) => comparison.plot(file),
        None => Ok(()),
    }
}
