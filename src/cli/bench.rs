//! `rootlet bench`.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use rootlet::bench::{BenchOptions, BenchReport, Finding, Part, Table};
use rootlet::{Error, Result};

use super::DeviceArgs;

const EXAMPLES: &str = "\
Examples:
  rootlet bench
      Everything but the scaling, on the adapter that `rootlet train` would take.
  rootlet bench --adapter cpu --threads 2 --json cpu.json
      The CPU executor with two threads; all figures also in a file.
  rootlet bench --only spmm,sddmm --sizes 8192 --sparsities 0.99,0.995
      Two products at one size.
  rootlet bench --models resnet56,simple-vit-tiny --step-sparsity 0.98
      Training steps of two models on 32×32 images, and what each kernel takes of them.
  rootlet bench --only scaling
      How time and memory of a step grow with the width.";

/// Measures this machine's speed
///
/// Measures the adapter's ceilings (copy, load, multiply-add, dispatch, read-back), then the sparse products over several
/// sizes and sparsities, each result checked, and the share of the ceiling that they reach; then a training step and a
/// prune-and-grow round.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct BenchArgs {
    #[command(flatten)]
    device: DeviceArgs,
    /// Write all figures to this file too; `-` writes them, and nothing else, to standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure only these parts
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    only: Vec<PartName>,
    /// Measure the scaling with the width too: some minutes more
    #[arg(long)]
    scaling: bool,
    /// Widths n of the n × n layers, and of the hidden layers of the steps' networks
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1024, 4096],
          value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    sizes: Vec<u32>,
    /// Sparsities of the n × n layers
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [0.9, 0.98, 0.99], allow_negative_numbers = true,
          value_parser = sparsity)]
    sparsities: Vec<f64>,
    /// Overall sparsity of the steps' networks
    #[arg(long, value_name = "SPARSITY", default_value_t = 0.98, allow_negative_numbers = true, value_parser = sparsity)]
    step_sparsity: f64,
    /// Models whose training step is measured too, kernel by kernel, as in resnet20,resnet56; with --only, or alone
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    models: Vec<String>,
    /// Let the models compute most activations again in the backward pass instead of holding them
    #[arg(long)]
    checkpoint_activations: bool,
    /// Widths of the scaling
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_values_t = [1024, 2048, 4096, 8192, 16384],
          value_parser = clap::value_parser!(u32).range(1..=1 << 20))]
    scaling_sizes: Vec<u32>,
    /// Members of the batch
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u32).range(1..=1 << 16))]
    batch: u32,
    /// Seconds for each measurement
    #[arg(long, value_name = "S", default_value_t = 1.0, allow_negative_numbers = true, value_parser = seconds)]
    seconds: f64,
}

/// A part, as the command line spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PartName(Part);

impl ValueEnum for PartName {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [PartName; Part::ALL.len()] = {
            let mut all = [PartName(Part::Ceilings); Part::ALL.len()];
            let mut i = 0;
            while i < all.len() {
                all[i] = PartName(Part::ALL[i]);
                i += 1;
            }
            all
        };
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

fn sparsity(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..1.0).contains(&value) => Ok(value),
        _ => Err("a sparsity is a number from 0 to below 1".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && value <= 600.0 => Ok(value),
        _ => Err("a number of seconds above 0, 600 at most".to_owned()),
    }
}

impl BenchArgs {
    fn options(&self) -> BenchOptions {
        let defaults = BenchOptions::default();
        let mut parts: Vec<Part> = match self.only.is_empty() {
            // Models alone are all that was asked for.
            true if !self.models.is_empty() => Vec::new(),
            true => defaults.parts.clone(),
            false => self.only.iter().map(|p| p.0).collect(),
        };
        if self.scaling && !parts.contains(&Part::Scaling) {
            parts.push(Part::Scaling);
        }
        let widths = |list: &[u32]| list.iter().map(|&n| n as usize).collect();
        BenchOptions {
            adapter: self.device.adapter.clone(),
            threads: self.device.threads,
            parts,
            sizes: widths(&self.sizes),
            sparsities: self.sparsities.clone(),
            step_sparsity: self.step_sparsity,
            scaling_sizes: widths(&self.scaling_sizes),
            batch: self.batch as usize,
            models: self.models.clone(),
            checkpoint_activations: self.checkpoint_activations,
            budget: Duration::from_secs_f64(self.seconds),
        }
    }
}

/// Measures.
pub fn run(args: &BenchArgs) -> Result<()> {
    let to_stdout = args.json.as_deref() == Some(Path::new("-"));
    let mut table = Table::default();
    // A closed pipe must not end a bench whose figures go to a file: what cannot be shown is not.
    let mut show = |finding: Finding<'_>| {
        if !to_stdout {
            let _ = writeln!(std::io::stdout(), "{}", table.lines(finding));
        }
    };
    let report = rootlet::bench::run(&args.options(), &mut show)?;
    match &args.json {
        None => Ok(()),
        Some(_) if to_stdout => std::io::stdout()
            .write_all(text(&report)?.as_bytes())
            .map_err(Error::io("write", Path::new("standard output"))),
        Some(file) => std::fs::write(file, text(&report)?).map_err(Error::io("write", file)),
    }
}

fn text(report: &BenchReport) -> Result<String> {
    serde_json::to_string_pretty(report)
        .map(|text| text + "\n")
        .map_err(|e| Error::Shape(format!("the figures cannot be written as JSON: {e}")))
}
