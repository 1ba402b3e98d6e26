//! The command line, thin: a subcommand parses its flags, calls the library and lets the reports show what happens.

mod adapters;
mod bench;
mod data;
mod eval;
mod flops;
mod interrupt;
mod model;
mod model_flags;
mod report;
mod sweep;
mod train;
mod verify;
mod watch;

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Parser, Subcommand};
use rootlet::engine::adapter::takes_threads;
use rootlet::report::printable;
use rootlet::train::TrainConfig;
use rootlet::train::config::{idle_threads, whole};
use rootlet::{Error, Result};

/// Trains sparse neural networks on any GPU, or without one
///
/// Trains neural networks that are sparse from the first step to the last: only the connections that exist are ever in
/// memory, and guided stochastic exploration (arXiv 2401.06898) keeps replacing the useless ones by better ones. It runs on
/// any GPU of any vendor, and on the CPU.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true, after_help = EXAMPLES)]
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
  rootlet watch runs/20260131-174502-digits
      See how far a run is.
  rootlet sweep sweep.toml && rootlet report runs/sweep -o report.html
      Compare methods over seeds, and show them as one page.
  rootlet sweep sweep.toml
      Train with several methods, sparsities and seeds, and compare them in a table.
  rootlet report runs/sweep -o report.html
      Show runs as one page with figures.
  rootlet data check --data image-folder --data-dir ~/photos
      Decode every image, and name those that cannot be read.
  rootlet adapters
      See which GPUs there are and which one would be chosen.
  rootlet verify
      Check that the GPU and its driver compute what they should.

`rootlet train --help` explains all that can be chosen.";

#[derive(Debug, Subcommand)]
enum Command {
    Train(train::TrainArgs),
    Eval(eval::EvalArgs),
    Adapters(adapters::AdaptersArgs),
    Bench(bench::BenchArgs),
    Model(model::ModelArgs),
    Sweep(sweep::SweepArgs),
    Report(report::ReportArgs),
    Watch(watch::WatchArgs),
    Flops(flops::FlopsArgs),
    Data(data::DataArgs),
    Verify(verify::VerifyArgs),
}

/// What a command that is not a training runs on.
#[derive(Clone, Debug, Args)]
pub struct DeviceArgs {
    /// Adapter to run on: auto, cpu, an index of `rootlet adapters`, or a part of a name
    #[arg(
        long,
        value_name = "ADAPTER",
        env = "ROOTLET_ADAPTER",
        default_value = "auto"
    )]
    pub adapter: String,
    /// Threads of the CPU executor (0: one per core)
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = threads)]
    pub threads: usize,
}

impl DeviceArgs {
    /// Refuses a number of threads on an adapter that has cores of its own.
    fn check_threads(&self) -> Result<()> {
        match self.threads > 0 && !takes_threads(&self.adapter) {
            true => Err(no_effect("threads", &idle_threads(&self.adapter))),
            false => Ok(()),
        }
    }
}

/// The error for a flag that would change nothing.
fn no_effect(flag: &str, why: &str) -> Error {
    Error::Usage(format!("--{flag} has no effect here: {why}; leave it out"))
}

/// Refuses flags and arguments that were typed with nothing in them, as a script's empty variable leaves them.
pub fn check_typed(matches: &ArgMatches) -> Result<()> {
    for id in matches.ids() {
        let typed = matches.value_source(id.as_str()) == Some(ValueSource::CommandLine);
        let mut values = (matches.try_get_raw(id.as_str()).ok().flatten())
            .into_iter()
            .flatten();
        if typed && values.any(|value| value.to_string_lossy().trim().is_empty()) {
            return Err(Error::Usage(format!(
                "--{} has an empty value; give one, or leave it out",
                id.as_str().replace('_', "-")
            )));
        }
    }
    match matches.subcommand() {
        Some((_, matches)) => check_typed(matches),
        None => Ok(()),
    }
}

