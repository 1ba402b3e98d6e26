//! Keeping a run's best weights in its folder, beside the checkpoints.

use std::cell::Cell;
use std::path::PathBuf;

use crate::checkpoint::{self, Origin, Snapshot, Which};
use crate::network::NetworkState;
use crate::report::RunFolder;
use crate::train::KeepBest;
use crate::{Error, Result};

/// Keeps a run's best weights.
pub(super) struct BestSaver<'a> {
    pub folder: &'a RunFolder,
    /// The configuration as text.
    pub text: String,
    pub origin: &'a Origin,
    /// The step of the best weights to which the newest checkpoint refers: a run that is resumed from it needs these.
    pub told: &'a Cell<Option<u64>>,
}

impl KeepBest for BestSaver<'_> {
    fn keep(&mut self, snapshot: &Snapshot) -> Result<PathBuf> {
        // If the folder was removed meanwhile, the next checkpoint ends the run and says so.
        if !self.folder.is_in_place() {
            return Ok(self.folder.path().to_owned());
        }
        let path = self.folder.path();
        let origin = Some(self.origin);
        checkpoint::save_best(path, snapshot, &self.text, origin, self.told.get())
    }

    fn best(&mut self, step: u64) -> Result<NetworkState> {
        let path = self.folder.path();
        let (best, _) = checkpoint::load_which(path, Some(Which::Best))?;
        match best.snapshot.progress.step == step {
            true => Ok(best.snapshot.state),
            false => Err(Error::Checkpoint {
                path: best.path,
                reason: format!("is not the best one, which is of step {step}"),
            }),
        }
    }
}
