//! A trained network that a command takes up again, and the data that it was trained on or others like them.

use std::path::Path;
use std::sync::Arc;

use rootlet::checkpoint::{self, Checkpoint, Which};
use rootlet::data::table::TableOptions;
use rootlet::data::{self, DataOptions, DataRecord, is_path};
use rootlet::train::{Setup, TrainConfig};
use rootlet::{Error, Result};

use super::{checks, output, progress};

/// A checkpoint that was read.
pub(super) struct Opened {
    pub checkpoint: Checkpoint,
    /// Which one of its run it is; `None` if the checkpoint itself was named.
    pub which: Option<Which>,
    /// The configuration of its training.
    pub config: TrainConfig,
}

impl Opened {
    /// Reads a checkpoint, or from a run folder the one that was asked for.
    ///
    /// # Errors
    /// It cannot be read, or a program trained it with a loss of its own; then `way_out` says what to do.
    pub fn of(path: &Path, which: Option<Which>, way_out: &str) -> Result<Self> {
        let (checkpoint, which) = checkpoint::load_which(path, which)?;
        if let Some(note) = &checkpoint.note {
            output::note(note);
        }
        let objective = &checkpoint.manifest.objective;
        let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
        if !Setup::is_as_configured(&config, objective) {
            return Err(Error::Fixed {
                what: format!(
                    "{} was trained with {objective}, which another program provided",
                    checkpoint.path.display()
                ),
                way_out: way_out.to_owned(),
            });
        }
        Ok(Self {
            checkpoint,
            which,
            config,
        })
    }
}

/// What the command line says about the data; what it does not say is as in the training.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub data: Option<&'a str>,
    pub data_dir: Option<&'a Path>,
    pub limit: Option<usize>,
    /// The flag that leaves out what cannot be read, if it was given.
    pub skips_bad: Option<&'static str>,
}

/// The data set's name and folder: as given, or those of the training. Paths of tables are made absolute, because they
/// are compared.
fn named(asked: Asked<'_>, own: &DataOptions) -> Result<DataOptions> {
    let name = asked.data.unwrap_or(&own.name).to_owned();
    if !is_path(&name) {
        return Ok(DataOptions {
            name,
            dir: asked.data_dir.map(Path::to_owned).or(own.dir.clone()),
            ..DataOptions::default()
        });
    }
    let mut config = TrainConfig::default();
    config.data.name = name;
    config.data.dir = asked.data_dir.map(Path::to_owned);
    Ok(config.resolve()?.source())
}

/// Whether this is the table of the training in another place: then the same rows are held out for testing.
fn is_moved(source: &DataOptions, trained: Option<&DataRecord>) -> bool {
    let Some(trained) = trained.filter(|_| source.table.prepared.is_some()) else {
        return false;
    };
    // A file that cannot be divided is a different one.
    data::load_to_test(source, &progress::reading(false))
        .is_ok_and(|data| data.record().train == trained.train)
}

/// Whether its samples are files that are read one by one.
fn holds_files(source: &DataOptions) -> bool {
    source.name == data::IMAGE_FOLDER || Path::new(&source.name).is_dir() && is_path(&source.name)
}

impl Asked<'_> {
    /// The data in the form that the network was trained with.
    ///
    /// # Errors
    /// A flag that changes nothing.
    pub fn source(self, own: &DataOptions, trained: Option<&DataRecord>) -> Result<DataOptions> {
        if self.data.is_none() && !is_path(&own.name) && !data::NAMES.contains(&&*own.name) {
            return Err(Error::Fixed {
                what: format!(
                    "a program gave the network its data, `{}`, and no file holds them",
                    own.name
                ),
                way_out: "give others of the same form with --data".to_owned(),
            });
        }
        let named = named(self, own)?;
        let mut source = DataOptions {
            name: named.name,
            dir: named.dir,
            limit: self.limit.filter(|&limit| limit > 0),
            images: own.images,
            val_split: own.val_split,
            seed: own.seed,
            table: TableOptions {
                // The rules are applied, never fitted again.
                prepared: trained.and_then(|data| data.preprocessing.clone().map(Arc::new)),
                ..own.table.clone()
            },
        };
        if is_path(&source.name) && self.data_dir.is_some() {
            return Err(checks::no_effect(
                "data-dir",
                "--data names the table's file itself",
            ));
        }
        if is_path(&source.name) && source.name != own.name {
            source.table.tests_all = !is_moved(&source, trained);
        }
        if source.name == data::NAMES[0] && self.data_dir.is_some() {
            return Err(checks::no_effect(
                "data-dir",
                "the data set digits comes with rootlet; name another one with --data",
            ));
        }
        if let Some(flag) = self.skips_bad.filter(|_| !holds_files(&source)) {
            return Err(checks::no_effect(
                flag,
                &format!(
                    "the data set {} is read and checked as a whole",
                    source.name
                ),
            ));
        }
        source.images.skip_bad |= self.skips_bad.is_some();
        if let (true, Some(trained)) = (source.name != own.name, trained) {
            // A folder's images are resized to the size that the network was trained with.
            source.images.size = trained.shape.height;
            source.images.resize = None;
        }
        Ok(source)
    }
}
