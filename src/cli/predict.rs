//! `rootlet predict`.

mod samples;

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rootlet::checkpoint::Which;
use rootlet::data::{DataPart, Task};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::report::{NewFile, PredictionOptions, PredictionTable, counted, write_row};
use rootlet::train::Predictor;
use rootlet::train::config::{real, whole, within};
use rootlet::{Error, Result};

use super::device_args::DeviceArgs;
use super::trained::Opened;
use super::{checks, output};
use samples::Samples;

const EXAMPLES: &str = "\
Examples:
  rootlet predict runs/20260131-174502-photos new-photos cat.jpg -o predictions.csv
      The class of each photo in a folder and below, and of one more.
  rootlet predict runs/20260131-174502-iris more.csv --probabilities
      The class of each row, which need not have the column of the target, and the probability of every class.
  rootlet predict runs/20260131-174502-mnist -o predictions.csv --top 3
      The images that test the network, beside what they are.";

/// Predicts by a trained network
///
/// Writes a CSV file with a line for each input: its class and probability; of a network that tells several labels a
/// row those that apply; of a regression its numbers. Inputs are prepared as in the training. For inputs that cannot
/// be used there is an error that names the first, or with --skip-damaged a line that says why.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct PredictArgs {
    /// A run folder, whose best or newest checkpoint is used, or a checkpoint
    #[arg(value_name = "RUN")]
    checkpoint: PathBuf,
    /// Image files and folders of them, or tables with the columns of the training [default: a part of its data]
    #[arg(value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// File to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace the file if there is one
    #[arg(long, requires = "output")]
    force: bool,
    /// Add columns with the N most probable classes or labels
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = within::<usize>(1..=u64::MAX))]
    top: Option<usize>,
    /// Add a column with the probability of every class or label
    #[arg(long)]
    probabilities: bool,
    /// Probability from which a label applies, if there are several a row [default: 0.5]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = real)]
    threshold: Option<f64>,
    /// Leave out inputs that cannot be read or used; their lines say why, in the column `fault`
    #[arg(long)]
    skip_damaged: bool,
    /// Checkpoint of a run to use [default: best, if there is one, otherwise newest]
    #[arg(long = "checkpoint", value_enum, value_name = "WHICH")]
    which: Option<Which>,
    /// Without INPUT: data set to predict for [default: the one that the network was trained on]
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Without INPUT: folder with the data set's files [default: the one that the network was trained from]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Without INPUT: part of the data [default: test, if there is one, otherwise validation]
    #[arg(long, value_enum, value_name = "PART")]
    part: Option<DataPart>,
    /// Without INPUT: use only the first N samples (0: all) [default: all]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    limit: Option<usize>,
    #[command(flatten)]
    device: DeviceArgs,
}

impl PredictArgs {
    /// Refuses flags that change nothing.
    fn check_effects(&self, task: Task) -> Result<()> {
        let of_a_part = [
            ("data", self.data.is_some()),
            ("data-dir", self.data_dir.is_some()),
            ("part", self.part.is_some()),
            ("limit", self.limit.is_some()),
        ];
        let named = of_a_part.iter().find(|(_, given)| *given);
        if let (Some((flag, _)), false) = (named, self.inputs.is_empty()) {
            return Err(checks::no_effect(
                flag,
                "it is for a part of a data set, and inputs are named",
            ));
        }
        let classes = [
            ("top", self.top.is_some()),
            ("probabilities", self.probabilities),
        ];
        if let (Some((flag, _)), Task::Regression) =
            (classes.iter().find(|(_, given)| *given), task)
        {
            return Err(checks::no_effect(
                flag,
                "the network predicts numbers, which have no probabilities",
            ));
        }
        if self.threshold.is_some() && task != Task::MultiLabel {
            return Err(checks::no_effect(
                "threshold",
                &format!("it is for several labels, and the network's task is {task}"),
            ));
        }
        Ok(())
    }

    /// The probability from which a label applies.
    fn threshold(&self) -> Result<f32> {
        match self.threshold.unwrap_or(0.5) {
            share if (0.0..=1.0).contains(&share) => Ok(share as f32),
            share => Err(Error::Value {
                option: "threshold",
                must: "must be from 0 to 1".to_owned(),
                value: share.to_string(),
            }),
        }
    }
}

