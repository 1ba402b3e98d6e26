//! `rootlet eval`.

use std::path::PathBuf;

use clap::Args;
use rootlet::checkpoint::{Checkpoint, Snapshot, Which};
use rootlet::data::{
    self, DataOptions, DataPart, DataRecord, Dataset, LoaderOptions, TestPart, is_path,
};
use rootlet::error::Fault;
use rootlet::report::check_output;
use rootlet::train::config::whole;
use rootlet::train::{Setup, TrainConfig, evaluate_whole};
use rootlet::{Error, Result};

use super::device_args::DeviceArgs;
use super::trained::{Asked, Opened};
use super::{checks, output, progress};
use confusion::Confusion;
use shown::{Shown, by_class};

mod confusion;
mod shown;

const EXAMPLES: &str = "\
Examples:
  rootlet eval runs/20260131-174502-digits
      The best checkpoint of a run, or the newest if none was chosen, on the test images of its data.
  rootlet eval runs/20260131-174502-mnist --data-dir /data/mnist --json
      The same where the data lies elsewhere now, as JSON.
  rootlet eval runs/20260131-174502-iris --data more.csv
      A network of a table on the rows of another file.
  rootlet eval runs/20260131-174502-photos --classes --json > tested.json
      The results for each class; `rootlet report runs tested.json` draws them.";

/// Tests a trained network
///
/// Evaluates a checkpoint on the test images: loss and the task's metric, such as accuracy or RMSE. As JSON also what
/// all outputs together tell: balanced accuracy, macro F1, AUC and others.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct EvalArgs {
    /// A checkpoint, or a run folder, whose best or newest checkpoint is used
    checkpoint: PathBuf,
    /// Data set to test on, or a table with the same columns [default: the one that the network was trained on]
    #[arg(long, value_name = "NAME")]
    data: Option<String>,
    /// Folder with the data set's files [default: the one that the network was trained from]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Checkpoint of a run to test [default: best, if there is one, otherwise newest]
    #[arg(long = "checkpoint", value_enum, value_name = "WHICH")]
    which: Option<Which>,
    /// Part of the data to test on [default: test, if there is one, otherwise validation]
    #[arg(long, value_enum, value_name = "PART")]
    part: Option<DataPart>,
    /// Use only the first N test images (0: all) [default: all]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    limit: Option<usize>,
    /// Leave out images of a folder that cannot be read, and name them [default: as in training]
    #[arg(long)]
    skip_bad_images: bool,
    /// Report the results for each class, which of them are taken for which others, and macro F1, balanced accuracy
    /// and AUC over all
    #[arg(long)]
    classes: bool,
    /// Write the confusion matrix as CSV: a row for each class, a column for each answer
    #[arg(long, value_name = "FILE")]
    confusion: Option<PathBuf>,
    #[command(flatten)]
    device: DeviceArgs,
    /// Print the result as one JSON object
    #[arg(long)]
    json: bool,
}

/// What a network is evaluated on.
struct Tested {
    data: Dataset,
    /// The part of the data set that takes the place of its test part.
    part: DataPart,
    /// Whether the images are those that its training used for testing.
    own: bool,
    /// How many of the images the network was trained on, if something other than the pixels tells.
    learned: Option<u64>,
}

/// Loads the data in the form that the network was trained with, and tells the user if they are not those of its
/// training.
fn load(args: &EvalArgs, config: &TrainConfig, checkpoint: &Checkpoint) -> Result<Tested> {
    let own = config.source();
    let trained = checkpoint.manifest.data.as_ref();
    let source = Asked {
        data: args.data.as_deref(),
        data_dir: args.data_dir.as_deref(),
        limit: args.limit,
        skips_bad: args.skip_bad_images.then_some("skip-bad-images"),
    }
    .source(&own, trained)?;
    let own_limit = own.limit;
    let data = data::load_to_test(&source, &progress::reading(false))?;
    // Take as many as in training, so that the results can be compared.
    let mut as_then = match source.limit == own.limit {
        true => data.clone(),
        false => {
            let as_then = DataOptions {
                limit: own.limit,
                ..source.clone()
            };
            data::load_to_test(&as_then, &progress::reading(false))?
        }
    };
    match checkpoint.snapshot.trained_images.is_empty() {
        true => as_then.compare_with(trained),
        // The images themselves tell.
        false => data.compares_with(&checkpoint.snapshot.trained_images),
    }
    let part = args.part.unwrap_or(data.final_part());
    if data.part(part).is_none() {
        return Err(checks::no_effect(
            "part",
            &format!("the data set {} has no {part} part", data.name),
        ));
    }
    // From here on, everything asked about test samples is asked about those.
    let (mut data, as_then) = (data.evaluated_on(part), as_then.evaluated_on(part));
    let trained = trained.map(|trained| trained.evaluated_on(part));
    let trained = trained.as_ref();
    data.test_part = as_then.test_part.clone();
    if let Some(limit) = source.limit.filter(|_| args.limit.is_some()) {
        output::note_wide_limit(limit, &data, data.test.len());
    }
    for note in &data.notes {
        output::note(note);
    }
    let same_name = source.name == own.name
        || (is_path(&source.name) && is_path(&own.name) && !source.table.tests_all);
    let Some(trained) = trained else {
        if source.name == data::IMAGE_FOLDER {
            output::note(
                "an older rootlet wrote this checkpoint, without the names of its classes: their numbers stand for \
                 them",
            );
        }
        let own = same_name && matches!(data.test_part, TestPart::Published | TestPart::Given);
        return Ok(Tested {
            data,
            part,
            own,
            learned: None,
        });
    };
    let data = data.as_trained(trained)?;
    let learned = learned_of(&data, trained, config.run.batch, checkpoint)?;
    if learned.is_some_and(|learned| learned > 0 && learned == data.test.len() as u64) {
        return Err(Error::Fixed {
            what: format!(
                "the network was trained on all {} {part} {}s of {}, which say nothing about others",
                data.test.len(),
                data.sample(),
                data.name
            ),
            way_out: format!("give it {}s that it has not seen", data.sample()),
        });
    }
    let change = as_then.test_change(trained);
    let own = same_name && change.is_none() && data.test_part == trained.test_part;
    if let (true, true, Some(how)) = (same_name, source.limit == own_limit, change) {
        let sample = data.sample();
        output::note(&format!("the data have changed: {part} {sample}s: {how}"));
    }
    Ok(Tested {
        data,
        part,
        own,
        learned,
    })
}

