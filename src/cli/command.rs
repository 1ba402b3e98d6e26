//! The subcommands: one of them is parsed and run.

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use rootlet::Result;

use super::{
    adapters, bench, data, eval, explain, export, flops, model, predict, report, runs, shell,
    sweep, train, tune, verify, watch,
};

/// Trains sparse neural networks on any GPU, or without one
///
/// Trains neural networks that are sparse from the first step to the last: only the connections that exist are ever in
/// memory, and guided stochastic exploration (arXiv 2401.06898) keeps replacing the useless ones by better ones. It
/// runs on any GPU of any vendor, and on the CPU.
#[derive(Debug, Parser)]
#[command(
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = EXAMPLES
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  rootlet train
      Train on the embedded handwritten digits: no download, no GPU needed, done within a minute.
  rootlet train --data fashion-mnist --data-dir ~/fashion --hidden 1024,1024 --sparsity 0.98
      Train on images of your own download, with 2 % of the connections that a dense network has.
  rootlet train --model resnet20 --data cifar10 --data-dir ~/cifar --sparsity 0.98 --batch 128
      Train a convolutional network whose kernels are sparse connections.
  rootlet train --resume runs/20260131-174502-digits
      Go on with a run that was interrupted.
  rootlet eval runs/20260131-174502-digits
      Test the network of a run.
  rootlet predict runs/20260131-174502-photos new-photos -o predictions.csv
      What the network of a run says of other photos, or of the rows of a table.
  rootlet explain runs/20260131-174502-photos cat.jpg -o cat.png
      Where in a photo the answer comes from; of a table, what its columns are worth.
  rootlet watch runs/20260131-174502-digits
      See how far a run is.
  rootlet export runs/20260131-174502-photos --format onnx -o photos.onnx
      The network of a run for onnxruntime; others are torch, scipy and safetensors.
  rootlet runs
      List the runs and their results.
  rootlet sweep sweep.toml && rootlet report runs/sweep -o report.html
      Compare methods over seeds, and show them as one page.
  rootlet sweep sweep.toml
      Train with several methods, sparsities and seeds, and compare them in a table.
  rootlet report runs/sweep -o report.html
      Show runs as one page with figures.
  rootlet data show iris.csv && rootlet train --data iris.csv
      See what is understood of a table, and train on it.
  rootlet data check --data image-folder --data-dir ~/photos
      Decode every image, and name those that cannot be read.
  rootlet adapters
      See which GPUs there are and which one would be chosen.
  rootlet verify
      Check that the GPU and its driver compute what they should.
  rootlet tune resnet56 --sparsity 0.98
      Measure in which workgroups a model's kernels run fastest.

`rootlet train --help` explains all that can be chosen.";

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::TrainArgs),
    Eval(eval::EvalArgs),
    Predict(predict::PredictArgs),
    Explain(explain::ExplainArgs),
    Export(export::ExportArgs),
    Adapters(adapters::AdaptersArgs),
    Bench(bench::BenchArgs),
    Model(model::ModelArgs),
    Sweep(sweep::SweepArgs),
    Report(report::ReportArgs),
    Watch(watch::WatchArgs),
    Runs(runs::RunsArgs),
    Flops(flops::FlopsArgs),
    Data(data::DataArgs),
    Verify(verify::VerifyArgs),
    Tune(tune::TuneArgs),
    Completions(shell::CompletionsArgs),
    Man(shell::ManArgs),
}

/// Runs what the command line asks for.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Train(args) => return train::run(&args),
        Command::Eval(args) => eval::run(&args)?,
        Command::Predict(args) => predict::run(&args)?,
        Command::Explain(args) => explain::run(&args)?,
        Command::Export(args) => export::run(&args)?,
        Command::Adapters(args) => adapters::run(&args)?,
        Command::Bench(args) => bench::run(&args)?,
        Command::Model(args) => model::run(&args)?,
        Command::Sweep(args) => return sweep::run(&args),
        Command::Report(args) => report::run(&args)?,
        Command::Watch(args) => return watch::run(&args),
        Command::Runs(args) => runs::run(&args)?,
        Command::Flops(args) => flops::run(&args)?,
        Command::Data(args) => data::run(&args)?,
        Command::Verify(args) => verify::run(&args)?,
        Command::Tune(args) => tune::run(&args)?,
        Command::Completions(args) => shell::complete(&args, Cli::command())?,
        Command::Man(args) => shell::man(&args, Cli::command())?,
    }
    Ok(ExitCode::SUCCESS)
}
