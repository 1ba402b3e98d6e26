//! `rootlet eval`.

use std::path::PathBuf;

use clap::Args;
use rootlet::checkpoint::{self, Checkpoint, Objective};
use rootlet::data::{self, DataOptions, Dataset, LoaderOptions, TestPart};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::report::counted;
use rootlet::train::config::whole;
use rootlet::train::{Evaluation, TrainConfig, evaluate, for_tests};
use rootlet::{Error, Result};
use serde::Serialize;

use super::DeviceArgs;

const EXAMPLES: &str = "\
Examples:
  rootlet eval runs/20260131-174502-digits
      The newest checkpoint of a run, on the test images of the data that it was trained on.
  rootlet eval runs/20260131-174502-mnist --data-dir /data/mnist --json
      The same where the data lies elsewhere now, as JSON.";

/// Tests a trained network
///
/// Evaluates a checkpoint on the test images: loss and accuracy.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct EvalArgs {
    /// A checkpoint, or a run folder, whose newest checkpoint is taken
    checkpoint: PathBuf,
    /// Data set to test on [default: the one it was trained on]
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Folder with the data set's files [default: the one it was trained from]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Use only the first N test images (0: all) [default: all]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    limit: Option<usize>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// Loads the data as the network saw them, and says where they are not those of its training.
fn load(args: &EvalArgs, own: DataOptions, checkpoint: &Checkpoint) -> Result<Dataset> {
    let trained = checkpoint.manifest.data.as_ref();
    let source = DataOptions {
        name: args.data.clone().unwrap_or_else(|| own.name.clone()),
        dir: args.data_dir.clone().or(own.dir),
        limit: args.limit.filter(|&limit| limit > 0),
        images: own.images,
    };
    if source.name == data::NAMES[0] && args.data_dir.is_some() {
        return Err(super::no_effect(
            "data-dir",
            "the data set digits comes with rootlet; name another one with --data",
        ));
    }
    let mut data = data::load(&source)?;
    if matches!(data.test_part, TestPart::SplitOff { .. }) {
        // As many as in training, to be compared with those.
        let mut as_then = match source.limit == own.limit {
            true => data.clone(),
            false => data::load(&DataOptions {
                limit: own.limit,
                ..source.clone()
            })?,
        };
        as_then.compare_with(trained);
        data.test_part = as_then.test_part;
    }
    for note in &data.notes {
        super::note(note);
    }
    let Some(trained) = trained else {
        if source.name == data::IMAGE_FOLDER {
            super::note(
                "this checkpoint is of an older rootlet and does not tell the names of its classes: they go by their numbers",
            );
        }
        return Ok(data);
    };
    let data = data.as_trained(trained)?;
    if data.tests_by_what_it_learned(trained) {
        return Err(Error::Usage(format!(
            "the test images of {} are the very images that the network was trained on, and tell nothing of others; give it images \
             that it has not seen",
            source.name
        )));
    }
    if (source.limit, &source.name) == (own.limit, &own.name)
        && let Some(how) = data.test_change(trained)
    {
        super::note(&format!("the data have changed: test images: {how}"));
    }
    if let (TestPart::SplitOff { .. }, TestPart::Folder(name)) =
        (&trained.test_part, &data.test_part)
    {
        super::note(&format!(
            "there was no folder to test by when the network was trained: those images of {name}/ that were in train/ then, it \
             was trained on"
        ));
    }
    Ok(data)
}

/// The result as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    result: Evaluation,
    /// Where the images come from.
    test_part: &'a TestPart,
}

/// Evaluates a checkpoint.
pub fn run(args: &EvalArgs) -> Result<()> {
    args.device.check_threads()?;
    let checkpoint = checkpoint::load(&args.checkpoint)?;
    if let Some(note) = &checkpoint.note {
        super::note(note);
    }
    let objective = &checkpoint.manifest.objective;
    if *objective != Objective::default() {
        return Err(Error::Usage(format!(
            "{} was trained with {objective}, which a program of its own brought: test it with that one",
            checkpoint.path.display()
        )));
    }
    let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
    let data = load(args, config.source(), &checkpoint)?;
    let options = DeviceOptions {
        threads: args.device.threads,
        ..DeviceOptions::default()
    };
    let device = Device::open(&args.device.adapter, &options)?;
    device.warning().into_iter().for_each(super::note);
    let model = config.build_model(data.shape, data.classes)?;
    let state = &checkpoint.snapshot.state;
    let layers = &state.layers;
    let batch = config.run.batch.min(data.test.len().max(1));
    let network = for_tests(&device, &config, &model, state, batch)
        .map_err(|error| match error {
            Error::Shape(_) => Error::Usage(format!(
                "the network of {} takes {} inputs to {} classes, and {} has {} pixels and {} classes; give the data set \
                 that it was trained on with --data",
                checkpoint.path.display(),
                layers.first().map_or(0, |l| l.n_in),
                layers.last().map_or(0, |l| l.n_out),
                data.name,
                data.shape.features(),
                data.classes,
            )),
            other => other,
        })?;
    let result = evaluate(
        &device,
        &network,
        &data,
        LoaderOptions::of_batch(network.micro_batch()),
    )?;
    for bad in data.bad_images() {
        super::note(&format!("left out, for it cannot be read: {bad}"));
    }
    let text = if args.json {
        let shown = Shown {
            result,
            test_part: &data.test_part,
        };
        serde_json::to_string(&shown)
            .map_err(|e| Error::Device(format!("the result cannot be shown as JSON: {e}")))?
    } else {
        let part = match &data.test_part {
            part @ TestPart::SplitOff { .. } => format!(" ({part})"),
            _ => String::new(),
        };
        let what = match data.test_part.trained_on() {
            true => "image",
            false => "test image",
        };
        format!(
            "{} of {}{part}: accuracy {:.2} %, loss {:.4}",
            counted(result.images as u64, what),
            data.name,
            result.accuracy * 100.0,
            result.loss
        )
    };
    super::print(&(text + "\n"))
}
