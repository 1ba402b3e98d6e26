//! A run to resume: its folder, locked, and one of its checkpoints, whose configuration applies; and what has changed
//! since.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::configuration::Trained;
use super::names::{METRICS, SUMMARY, TOPOLOGY};
use super::{RunFolder, RunLock};
use crate::checkpoint::{self, Change, Checkpoint, Manifest, Origin, Progress};
use crate::data::table::Preprocessing;
use crate::train::{TrainConfig, Trainer};
use crate::{Error, Result};

/// A run to resume.
pub struct Resumed {
    pub(in crate::report) folder: RunFolder,
    pub(in crate::report) lock: RunLock,
    pub(in crate::report) checkpoint: Checkpoint,
    pub(in crate::report) trained: Trained,
}

impl Resumed {
    /// Loads the checkpoint that `path` names or, if that is a run folder, the newest in it. `note` receives what a
    /// user should know.
    ///
    /// # Errors
    /// There is no usable checkpoint, or it belongs to another run than the folder's summary.
    pub fn locked(
        folder: RunFolder,
        lock: RunLock,
        path: &Path,
        note: &mut dyn FnMut(&str),
    ) -> Result<Self> {
        let checkpoint = checkpoint::load(path)?;
        if let Some(text) = &checkpoint.note {
            note(text);
        }
        let step = checkpoint.manifest.progress.step;
        let newest = checkpoint::newest_manifest(folder.path()).found;
        if let Some(newest) = &newest {
            of_one_run(&folder, newest)?;
        }
        if let Some(newest) = newest.map(|manifest| manifest.progress.step)
            && newest > step
            && checkpoint.note.is_none()
        {
            note(&format!(
                "the run goes on from step {step}; the next checkpoint replaces what it has up to step {newest}"
            ));
        }
        let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
        Ok(Self {
            trained: Trained {
                config: config.resolve()?,
                source: "the checkpoint",
            },
            folder,
            lock,
            checkpoint,
        })
    }

    /// The run's folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// The configuration that the checkpoint was made with.
    pub fn trained(&self) -> &Trained {
        &self.trained
    }

    /// The rules for the columns, if its data are a table.
    pub fn preprocessing(&self) -> Option<Arc<Preprocessing>> {
        let data = self.checkpoint.manifest.data.as_ref()?;
        data.preprocessing.clone().map(Arc::new)
    }

    /// The checkpoint's progress.
    pub fn progress(&self) -> &Progress {
        &self.checkpoint.snapshot.progress
    }
}

/// Refuses checkpoints that lie beside the summary and the tables of another run: they would be continued as one run.
fn of_one_run(folder: &RunFolder, newest: &Manifest) -> Result<()> {
    // A summary that cannot be read is set aside.
    let Some(summary) = folder.summary().ok().flatten() else {
        return Ok(());
    };
    let config = TrainConfig::from_toml(&newest.config, &folder.checkpoints())?;
    let trained = Trained {
        config: config.resolve()?,
        source: "the checkpoint",
    };
    match trained.differs_from(&summary, newest.run.as_ref())? {
        None => Ok(()),
        Some(what) => Err(Error::Run {
            path: folder.path().to_owned(),
            reason: format!(
                "its checkpoints do not belong to its {SUMMARY}, which {what}; put the files of one run together \
                 again, or move {SUMMARY}, {METRICS} and {TOPOLOGY} away to go on from the checkpoints without them"
            ),
        }),
    }
}

/// Where a resumed run continues from.
pub(in crate::report) struct ResumePoint {
    pub step: u64,
    /// The checkpoint's path.
    pub path: PathBuf,
    /// The configuration that it was trained with.
    pub config: TrainConfig,
    /// Where the checkpoint came from, if known.
    pub origin: Option<Origin>,
}

impl ResumePoint {
    /// What differs in a trainer that continues from here.
    pub fn changes(&self, trainer: &Trainer) -> Result<Vec<Change>> {
        if self.step == 0 && !trainer.chose_connections() {
            return Ok(Vec::new());
        }
        let mut changes = self.config.changes(trainer.config(), self.step)?;
        let Some(origin) = &self.origin else {
            return Ok(changes);
        };
        // However the adapter was chosen.
        changes.retain(|change| change.name != Change::ADAPTER);
        let [before, after] =
            [&origin.adapter, trainer.device().description()].map(without_threads);
        if before != after {
            changes.push(Change {
                step: self.step,
                name: Change::ADAPTER.to_owned(),
                before: Some(before.to_owned()),
                remark: format!(
                    "the adapter differs from that of the steps before ({before} up to step {}, {after} from then on), \
                     so config.toml alone no longer repeats this run",
                    self.step
                ),
            });
        }
        Ok(changes)
    }
}

/// An adapter's name without the number of threads, on which no result depends.
fn without_threads(adapter: &str) -> &str {
    match adapter.split_once(", ") {
        Some(("cpu", _)) => "cpu",
        _ => adapter,
    }
}
