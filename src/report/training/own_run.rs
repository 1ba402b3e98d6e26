//! The run folder of a training that a program drives by itself, without [`RecordedTraining`](super::RecordedTraining).

use std::path::{Path, PathBuf};

use super::start::tables;
use crate::checkpoint::{self, Snapshot};
use crate::report::{Reports, RunFolder, RunLock, Summaries, Tables};
use crate::train::Trainer;
use crate::train::event::{Event, Observer};
use crate::{Error, Result};

/// Keeps a run folder's tables, summary and lock for a [`Trainer`] that a program made: `rootlet report`, `rootlet runs`
/// and `rootlet watch` then read the folder like any other. It is an observer of the training's events.
pub struct OwnRun {
    folder: RunFolder,
    /// Held until the end.
    _lock: RunLock,
    reports: Reports,
}

impl OwnRun {
    /// Begins or, if the trainer has made steps before, continues the files of a run in a folder, which is made if
    /// necessary. `note` receives what a user should know about files that were there.
    ///
    /// # Errors
    /// Another process trains in the folder, or it cannot be written.
    pub fn begin(path: &Path, trainer: &Trainer, note: &mut dyn FnMut(&str)) -> Result<Self> {
        let folder = RunFolder::create_at(path)?;
        let lock = folder.lock(note)?;
        folder.set_aside(note)?;
        folder.write_config(trainer.config())?;
        let step = trainer.progress().step;
        let mut reports = Reports::new();
        reports.push(tables(&folder, trainer, (step > 0).then_some(step), note)?);
        reports.push(Summaries::new(&folder, trainer.config(), None));
        Ok(Self {
            folder,
            _lock: lock,
            reports,
        })
    }

    /// Saves a checkpoint, after the tables, so that no checkpoint on the disk is ahead of them.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn save(folder: &Path, snapshot: &Snapshot, config: &str) -> Result<PathBuf> {
        // The checkpoint matters more.
        let flushed = RunFolder::open(folder).and_then(|folder| Tables::sync(&folder));
        let saved = checkpoint::save(folder, snapshot, config)?;
        flushed?;
        Ok(saved)
    }

    /// Notes in the summary why the training ended early. The error itself matters more than whether that can be
    /// written.
    pub fn failed(&self, error: &Error) {
        if !matches!(error, Error::Stopped) {
            let _ = self.folder.note_failure(error);
        }
    }
}

impl Observer for OwnRun {
    fn event(&mut self, event: &Event) -> Result<()> {
        self.reports.event(event)
    }
}