/// How many of the test images the network was trained on, if they have the names of those that its training learned
/// from. All of them, unless the training was stopped before it had seen them all, or their contents differ. None if
/// the names differ.
fn learned_of(
    data: &Dataset,
    trained: &DataRecord,
    batch: usize,
    checkpoint: &Checkpoint,
) -> Result<Option<u64>> {
    if !data.tests_by_what_it_learned(trained) {
        return Ok(None);
    }
    let Snapshot {
        trained_images,
        progress,
        ..
    } = &checkpoint.snapshot;
    if !trained_images.is_empty() {
        data.read_test_images()?;
        return Ok(data.test_images_among(trained_images));
    }
    let all = data.test.len() as u64;
    Ok(Some(match progress.epoch {
        0 => progress.batch.saturating_mul(batch as u64).min(all),
        _ => all,
    }))
}

/// Evaluates a checkpoint.
pub fn run(args: &EvalArgs) -> Result<()> {
    args.device.check_threads()?;
    if let Some(path) = &args.confusion {
        check_output(path, &[])?;
    }
    let Opened {
        checkpoint,
        which,
        config,
    } = Opened::of(&args.checkpoint, args.which, "test it with that program")?;
    let Tested {
        mut data,
        part,
        own,
        learned,
    } = load(args, &config, &checkpoint)?;
    let device = args.device.open()?;
    let setup = Setup::new(&config, &data)?;
    let state = &checkpoint.snapshot.state;
    let layers = &state.layers;
    let batch = config.run.batch.min(data.test.len().max(1));
    let network = setup
        .for_tests(&device, &config, state, batch)
        .map_err(|error| match error {
            Error::Shape(_) => Error::Fixed {
                what: format!(
                    "the network of {} has {} inputs and {} classes, but {} has {} inputs and {} classes",
                    checkpoint.path.display(),
                    layers.first().map_or(0, |l| l.n_in),
                    layers.last().map_or(0, |l| l.n_out),
                    data.name,
                    data.shape.features(),
                    data.classes
                ),
                way_out: "give the data set that it was trained on with --data".to_owned(),
            },
            other => other,
        })?;
    let (result, outcomes) = evaluate_whole(
        &device,
        &network,
        &data,
        LoaderOptions::of_batch(network.micro_batch()),
    )?;
    let confusion = Confusion::of(&data.class_names, &outcomes);
    if let Some(path) = &args.confusion {
        let Some(confusion) = &confusion else {
            return Err(checks::no_effect(
                "confusion",
                "the samples do not have one class each",
            ));
        };
        confusion.write(path)?;
    }
    for bad in data.bad_images() {
        output::note(&format!("left out because it cannot be read: {bad}"));
    }
    let images = &checkpoint.snapshot.trained_images;
    let trained_on = match (own, &data.test_part) {
        // Published as test images.
        (true, TestPart::Published) => Some(0),
        _ if images.is_empty() => learned,
        _ => data.test_images_among(images),
    };
    data.test_part = data.test_part.known(trained_on);
    let shown = Shown {
        result,
        part,
        checkpoint: which,
        epoch: checkpoint.snapshot.progress.epoch,
        step: checkpoint.snapshot.progress.step,
        test_part: &data.test_part,
        trained_on,
        data: &data.name,
        network: args.checkpoint.display().to_string(),
        classes: args.classes.then(|| by_class(&data.class_names, &outcomes)),
        confusion: (confusion.as_ref().filter(|_| args.classes)).map(Confusion::pairs),
        by_bytes: !images.older.is_empty(),
    };
    let text = match args.json {
        true => serde_json::to_string(&shown).map_err(|e| {
            Error::Device(Fault::Written {
                what: "the result",
                form: "JSON",
                why: e.to_string(),
            })
        })?,
        false => {
            let line = shown.line(&data, own);
            let table = shown.classes.as_deref().map(|classes| shown.table(classes));
            let matrix = confusion.filter(|_| args.classes && args.confusion.is_none());
            let matrix = matrix.map(|matrix| matrix.table());
            line + &table.unwrap_or_default() + &matrix.unwrap_or_default()
        }
    };
    output::print(&(text + "\n"))
}
