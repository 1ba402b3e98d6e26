//! A run to go on with: its folder, locked, and a checkpoint of it, whose configuration decides.

use std::path::Path;

use super::{RunFolder, RunLock};
use crate::checkpoint::{self, Checkpoint};
use crate::train::TrainConfig;
use crate::{Error, Result};

/// A run to go on with.
pub struct Resumed {
    pub(super) folder: RunFolder,
    pub(super) lock: RunLock,
    pub(super) checkpoint: Checkpoint,
    pub(super) config: TrainConfig,
}

/// A value in which a run's `config.toml` differs from its checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The value's name.
    pub name: String,
    /// What the file says; none where it is not set there.
    pub file: Option<String>,
    /// What the checkpoint was made with.
    pub checkpoint: Option<String>,
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
        if let Some(newest) = checkpoint::progress(folder.path())
            && newest.step > step
            && checkpoint.note.is_none()
        {
            note(&format!(
                "the run goes on from step {step}; what it has up to step {} makes way with the next checkpoint",
                newest.step
            ));
        }
        let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
        Ok(Self {
            config: config.resolve()?,
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
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    /// Values in which `config.toml` differs from the checkpoint; one that is missing, or is no file, differs in none.
    ///
    /// # Errors
    /// A file that is no configuration.
    pub fn edits(&self) -> Result<Vec<Edit>> {
        if !self.folder.has_config() {
            return Ok(Vec::new());
        }
        let file = (self.folder.config())
            .and_then(TrainConfig::resolve)
            .map_err(|error| {
                Error::Usage(format!(
                    "{error}; the checkpoint has the configuration, too: remove the file, and it is written anew"
                ))
            })?;
        let names = self.config.differences(&file)?;
        let value = |config: &TrainConfig, name: &str| -> Result<Option<String>> {
            let mut values = config.values()?.into_iter();
            Ok(values.find(|(n, _)| n == name).map(|(_, text)| text))
        };
        let mut edits = Vec::new();
        for name in names {
            let (file, checkpoint) = (value(&file, &name)?, value(&self.config, &name)?);
            // What is set in neither follows from a value that is.
            if file != checkpoint {
                edits.push(Edit {
                    name,
                    file,
                    checkpoint,
                });
            }
        }
        Ok(edits)
    }
}