/// Flags that have no effect beside another one, by command: that other one, its value where it matters, and why.
const IDLE_BESIDE: [(&str, &str, Option<&str>, &str, &str); 6] = [
    (
        "sweep",
        "table",
        None,
        "no_verify",
        "--table trains nothing",
    ),
    ("sweep", "table", None, "adapter", "--table trains nothing"),
    (
        "sweep",
        "dry_run",
        None,
        "no_verify",
        "--dry-run trains nothing",
    ),
    (
        "train",
        "print_config",
        None,
        "no_verify",
        "--print-config trains nothing",
    ),
    ("train", "adapter", Some("cpu"), "no_verify", NOT_VERIFIED),
    ("sweep", "adapter", Some("cpu"), "no_verify", NOT_VERIFIED),
];
const NOT_VERIFIED: &str = "the CPU executor is what others are compared with";

/// Refuses flags that were typed beside one that leaves them without effect. A variable of the environment is for many commands.
pub fn check_beside(matches: &ArgMatches) -> Result<()> {
    let Some((command, matches)) = matches.subcommand() else {
        return Ok(());
    };
    let typed = |id: &str| {
        matches.try_contains_id(id).is_ok()
            && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    let has = |id: &str, value: &str| {
        let raw = matches.try_get_raw(id).ok().flatten();
        (raw.into_iter().flatten()).any(|raw| raw.to_string_lossy().eq_ignore_ascii_case(value))
    };
    for (of, beside, value, flag, why) in IDLE_BESIDE {
        let there = typed(beside) && value.is_none_or(|value| has(beside, value));
        if of == command && there && typed(flag) {
            return Err(no_effect(&flag.replace('_', "-"), why));
        }
    }
    Ok(())
}

/// Says that a limit is none.
fn note_wide_limit(limit: usize, images: usize) {
    if limit > images {
        note(&format!(
            "--limit {limit} changes nothing: there are {images} images at most, and all are used"
        ));
    }
}

/// A number of threads, also where the adapter has none of its own: a typing error stays one.
fn threads(text: &str) -> std::result::Result<usize, String> {
    let mut config = TrainConfig::default();
    config.machine.threads = whole(text)?;
    config.validate().map_err(|error| message(&error))?;
    Ok(config.machine.threads)
}

/// Runs what the command line asks for.
pub fn run(cli: Cli) -> Result<ExitCode> {
    match cli.command {
        Command::Train(args) => return train::run(&args),
        Command::Eval(args) => eval::run(&args)?,
        Command::Adapters(args) => adapters::run(&args)?,
        Command::Bench(args) => bench::run(&args)?,
        Command::Model(args) => model::run(&args)?,
        Command::Sweep(args) => return sweep::run(&args),
        Command::Report(args) => report::run(&args)?,
        Command::Watch(args) => return watch::run(&args),
        Command::Flops(args) => flops::run(&args)?,
        Command::Data(args) => data::run(&args)?,
        Command::Verify(args) => verify::run(&args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells of something that the user should know, without stopping for it.
fn note(text: &str) {
    say(&format!("note: {text}"));
}

/// A line on standard error.
fn say(text: &str) {
    // Should nobody be there to read it, the command goes on.
    let _ = writeln!(std::io::stderr(), "{}", printable(text));
}

/// Prints for people.
fn print(text: &str) -> Result<()> {
    print_json(&printable(text))
}

/// Prints for programs, to which every character is one like the others.
fn print_json(text: &str) -> Result<()> {
    std::io::stdout()
        .write_all(text.as_bytes())
        .map_err(Error::io("write", Path::new("standard output")))
}

/// Names the environment variable in an error about the adapter that came from it.
pub fn name_variable(error: Error, matches: &ArgMatches) -> Error {
    const ADAPTER: &str = "adapter";
    let from_variable = |(_, given): (&str, &ArgMatches)| {
        given.try_contains_id(ADAPTER).is_ok()
            && given.value_source(ADAPTER) == Some(ValueSource::EnvVariable)
    };
    match error {
        Error::Adapter(reason) if matches.subcommand().is_some_and(from_variable) => {
            Error::Adapter(format!("ROOTLET_ADAPTER: {reason}"))
        }
        other => other,
    }
}

/// An error's sentence, options by their flags.
pub fn message(error: &Error) -> String {
    error.message(|option| format!("--{}", option.replace('_', "-")))
}

/// 2 for what the user typed, as clap has it; 1 for everything else.
pub fn exit_code(error: &Error) -> ExitCode {
    match error {
        Error::Usage(_) | Error::Value { .. } | Error::Missing { .. } => ExitCode::from(2),
        _ => ExitCode::FAILURE,
    }
}