/// Predicts.
pub fn run(args: &PredictArgs) -> Result<()> {
    args.device.check_threads()?;
    let threshold = args.threshold()?;
    let opened = Opened::of(
        &args.checkpoint,
        args.which,
        "predict by a program, with `Predictor::new`",
    )?;
    // What can be refused is refused before anything is computed.
    let mut sink = Sink::begin(args)?;
    let options = DeviceOptions {
        threads: args.device.threads,
        ..DeviceOptions::default()
    };
    let device = Device::open(&args.device.adapter, &options)?;
    device.warning().into_iter().for_each(output::note);
    let predictor = Predictor::of_checkpoint(device, &opened.checkpoint)?;
    args.check_effects(predictor.task())?;
    let samples = match args.inputs.is_empty() {
        true => vec![Samples::of_part(args, &opened, &predictor)?],
        false => Samples::of_inputs(args, &predictor)?,
    };
    let who = samples.first().map_or(Vec::new(), Samples::who);
    let table = PredictionTable::new(
        predictor.task(),
        predictor.outputs(),
        predictor.output_names(),
        who,
        PredictionOptions {
            top: args.top.unwrap_or(0),
            probabilities: args.probabilities,
            threshold,
            faults: args.skip_damaged,
            truth: args.inputs.is_empty(),
        },
    );
    sink.put(&table.header())?;
    let bar = bar(samples.iter().map(|all| all.images.len() as u64).sum());
    let (mut predicted, mut damaged) = (0u64, 0u64);
    for all in &samples {
        predictor
            .predict_each(&all.images, &mut |number, outputs| {
                match outputs.is_ok() {
                    true => predicted += 1,
                    false => damaged += 1,
                }
                let truth = all.truth(number, &table)?;
                bar.inc(1);
                sink.put(&table.row(all.names(number), truth, outputs))
            })
            .map_err(|error| advised(error, args.skip_damaged))?;
    }
    bar.finish_and_clear();
    if damaged > 0 {
        output::note(&format!(
            "{} cannot be used: the column `fault` says why",
            counted(damaged, "input")
        ));
    }
    sink.finish(&counted(predicted, "prediction"))
}

/// An error about a file that cannot be read, with the way to go on without it.
fn advised(error: Error, skips: bool) -> Error {
    match error {
        Error::Data { path, reason } if !skips => Error::Data {
            path,
            reason: format!("{reason}; --skip-damaged goes on without such inputs"),
        },
        other => other,
    }
}

/// Progress on a terminal.
fn bar(all: u64) -> ProgressBar {
    let bar = ProgressBar::new(all);
    bar.set_draw_target(match io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    });
    let template =
        "predicting  {bar:24} {percent}%  {human_pos} of {human_len}, {per_sec}, {eta} left";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}

/// Where the lines go.
enum Sink<'a> {
    File(&'a Path, Box<NewFile>),
    Standard(io::BufWriter<io::Stdout>),
}

impl<'a> Sink<'a> {
    fn begin(args: &'a PredictArgs) -> Result<Self> {
        let Some(path) = &args.output else {
            return Ok(Sink::Standard(io::BufWriter::new(io::stdout())));
        };
        let file = output::begin(path, &args.inputs, args.force)?;
        Ok(Sink::File(path, Box::new(file)))
    }

    fn name(&self) -> &Path {
        match self {
            Sink::File(path, _) => path,
            Sink::Standard(_) => Path::new("standard output"),
        }
    }

    fn put(&mut self, row: &[String]) -> Result<()> {
        let file: &mut dyn Write = match self {
            Sink::File(_, file) => file,
            Sink::Standard(out) => out,
        };
        let done = write_row(file, row);
        done.map_err(|error| Error::io("write", self.name())(error))
    }

    /// Completes the file, and says what is in it.
    fn finish(self, what: &str) -> Result<()> {
        match self {
            Sink::File(path, file) => {
                file.finish()?;
                output::print(&format!("{}: {what}\n", path.display()))
            }
            Sink::Standard(mut out) => {
                (out.flush()).map_err(Error::io("write", Path::new("standard output")))
            }
        }
    }
}
