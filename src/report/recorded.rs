//! A training that leaves a run folder: what `rootlet train` and every run of `rootlet sweep` do.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::{Console, Reports, RunFolder, Style, Summaries, Tables, TensorBoard};
use crate::checkpoint;
use crate::data::Dataset;
use crate::engine::{Device, DeviceOptions};
use crate::train::event::Finished;
use crate::train::{Hooks, SaveEvery, TrainConfig, Trainer};
use crate::verify::seen::verify_once;
use crate::{Error, Result};

/// Where a run is recorded.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a new folder `<time>-<name>` of the folder `runs`.
    New {
        /// Folder of run folders.
        runs: PathBuf,
        /// The run's name.
        name: String,
    },
    /// In this very folder, from the start.
    At(PathBuf),
    /// In the folder of a run that goes on from its newest checkpoint.
    Resume(RunFolder),
}

/// How a run is recorded and shown: nothing of what it computes depends on it.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// How it is shown on the console.
    pub style: Style,
    /// What lies between two checkpoints.
    pub save_every: SaveEvery,
    /// Whether an adapter that no training was on before is [verified](crate::verify::seen) first.
    pub verify: bool,
    /// Whether TensorBoard's event files are written too.
    pub tensorboard: bool,
    /// The command line, as a shell takes it.
    pub command: String,
}

/// A training that is in place and has its folder; [`RecordedTraining::run`] trains.
pub struct RecordedTraining {
    trainer: Trainer,
    folder: RunFolder,
    reports: Reports,
    save_every: SaveEvery,
    resumed_at: Option<u64>,
}

impl RecordedTraining {
    /// Opens the device and puts the network on it, from the start or from a checkpoint. `note` hears of what a user should
    /// know. What can go wrong by a mistake comes before the folder is made, so that none leaves an empty one behind.
    ///
    /// # Errors
    /// A configuration that cannot be used, a device that is too small, or a folder or checkpoint that is at fault.
    pub fn prepare(
        config: TrainConfig,
        data: Dataset,
        check: Option<&str>,
        place: Place,
        options: &RecordOptions,
        note: &mut dyn FnMut(&str),
    ) -> Result<Self> {
        let device_options = DeviceOptions {
            threads: config.threads,
            ..DeviceOptions::default()
        };
        let device = Device::open(&config.adapter, &device_options)?;
        let (choice, threads) = (config.adapter.clone(), config.threads);
        let mut trainer = Trainer::new(device, config, data)?;
        if options.verify {
            verify_once(trainer.device(), &choice, threads, note)?;
        }
        if let Some(filter) = check {
            trainer.check(filter);
        }
        let mut resumed_at = None;
        let folder = match place {
            Place::New { runs, name } => RunFolder::create(&runs, &name)?,
            Place::At(path) => RunFolder::create_at(&path)?,
            Place::Resume(folder) => {
                let checkpoint = checkpoint::load(folder.path())?;
                if let Some(text) = &checkpoint.note {
                    note(text);
                }
                resumed_at = Some(checkpoint.snapshot.progress.step);
                for change in trainer.restore(checkpoint.snapshot)? {
                    note(&format!("the data have changed: {change}"));
                }
                folder
            }
        };
        let mut reports = Reports::new();
        reports.push(match resumed_at {
            None => Tables::create(&folder)?,
            Some(step) => Tables::resume(&folder, step)?,
        });
        // With what the device decided, so that it repeats the run.
        let config = trainer.config();
        folder.write_config(config)?;
        reports.push(Summaries::new(&folder, config, &options.command));
        if options.tensorboard {
            reports.push(TensorBoard::create(&folder, resumed_at)?);
        }
        reports.push(Console::new(options.style));
        Ok(Self {
            trainer,
            folder,
            reports,
            save_every: options.save_every,
            resumed_at,
        })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The step that a resumed run goes on from.
    pub fn resumed_at(&self) -> Option<u64> {
        self.resumed_at
    }

    /// Trains to the end, or until `stop` is set; with checkpoints as asked for.
    ///
    /// # Errors
    /// As [`Trainer::run`]; the summary keeps the reason.
    pub fn run(mut self, stop: &AtomicBool) -> Result<Finished> {
        let text = self.trainer.config().to_toml()?;
        let folder = &self.folder;
        let finished = self.trainer.run(&mut Hooks {
            observer: &mut self.reports,
            save: Some(&mut |snapshot| checkpoint::save(folder.path(), snapshot, &text)),
            save_every: self.save_every,
            run: Some(folder.path()),
            stop,
        });
        if let Err(error) = &finished {
            // The error itself is what to tell; a disk that is full will not hold its text either.
            let _ = folder.note_failure(error);
        }
        finished
    }
}

/// This process's command line, as a shell takes it; its own name without the folder.
pub fn command_line() -> String {
    let words: Vec<String> = std::env::args_os()
        .enumerate()
        .map(|(index, word)| {
            let word = match index {
                0 => Path::new(&word)
                    .file_name()
                    .map_or(word.clone(), Into::into),
                _ => word,
            };
            quoted(&word.to_string_lossy())
        })
        .collect();
    words.join(" ")
}

/// A word as a shell takes it.
pub(super) fn quoted(word: &str) -> String {
    // A word with a NUL cannot be typed, nor can the operating system hand one over.
    shlex::try_quote(word).map_or_else(|_| word.to_owned(), |word| word.into_owned())
}

/// Which error of a run leaves the others of a sweep a chance: all but those of files and of what was typed.
pub(super) fn concerns_one_run(error: &Error) -> bool {
    matches!(
        error,
        Error::Diverged { .. }
            | Error::Limit { .. }
            | Error::Memory { .. }
            | Error::Device(_)
            | Error::Shape(_)
            | Error::Checkpoint { .. }
    )
}
