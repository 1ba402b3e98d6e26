//! Saving a run's checkpoints in its folder.

use std::cell::Cell;
use std::path::PathBuf;

use crate::checkpoint::{self, Origin, Snapshot};
use crate::report::recording::ResumePoint;
use crate::report::shell::quoted;
use crate::report::{RunFolder, Tables};
use crate::train::TrainConfig;
use crate::{Error, Result};

/// Saves a run's checkpoints.
pub(super) struct Saver<'a> {
    pub folder: &'a RunFolder,
    pub config: TrainConfig,
    /// The configuration as text.
    pub text: String,
    /// Whether `config.toml` agrees with the checkpoints.
    pub written: bool,
    /// The checkpoint that the run was resumed from.
    pub resumed: Option<&'a ResumePoint>,
    pub origin: &'a Origin,
    /// Receives the step of the best weights to which the newest checkpoint refers.
    pub told: &'a Cell<Option<u64>>,
}

impl Saver<'_> {
    pub fn save(&mut self, snapshot: &Snapshot) -> Result<PathBuf> {
        let path = self.folder.path();
        // No step was trained with a changed configuration, so the checkpoint still tells the truth.
        if let Some(from) = self.resumed
            && from.step == snapshot.progress.step
            && from.path.is_dir()
        {
            return Ok(from.path.clone());
        }
        if self.folder.is_in_place() {
            let saved = self.write(snapshot);
            // The folder may have been removed in the meantime, and the save may have created a part of it again.
            if self.folder.is_in_place() {
                return saved;
            }
        }
        RunFolder::create_at(path)?;
        self.folder.write_config(&self.config)?;
        Err(Error::Checkpoint {
            path: self.write(snapshot)?,
            reason: format!(
                "the run's folder was removed during training: it was made again with this checkpoint, and its \
                 tables up to here are lost; go on with rootlet train --resume {}",
                quoted(&path.to_string_lossy())
            ),
        })
    }

    fn write(&mut self, snapshot: &Snapshot) -> Result<PathBuf> {
        let path = self.folder.path();
        // This comes first, so that no checkpoint on the disk is ahead of its tables. But the checkpoint matters more.
        let flushed = Tables::sync(self.folder);
        let saved = checkpoint::save_of(path, snapshot, &self.text, self.origin)?;
        self.told
            .set(snapshot.progress.best.as_ref().map(|best| best.step));
        flushed?;
        if !self.written {
            self.folder.write_config(&self.config)?;
            self.written = true;
        }
        Ok(saved)
    }
}
