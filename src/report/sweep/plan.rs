//! A planned run of a sweep: its name, its configuration, and what its folder says about it.

use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::engine::AdapterChoice;
use crate::report::{RunFolder, RunRecord};
use crate::train::TrainConfig;
use crate::{Error, Result};

/// A run of a sweep.
#[derive(Clone, Debug)]
pub struct PlannedRun {
    /// What it trains with.
    pub config: TrainConfig,
    /// The values in which it differs from the others: name and text.
    values: Vec<(String, String)>,
    /// Whether its name is marked.
    marked: bool,
}

/// The state of a run of a sweep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunState {
    /// There is nothing to continue from: it starts.
    New,
    /// There is a checkpoint to continue from.
    Unfinished,
    /// Another process is training it right now.
    InTraining,
    /// It is done, and skipped.
    Finished,
    /// It diverged, for this reason, and would do so again: it is skipped.
    Diverged(String),
    /// Its folder cannot be read, for this reason: it is left alone.
    Damaged(String),
    /// The run in its folder was made with another configuration: how it differs, as in [`Error::OtherRun`].
    AnotherRun(String),
}

impl RunState {
    /// The state in a word or two.
    pub fn name(&self) -> &'static str {
        match self {
            RunState::New => "to do",
            RunState::Unfinished => "to resume",
            RunState::InTraining => "in training",
            RunState::Finished => "finished",
            RunState::Diverged(_) => "diverged",
            RunState::Damaged(_) => "damaged",
            RunState::AnotherRun(_) => "another run",
        }
    }

    /// What one should know about a run in `folder` that has this state, if there is anything.
    pub fn reason(&self, folder: &Path) -> Option<String> {
        match self {
            RunState::New | RunState::Unfinished | RunState::InTraining | RunState::Finished => {
                None
            }
            RunState::Diverged(reason) | RunState::Damaged(reason) => Some(reason.clone()),
            RunState::AnotherRun(why) => Some(another_run(folder, why).to_string()),
        }
    }
}

/// The error for a run in `folder` that is not the sweep's.
pub(super) fn another_run(folder: &Path, why: &str) -> Error {
    Error::OtherRun {
        path: folder.to_owned(),
        why: why.to_owned(),
    }
}

impl PlannedRun {
    pub(super) fn of(config: TrainConfig) -> Self {
        Self {
            config,
            values: Vec::new(),
            marked: false,
        }
    }

    /// The same run with another value.
    pub(super) fn with(&self, key: &str, value: &toml::Value) -> Result<Self> {
        let config = self.config.with_value(key, value.clone())?;
        let text = config.values()?.into_iter().find(|(name, _)| name == key);
        let mut values = self.values.clone();
        values.push((key.to_owned(), text.map_or_else(String::new, |(_, t)| t)));
        Ok(Self {
            config,
            values,
            marked: self.marked,
        })
    }

    /// The name of its folder, made from the values in which it differs: `mlp_gse-uniform_sparsity-0.98_seed-1`.
    /// Characters that a folder should not have become `+`.
    pub fn name(&self) -> String {
        let plain = |c: char| match c.is_alphanumeric() || "-_.,".contains(c) {
            true => c,
            false => '+',
        };
        let mut name: String = self.full_name().chars().map(plain).collect();
        if self.marked {
            let hash = xxh3_64(self.full_name().as_bytes());
            name += &format!("_{:08x}", hash >> 32);
        }
        name
    }

    /// Its name with every character of its values.
    pub(super) fn full_name(&self) -> String {
        if self.values.is_empty() {
            return "run".to_owned();
        }
        let part = |(name, text): &(String, String)| match name.as_str() {
            "model" | "method" => text.clone(),
            _ => format!("{}-{text}", name.replace('_', "-")),
        };
        let name: Vec<String> = self.values.iter().map(part).collect();
        name.join("_")
    }

    /// Adds a mark to its name, to tell it from another run of the same name whose values differ in other characters.
    pub(super) fn mark(&mut self) {
        self.marked = true;
    }

    /// Its folder within that of the sweep.
    pub fn folder(&self, sweep: &Path) -> PathBuf {
        sweep.join(self.name())
    }

