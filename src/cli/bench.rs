//! `rootlet bench`.

mod compare;
mod effects;
mod gallery;
mod of_run;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};
use rootlet::bench::{BenchOptions, Finding, Part, SharedReport, Table};
use rootlet::engine::Precision;
use rootlet::engine::tune::Tune;
use rootlet::report::check_output;
use rootlet::train::config::within;
use rootlet::{Error, Result};

use super::device_args::DeviceArgs;
use super::output;

const EXAMPLES: &str = "\
Examples:
  rootlet bench
      Everything, on the adapter that `rootlet train` would take, in a few minutes.
  rootlet bench --quick
      A first impression within seconds.
  rootlet bench --adapter cpu --threads 2 --json cpu.json
      The CPU executor with two threads; all figures also in a file.
  rootlet bench --only spmm,sddmm --sizes 8192 --sparsities 0.99,0.995
      Two products at one size.
  rootlet bench --models resnet56,resnet50 --step-sparsity 0.98
      Training steps of two models on 32×32 images, and what each kernel takes of them.
  rootlet bench --activations bf16
      Products and steps with activations in 16 bits.
  rootlet bench --matrix layer.smtx graph.mtx
      The products with real matrices.
  rootlet bench --only crossover
      From which density on layers are faster densely.
  rootlet bench --only scaling
      How time and memory of a step grow with the width.
  rootlet bench --run runs/20260131-174502-photos --adapter cpu
      How fast the network of a run answers, beside onnxruntime.
  rootlet bench --share
      The standard cases as a file and a row of a table, for others to see.
  rootlet bench compare cpu.json gpu.json -o devices.svg
      Devices side by side.
  rootlet bench gallery docs/devices
      The page of a folder of shared files.";

/// Measures this machine's speed
///
/// Measures the adapter's ceilings (copy, load, multiply-add, dispatch, read-back, barrier), then the sparse products
/// over several sizes and sparsities. Each result is checked, and the share of the ceiling that it reaches is shown.
/// Then it measures a training step and a prune-and-grow round of perceptrons and other models, and how they grow with
/// the width. Whatever the adapter cannot hold, or would take too long for, is skipped with a reason. So is whatever
/// other work on the machine disturbed: measure on an idle one.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub struct BenchArgs {
    #[command(subcommand)]
    command: Option<BenchCommand>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Write all figures to this file too; `-` writes them, and nothing else, to standard output
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Write a file of the standard cases into this folder, to be shared, and print it as a row of a table; --quick
    /// leaves out the longer cases
    #[arg(long, value_name = "DIR", num_args = 0..=1, default_missing_value = ".", conflicts_with_all = NARROWING)]
    share: Option<PathBuf>,
    /// Measure how fast the network of a run answers: one sample, and 128 at once; on the CPU beside onnxruntime with
    /// dense weights, if Python has it
    #[arg(long, value_name = "RUN", conflicts_with_all = NARROWING, conflicts_with_all = ["share", "json", "limit", "tune", "activations"])]
    run: Option<PathBuf>,
    /// Small sizes and short measurements: a first impression within seconds
    #[arg(long)]
    quick: bool,
    /// Measure only these parts
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    only: Vec<PartName>,
    /// Measure the scaling with the width in addition to what --only or --models name
    #[arg(long)]
    scaling: bool,
    /// Measure the products with the matrices in these files (.mtx, .smtx)
    #[arg(long, value_name = "FILE", num_args = 1..)]
    matrix: Vec<PathBuf>,
    /// Widths n of the n × n layers [default: 2048,4096,8192,16384]
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = within::<u32>(1..=1 << 20)
    )]
    sizes: Vec<u32>,
    /// Sparsities of the n × n layers [default: 0.8,0.9,0.95,0.98,0.99,0.999]
    #[arg(long, value_name = "LIST", value_delimiter = ',', allow_negative_numbers = true, value_parser = sparsity)]
    sparsities: Vec<f64>,
    /// Widths h of the steps' networks 3072-h-h-10 [default: those of --sizes if given, else 1024,4096]
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = within::<u32>(1..=1 << 20)
    )]
    hidden: Vec<u32>,
    /// Overall sparsity of the networks of steps and models [default: 0.98]
    #[arg(long, value_name = "SPARSITY", allow_negative_numbers = true, value_parser = sparsity)]
    step_sparsity: Option<f64>,
    /// Models whose training step is measured, kernel by kernel; if only these are named, nothing else is measured
    /// [default: vgg16-small,resnet20,resnet56,simple-vit-tiny]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    models: Vec<String>,
    /// How activations and their gradients are stored, in products and in steps: f32, bf16 or f16
    #[arg(
        long,
        value_name = "PRECISION",
        value_enum,
        default_value = "f32",
        hide_default_value = true,
        hide_possible_values = true
    )]
    activations: Precision,
    /// Let the models recompute most activations in the backward pass instead of storing them
    #[arg(long)]
    checkpoint_activations: bool,
    /// Widths of the scaling [default: 1024,2048,4096,8192,16384]
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = within::<u32>(1..=1 << 20)
    )]
    scaling_sizes: Vec<u32>,
    /// Samples in a batch; models on a software adapter take 16 at most [default: 128]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = within::<u32>(1..=1 << 16))]
    batch: Option<u32>,
    /// Seconds for each measurement [default: 0.2, with --quick 0.05]
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seconds)]
    seconds: Option<f64>,
    /// Skip a case that would take more than this many seconds, judging by a smaller one [default: 10, with --quick 3]
    #[arg(long, value_name = "S", allow_negative_numbers = true, value_parser = seconds)]
    limit: Option<f64>,
    /// Whether to measure variants of the kernels first and run the fastest: auto (only on hardware), on or off
    #[arg(long, value_name = "WHETHER", default_value = "auto", hide_default_value = true, value_parser = tune())]
    tune: Tune,
    /// Keep figures that other work on the machine disturbed, marked as doubtful, instead of withholding them
    #[arg(long)]
    keep_doubtful: bool,
}

