//! `rootlet verify`.

use std::io::Write;
use std::path::Path;

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use rootlet::error::Fault;
use rootlet::verify::{Depth, Report, verify};
use rootlet::{Error, Result};

use super::device_args::DeviceArgs;

const EXAMPLES: &str = "\
Examples:
  rootlet verify
      Verify the GPU that trainings would take.
  rootlet verify --adapter llvmpipe
      Verify another adapter; `rootlet adapters` lists them.";

/// Checks that an adapter computes what it should
///
/// Runs every kernel beside its twin on the CPU, in every workgroup shape, at sizes where drivers go wrong: 1 to 9, 33,
/// 257 and 513 units, batches of 1, 3 and 128, rows of 70,001 connections and rows of none. Then trains three small
/// networks for ten steps, each starting from the CPU's state. Takes about half a minute. The output belongs in a bug
/// report; the exit status is 1 if something is wrong. The first training on an adapter and driver runs a shorter form
/// of this by itself.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct VerifyArgs {
    #[command(flatten)]
    device: DeviceArgs,
    /// Run fewer sizes, in the shape that trainings use, as a first training does
    #[arg(long)]
    quick: bool,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Verifies an adapter.
pub fn run(args: &VerifyArgs) -> Result<()> {
    let depth = match args.quick {
        true => Depth::Quick,
        false => Depth::Full,
    };
    let bar = bar();
    let report = verify(
        &args.device.adapter,
        args.device.threads,
        depth,
        &mut |name, share| {
            bar.set_position((share * 1000.0) as u64);
            bar.set_message(name.to_owned());
            Ok(())
        },
    );
    bar.finish_and_clear();
    let report = report?;
    writeln!(std::io::stdout(), "{}", text(&report, args.json)?)
        .map_err(Error::io("write", Path::new("standard output")))?;
    report.verdict()
}

fn text(report: &Report, json: bool) -> Result<String> {
    match json {
        true => serde_json::to_string(report).map_err(|e| {
            Error::Device(Fault::Written {
                what: "the result",
                form: "JSON",
                why: e.to_string(),
            })
        }),
        false => Ok(report.to_string()),
    }
}

/// A progress bar on standard error, if that is a terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new(1000);
    if let Ok(style) = ProgressStyle::with_template("{bar:24} {percent}%  {msg}") {
        bar.set_style(style);
    }
    bar
}