    /// How far it is.
    ///
    /// # Errors
    /// The folder cannot be examined.
    pub fn state(&self, sweep: &Path) -> Result<RunState> {
        let path = self.folder(sweep);
        let folder = match RunFolder::is_one(&path) {
            true => RunFolder::open(&path)?,
            false => return Ok(RunState::New),
        };
        // The remains of a damaged folder are for a person to examine; the other runs continue.
        if let Some(reason) = folder.lock_obstacle() {
            return Ok(RunState::Damaged(reason));
        }
        let record = match RunRecord::read(&path) {
            Ok(record) => record,
            // The folder is written again.
            Err(_) if !folder.has_config() && !folder.has_checkpoint() => return Ok(RunState::New),
            Err(error) => return Ok(RunState::Damaged(error.to_string())),
        };
        match self.difference(&record.config) {
            Ok(None) => {}
            Ok(Some(why)) => return Ok(RunState::AnotherRun(why)),
            Err(error) if error.is_usage() => {
                let why = format!("cannot be compared with the sweep's: {error}");
                return Ok(RunState::AnotherRun(why));
            }
            Err(error) => return Err(error),
        }
        if let Some(change) = record.changes.iter().find(|change| change.was_asked_for()) {
            let why = format!("is not the sweep's: {}", change.remark);
            return Ok(RunState::AnotherRun(why));
        }
        let failed = record.summary.as_ref().and_then(|s| s.failed.as_ref());
        match failed {
            Some(failed) if failed.diverged => {
                return Ok(RunState::Diverged(failed.message.clone()));
            }
            _ => {}
        }
        // Older versions wrote no summary; there, the tables tell.
        Ok(
            match (record.finished().is_some(), folder.has_checkpoint()) {
                (true, _) => RunState::Finished,
                (false, true) => RunState::Unfinished,
                (false, false) => RunState::New,
            },
        )
    }

    /// Its state for a process that does not hold its lock: it also says whether another process trains it.
    ///
    /// # Errors
    /// As [`PlannedRun::state`].
    pub fn state_seen(&self, sweep: &Path) -> Result<RunState> {
        let state = self.state(sweep)?;
        let left = matches!(state, RunState::New | RunState::Unfinished);
        let path = self.folder(sweep);
        // This includes a folder with nothing but a lock.
        let used = left && path.is_dir() && RunFolder::create_at(&path)?.is_in_use() == Some(true);
        Ok(if used { RunState::InTraining } else { state })
    }

    /// Refuses a run that was made with another configuration.
    ///
    /// # Errors
    /// The error names the value.
    pub(super) fn same_as(&self, before: &TrainConfig, path: &Path) -> Result<()> {
        match self.difference(before)? {
            None => Ok(()),
            Some(difference) => Err(another_run(path, &difference)),
        }
    }

    /// Plans the adapter of an existing run, if the sweep leaves the choice open.
    pub(super) fn take_adapter(&mut self, made: &TrainConfig) {
        let planned = &mut self.config.machine.adapter;
        if planned.parse() == Ok(AdapterChoice::Auto) {
            planned.clone_from(&made.machine.adapter);
        }
    }

    /// How a run that was made with `before` differs from this one; none if it is the same.
    pub(super) fn difference(&self, before: &TrainConfig) -> Result<Option<String>> {
        let mut before = before.clone();
        if self.config.machine.micro_batch.is_none() {
            // The device decided this.
            before.machine.micro_batch = None;
        }
        if self.config.machine.fused.is_none() {
            // A measurement on the device decided this.
            before.machine.fused = None;
        }
        let changed = before.differences(&self.config)?;
        // The values that the sweep varies tell its runs apart.
        let varied = |key: &String| self.values.iter().any(|(name, _)| name == key);
        let other = |key: &&String| varied(key) || !TrainConfig::is_of_host(key);
        let Some(key) = changed.iter().find(other) else {
            return Ok(None);
        };
        let value = |config: &TrainConfig| -> Result<String> {
            let values = config.with_derived().values()?;
            let value = values.into_iter().find(|(name, _)| name == key);
            Ok(value.map_or("not set".to_owned(), |(_, text)| text))
        };
        Ok(Some(format!(
            "was made with `{key}` {}, and the sweep now says {}",
            value(&before)?,
            value(&self.config)?
        )))
    }
}