/// Flags that the cases of a shared file may not depend on.
const NARROWING: [&str; 11] = [
    "only",
    "scaling",
    "matrix",
    "sizes",
    "sparsities",
    "hidden",
    "step_sparsity",
    "models",
    "checkpoint_activations",
    "scaling_sizes",
    "batch",
];

#[derive(Debug, Subcommand)]
enum BenchCommand {
    Compare(compare::CompareArgs),
    Gallery(gallery::GalleryArgs),
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
        _ => Err("it must be a number from 0 to below 1".to_owned()),
    }
}

fn tune() -> impl clap::builder::TypedValueParser<Value = Tune> {
    let by_name = |name: String| Tune::ALL.into_iter().find(|tune| tune.name() == name);
    PossibleValuesParser::new(Tune::NAMES).map(move |name| by_name(name).unwrap_or_default())
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if value > 0.0 && value <= 600.0 => Ok(value),
        _ => Err("it must be a number of seconds above 0, 600 at most".to_owned()),
    }
}

impl BenchArgs {
    /// The parts to measure: all of them, unless something is named.
    fn parts(&self, defaults: &BenchOptions) -> Vec<Part> {
        let mut parts: Vec<Part> = self.only.iter().map(|p| p.0).collect();
        let mut add = |wanted: bool, more: &[Part]| {
            for part in more.iter().filter(|_| wanted) {
                if !parts.contains(part) {
                    parts.push(*part);
                }
            }
        };
        add(!self.models.is_empty(), &[Part::Model]);
        add(
            !self.matrix.is_empty() && self.only.is_empty(),
            &Part::PRODUCTS,
        );
        match (self.names_parts(), self.scaling) {
            (false, _) => defaults.parts.clone(),
            (true, false) => parts,
            (true, true) if parts.contains(&Part::Scaling) => parts,
            (true, true) => [parts, vec![Part::Scaling]].concat(),
        }
    }

