//! `rootlet predict`.

mod args;

use std::io::{self, Write};
use std::path::Path;

use rootlet::report::{NewFile, PredictionOptions, PredictionTable, counted, write_row};
use rootlet::train::Predictor;
use rootlet::{Error, Result};

use super::samples::{Samples, Wanted, advised};
use super::trained::Opened;
use super::{output, progress};
pub use args::PredictArgs;

/// Predicts.
pub fn run(args: &PredictArgs) -> Result<()> {
    args.samples.device.check_threads()?;
    let threshold = args.threshold()?;
    let opened = Opened::of(
        &args.samples.checkpoint,
        args.samples.which,
        "predict by a program, with `Predictor::new`",
    )?;
    // What can be refused is refused before anything is computed.
    let mut sink = Sink::begin(args)?;
    let device = args.samples.device.open()?;
    let predictor = Predictor::of_checkpoint(device, &opened.checkpoint)?;
    args.check_effects(predictor.task())?;
    let wanted = Wanted {
        inputs: &args.samples.inputs,
        asked: (args.samples).asked(None, args.skip_damaged.then_some("skip-damaged")),
        tells_limit: args.samples.limit.is_some(),
        part: args.samples.part,
        skips: args.skip_damaged,
        can_skip: true,
        notes: true,
        done: "predicted for",
        doing: "predicting for",
    };
    let samples = match args.samples.inputs.is_empty() {
        true => vec![Samples::of_part(&wanted, &opened, &predictor)?],
        false => Samples::of_inputs(&wanted, &predictor)?,
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
            truth: args.samples.inputs.is_empty(),
        },
    );
    sink.put(&table.header())?;
    let count = samples.iter().map(|all| all.images.len() as u64).sum();
    let bar = progress::counting("predicting", count);
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
        let file = output::begin(path, &args.samples.inputs, args.force)?;
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
