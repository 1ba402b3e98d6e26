//! `rootlet bench`.

use std::path::PathBuf;

use clap::Args;
use rootlet::{Error, Result};

use super::DeviceArgs;

const EXAMPLES: &str = "\
Examples:
  rootlet bench
      Everything, on the adapter that `rootlet train` would take.
  rootlet bench --adapter cpu --sizes 1024 --sparsities 0.98 --json cpu.json
      A short one of the CPU executor, kept for comparison.";

/// Measures this machine's speed
///
/// Measures the adapter's ceilings (copy, load, multiply-add, dispatch, read-back), then the sparse products over several
/// sizes and sparsities, each result checked, and the share of the ceiling that they reach; then a training step and a
/// prune-and-grow round.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
#[allow(dead_code)] // LEAD: drop this line once `run` reads them
pub struct BenchArgs {
    #[command(flatten)]
    device: DeviceArgs,
    /// Write all figures to this file too
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Widths n of the n × n layers
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1024, 4096],
          value_parser = clap::value_parser!(u32).range(1..))]
    sizes: Vec<u32>,
    /// Sparsities of the layers
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [0.9, 0.98, 0.99], value_parser = sparsity)]
    sparsities: Vec<f64>,
    /// Members of the batch
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..))]
    batch: u32,
}

fn sparsity(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..1.0).contains(&value) => Ok(value),
        _ => Err("a sparsity is a number from 0 to below 1".to_owned()),
    }
}

/// Measures.
pub fn run(_args: &BenchArgs) -> Result<()> {
    // LEAD: the bench.
    Err(Error::Usage("`rootlet bench` is not built yet".to_owned()))
}