    fn options(&self) -> BenchOptions {
        let defaults = match self.quick {
            true => BenchOptions::quick(),
            false => BenchOptions::default(),
        };
        let widths = |given: &[u32], default: &[usize]| match given {
            [] => default.to_vec(),
            given => given.iter().map(|&n| n as usize).collect(),
        };
        let parts = self.parts(&defaults);
        let sizes = match (self.sizes.is_empty(), self.matrix.is_empty()) {
            // If only matrices were given, nothing else is measured.
            (true, false) => Vec::new(),
            _ => widths(&self.sizes, &defaults.sizes),
        };
        let hidden = match self.hidden.is_empty() {
            true => widths(&self.sizes, &defaults.hidden),
            false => widths(&self.hidden, &[]),
        };
        BenchOptions {
            adapter: self.device.adapter.clone(),
            threads: self.device.threads,
            tune: self.tune,
            parts,
            working_sets: defaults.working_sets,
            sizes,
            sparsities: match self.sparsities.is_empty() {
                true => defaults.sparsities,
                false => self.sparsities.clone(),
            },
            matrices: self.matrix.clone(),
            hidden,
            step_sparsity: self.step_sparsity.unwrap_or(defaults.step_sparsity),
            models: match self.models.is_empty() {
                true => defaults.models,
                false => self.models.clone(),
            },
            activations: self.activations,
            checkpoint_activations: self.checkpoint_activations,
            scaling_sizes: widths(&self.scaling_sizes, &defaults.scaling_sizes),
            batch: self.batch.map_or(defaults.batch, |batch| batch as usize),
            budget: self
                .seconds
                .map_or(defaults.budget, Duration::from_secs_f64),
            limit: self.limit.map_or(defaults.limit, Duration::from_secs_f64),
            keep_doubtful: self.keep_doubtful,
        }
    }
}

impl BenchArgs {
    /// Whether parts were named, directly or through a flag that implies one.
    fn names_parts(&self) -> bool {
        !(self.only.is_empty() && self.models.is_empty() && self.matrix.is_empty())
    }
}

/// Measures, or shows earlier measurements.
pub fn run(args: &BenchArgs) -> Result<()> {
    match &args.command {
        Some(BenchCommand::Compare(args)) => compare::run(args),
        Some(BenchCommand::Gallery(args)) => gallery::run(args),
        None => measure(args),
    }
}

fn measure(args: &BenchArgs) -> Result<()> {
    if let Some(run) = &args.run {
        return of_run::run(run, &args.device, args.options().budget, args.keep_doubtful);
    }
    let to_stdout = args.json.as_deref() == Some(Path::new("-"));
    let mut table = Table::default();
    // A closed pipe must not end a bench whose figures go to a file. In that case, whatever cannot be shown is dropped.
    let mut show = |finding: Finding<'_>| {
        if !to_stdout {
            let _ = writeln!(
                std::io::stdout(),
                "{}",
                rootlet::report::printable(&table.lines(finding))
            );
        }
    };
    let options = args.options();
    args.check_effects(&options)?;
    if let Some(file) = args.json.as_deref().filter(|_| !to_stdout) {
        check_output(file, &args.matrix)?;
    }
    // This comes before anything is measured.
    if let Some(folder) = &args.share
        && !folder.is_dir()
    {
        return Err(Error::Folder {
            option: "share".to_owned(),
            path: folder.to_owned(),
            why: "is not a folder; make it, or name another one",
        });
    }
    let load = rootlet::bench::load();
    let (report, end) = rootlet::bench::run_keeping(&options, &mut show)?;
    if report.is_withheld() && !options.parts.contains(&Part::Ceilings) {
        output::note(
            "the machine was busy with other work, so all measured times are withheld; run it again on an idle \
             machine, or keep the doubtful times with --keep-doubtful",
        );
    }
    // This comes before the error, if there is one, so that the figures are not lost with it.
    match &args.json {
        None => {}
        Some(_) if to_stdout => output::print_json(&report.to_json()?)?,
        Some(file) => rootlet::report::write_file(file, report.to_json()?.as_bytes())?,
    }
    end?;
    match &args.share {
        None => Ok(()),
        Some(folder) => share(folder, SharedReport::new(report, load)?, to_stdout),
    }
}

/// Writes a shared file, and shows it as a row.
fn share(folder: &Path, shared: SharedReport, quiet: bool) -> Result<()> {
    let file = folder.join(shared.file_name());
    rootlet::report::write_file(&file, shared.to_json()?.as_bytes())?;
    output::say(&format!("wrote {}", file.display()));
    match quiet {
        true => Ok(()),
        false => output::print(&format!("\n{}", rootlet::bench::pasted(&shared))),
    }
}
