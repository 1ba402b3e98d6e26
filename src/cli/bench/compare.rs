//! `rootlet bench compare`.

use std::path::PathBuf;

use clap::Args;
use rootlet::Result;
use rootlet::bench::Comparison;
use rootlet::report::check_output;

use super::super::output;

/// Puts devices side by side
///
/// Prints the figures of several files of `rootlet bench --json` next to each other. Files of different schema or code
/// versions are refused: their differences would be those of the code.
#[derive(Debug, Args)]
pub struct CompareArgs {
    /// What `rootlet bench --json FILE` wrote, one file a device
    #[arg(value_name = "FILE", required = true, num_args = 2..)]
    files: Vec<PathBuf>,
    /// Draw the products and the training steps into this SVG file
    #[arg(short, long, value_name = "FILE.svg")]
    output: Option<PathBuf>,
}

/// Compares what was measured.
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
