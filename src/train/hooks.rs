//! What the caller of a run contributes: listening, saving, stopping.

use std::sync::atomic::AtomicBool;

use super::event::Observer;
use super::saving::SaveEvery;
use crate::checkpoint::Snapshot;
use crate::error::Result;
use crate::network::NetworkState;

/// Saves a snapshot and says where.
pub type Save<'a> = dyn FnMut(&Snapshot) -> Result<std::path::PathBuf> + 'a;

/// Keeps the best weights of a training, according to its validation part.
pub trait KeepBest {
    /// Keeps these, which are better than those before, and returns where.
    fn keep(&mut self, snapshot: &Snapshot) -> Result<std::path::PathBuf>;

    /// The weights that were kept after `step` steps.
    ///
    /// # Errors
    /// They are no longer there.
    fn best(&mut self, step: u64) -> Result<NetworkState>;
}

/// What the caller of [`Trainer::run`](super::Trainer::run) contributes.
pub struct Hooks<'a> {
    /// Receives every event.
    pub observer: &'a mut dyn Observer,
    /// Saves a snapshot and says where; called as `save_every` says, and at the end.
    pub save: Option<&'a mut Save<'a>>,
    /// The interval between two calls of `save`.
    pub save_every: SaveEvery,
    /// Keeps the best weights; if `None`, they are kept in memory.
    pub best: Option<&'a mut dyn KeepBest>,
    /// The run's folder, for reporting.
    pub run: Option<&'a std::path::Path>,
    /// Set from elsewhere to stop after the current step.
    pub stop: &'a AtomicBool,
}

impl<'a> Hooks<'a> {
    /// Only listens: nothing is saved, and the run goes to its end.
    pub fn observing(observer: &'a mut dyn Observer) -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Hooks {
            observer,
            save: None,
            save_every: SaveEvery::default(),
            best: None,
            run: None,
            stop: &NEVER,
        }
    }
}
