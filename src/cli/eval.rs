//! `rootlet eval`.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use rootlet::checkpoint::{self, Checkpoint, Snapshot, Which};
use rootlet::data::table::TableOptions;
use rootlet::data::{
    self, DataOptions, DataPart, DataRecord, Dataset, LoaderOptions, TestPart, is_path,
};
use rootlet::engine::{Device, DeviceOptions};
use rootlet::error::Fault;
use rootlet::train::config::whole;
use rootlet::train::{Setup, TrainConfig, evaluate_whole};
use rootlet::{Error, Result};

use super::device_args::DeviceArgs;
use super::{checks, output};
use shown::{Shown, by_class};

mod shown;

const EXAMPLES: &str = "\
Examples:
  rootlet eval runs/20260131-174502-digits
      The best checkpoint of a run, or the newest one where none was chosen, on the test images of its data.
  rootlet eval runs/20260131-174502-mnist --data-dir /data/mnist --json
      The same where the data lies elsewhere now, as JSON.
  rootlet eval runs/20260131-174502-iris --data more.csv
      A network of a table on the rows of another file.";

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
    /// Report the results for each class, and macro F1, balanced accuracy and AUC over all
    #[arg(long)]
    classes: bool,
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

/// The data set's name and folder: as given, or those of the training. Paths of tables are made absolute, because they
/// are compared.
fn named(args: &EvalArgs, own: &DataOptions) -> Result<DataOptions> {
    let name = args.data.clone().unwrap_or_else(|| own.name.clone());
    if !is_path(&name) {
        return Ok(DataOptions {
            name,
            dir: args.data_dir.clone().or(own.dir.clone()),
            ..DataOptions::default()
        });
    }
    let mut config = TrainConfig::default();
    config.data.name = name;
    config.data.dir = args.data_dir.clone();
    Ok(config.resolve()?.source())
}

/// Whether this is the table of the training in another place: then the same rows are held out for testing.
fn is_moved(source: &DataOptions, trained: Option<&DataRecord>) -> bool {
    let Some(trained) = trained.filter(|_| source.table.prepared.is_some()) else {
        return false;
    };
    // A file that cannot be divided is a different one.
    data::load_to_test(source).is_ok_and(|data| data.record().train == trained.train)
}

/// Loads the data in the form that the network was trained with, and tells the user if they are not those of its
/// training.
fn load(args: &EvalArgs, config: &TrainConfig, checkpoint: &Checkpoint) -> Result<Tested> {
    let own = config.source();
    let trained = checkpoint.manifest.data.as_ref();
    let named = named(args, &own)?;
    let mut source = DataOptions {
        name: named.name,
        dir: named.dir,
        limit: args.limit.filter(|&limit| limit > 0),
        images: own.images,
        val_split: own.val_split,
        seed: own.seed,
        table: TableOptions {
            // The rules are applied, never fitted again.
            prepared: trained.and_then(|data| data.preprocessing.clone().map(Arc::new)),
            ..own.table.clone()
        },
    };
    if is_path(&source.name) && args.data_dir.is_some() {
        return Err(checks::no_effect(
            "data-dir",
            "--data names the table's file itself",
        ));
    }
    if is_path(&source.name) && source.name != own.name {
        source.table.tests_all = !is_moved(&source, trained);
    }
    if source.name == data::NAMES[0] && args.data_dir.is_some() {
        return Err(checks::no_effect(
            "data-dir",
            "the data set digits comes with rootlet; name another one with --data",
        ));
    }
    if args.skip_bad_images && source.name != data::IMAGE_FOLDER {
        return Err(checks::no_effect(
            "skip-bad-images",
            &format!(
                "the data set {} is read and checked as a whole",
                source.name
            ),
        ));
    }
    source.images.skip_bad |= args.skip_bad_images;
    if let (true, Some(trained)) = (source.name != own.name, trained) {
        // A folder's images are resized to the size that the network was trained with.
        source.images.size = trained.shape.height;
        source.images.resize = None;
    }
    let own_limit = own.limit;
    let data = data::load_to_test(&source)?;
    // Take as many as in training, so that the results can be compared.
    let mut as_then = match source.limit == own.limit {
        true => data.clone(),
        false => data::load_to_test(&DataOptions {
            limit: own.limit,
            ..source.clone()
        })?,
    };
    match checkpoint.snapshot.learned_images.is_empty() {
        true => as_then.compare_with(trained),
        // The images themselves tell.
        false => data.compares_with(&checkpoint.snapshot.learned_images),
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
                "this checkpoint is of an older rootlet and does not tell the names of its classes: they go by their \
                 numbers",
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
                "the network was trained on all {} {part} {}s of {}, which tell nothing of others",
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
        learned_images,
        progress,
        ..
    } = &checkpoint.snapshot;
    if !learned_images.is_empty() {
        data.read_test_images()?;
        return Ok(data.test_images_among(learned_images));
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
    let (checkpoint, which) = checkpoint::load_which(&args.checkpoint, args.which)?;
    if let Some(note) = &checkpoint.note {
        output::note(note);
    }
    let objective = &checkpoint.manifest.objective;
    let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
    if !Setup::is_as_configured(&config, objective) {
        return Err(Error::Fixed {
            what: format!(
                "{} was trained with {objective}, which a program of its own brought",
                checkpoint.path.display()
            ),
            way_out: "test it with that one".to_owned(),
        });
    }
    let Tested {
        mut data,
        part,
        own,
        learned,
    } = load(args, &config, &checkpoint)?;
    let options = DeviceOptions {
        threads: args.device.threads,
        ..DeviceOptions::default()
    };
    let device = Device::open(&args.device.adapter, &options)?;
    device.warning().into_iter().for_each(output::note);
    let setup = Setup::new(&config, &data)?;
    let state = &checkpoint.snapshot.state;
    let layers = &state.layers;
    let batch = config.run.batch.min(data.test.len().max(1));
    let network = setup
        .for_tests(&device, &config, state, batch)
        .map_err(|error| match error {
            Error::Shape(_) => Error::Fixed {
                what: format!(
                    "the network of {} takes {} inputs to {} classes, and {} has {} inputs and {} classes",
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
    for bad in data.bad_images() {
        output::note(&format!("left out, for it cannot be read: {bad}"));
    }
    let images = &checkpoint.snapshot.learned_images;
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
        classes: args.classes.then(|| by_class(&data.class_names, &outcomes)),
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
            line + &table.unwrap_or_default()
        }
    };
    output::print(&(text + "\n"))
}
