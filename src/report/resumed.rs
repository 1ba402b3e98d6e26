//! A run to go on with: its folder, locked, and a checkpoint of it, whose configuration decides.

use std::path::Path;

use super::configuration::Trained;
use super::{RunFolder, RunLock};
use crate::Result;
use crate::checkpoint::{self, Checkpoint};
use crate::train::TrainConfig;

/// A run to go on with.
pub struct Resumed {
    pub(super) folder: RunFolder,
    pub(super) lock: RunLock,
    pub(super) checkpoint: Checkpoint,
    pub(super) trained: Trained,
}

impl Resumed {
    /// Loads the checkpoint of a run that `path` names, or where that is the run's folder, the newest. `note` hears of what a user
    /// should know.
    ///
    /// # Errors
    /// No checkpoint that can be used.
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
        let newest = checkpoint::newest_manifest(folder.path());
        if let Some(newest) = newest.map(|manifest| manifest.progress.step)
            && newest > step
            && checkpoint.note.is_none()
        {
            note(&format!(
                "the run goes on from step {step}; what it has up to step {newest} makes way with the next checkpoint"
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

    /// Its folder.
    pub fn folder(&self) -> &RunFolder {
        &self.folder
    }

    /// What the checkpoint was made with.
    pub fn trained(&self) -> &Trained {
        &self.trained
    }
}
