//! A training that leaves a run folder: what `rootlet train` and every run of `rootlet sweep` do.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use super::best::BestSaver;
use super::follow::OnRanks;
use super::measured::take_measured;
use super::saver::Saver;
use super::start::Start;
use crate::cache::tuned;
use crate::checkpoint::{Checkpoint, Origin, Snapshot};
use crate::data::Dataset;
use crate::engine::{Device, DeviceOptions};
use crate::error::Refusal;
use crate::report::recording::{Known, ResumePoint, missing, now, tables_against};
use crate::report::{Console, Lost, Reports, Resumed, RunFolder, RunLock, Style};
use crate::train::event::Finished;
use crate::train::{Hooks, SaveEvery, TrainConfig, Trainer};
use crate::verify::seen::verify_once;
use crate::{Error, Result};

/// Where a run is recorded.
pub enum Place {
    /// In a new folder `<time>-<name>` of the folder `runs`.
    New {
        /// Folder of run folders.
        runs: PathBuf,
        /// The run's name.
        name: String,
    },
    /// In this very folder, which is locked, and from the start.
    At(RunFolder, RunLock),
    /// In the folder of a run that continues from its newest checkpoint.
    Resume(Box<Resumed>),
}

/// How a run is recorded and shown. None of it affects what the run computes.
#[derive(Clone, Debug)]
pub struct RecordOptions {
    /// How it is shown on the console.
    pub style: Style,
    /// The interval between two checkpoints.
    pub save_every: SaveEvery,
    /// Whether an adapter that nothing was trained on before is [verified](crate::verify::seen) first.
    pub verify: bool,
    /// Whether TensorBoard's event files are written too.
    pub tensorboard: bool,
    /// The command line, as a shell takes it.
    pub command: String,
    /// The ranks that train together, of which this process is rank 0.
    pub ranks: Option<OnRanks>,
}

/// The outcome of a run that is saved.
#[derive(Debug)]
pub struct Recorded {
    /// The run's end.
    pub finished: Finished,
    /// Why its output was not written completely, unless only the reader went away; to be reported when everything is
    /// done.
    pub unwritten: Option<Error>,
    /// Set if kernels were to be compared with their twins, and none was.
    pub unchecked: Option<Error>,
}

/// A training that is ready and has its folder; [`RecordedTraining::run`] trains.
pub struct RecordedTraining {
    trainer: Trainer,
    folder: RunFolder,
    /// Held until the end.
    _lock: RunLock,
    reports: Reports,
    lost: Lost,
    save_every: SaveEvery,
    /// Where a resumed run continues from.
    resumed: Option<ResumePoint>,
    /// The origin that its checkpoints record.
    origin: Origin,
    /// Whether there is nothing to train and nothing to record.
    is_over: bool,
}

impl RecordedTraining {
    /// Opens the device and puts the network on it, from the start or from a checkpoint. `note` receives what a user
    /// should know. Whatever can go wrong by a mistake comes before the folder is made, so that no mistake leaves an
    /// empty folder behind.
    ///
    /// # Errors
    /// The configuration cannot be used, the device is too small, or a folder or checkpoint is at fault.
    pub fn prepare(
        config: TrainConfig,
        data: Dataset,
        check: Option<&str>,
        place: Place,
        options: &RecordOptions,
        note: &mut dyn FnMut(&str),
    ) -> Result<Self> {
        let on_ranks = options.ranks.as_ref();
        let device_options = DeviceOptions {
            threads: config.machine.threads,
            checked: check.is_some(),
            tune: config.machine.tune,
            ..DeviceOptions::default()
        };
        let device_options = match on_ranks {
            Some(on_ranks) => on_ranks.device_options(device_options),
            None => device_options,
        };
        let mut device = Device::open(&config.machine.adapter, &device_options)?;
        let (choice, threads) = (config.machine.adapter.clone(), config.machine.threads);
        device.warning().into_iter().for_each(&mut *note);
        if let (Some(filter), true) = (check, device.is_cpu()) {
            let kernel = if filter.is_empty() { "all" } else { filter };
            return Err(Error::refused(Refusal::CheckOnCpu {
                kernel: kernel.to_owned(),
            }));
        }
        let mut config = config;
        if device.tunes() {
            let known = tuned::recall(&device, note);
            // A resumed run keeps what it began with.
            if !matches!(place, Place::Resume(_)) {
                take_measured(&mut config, &known, &data, &device, note)?;
            }
        }
        if let Some(on_ranks) = on_ranks {
            let from = match &place {
                Place::Resume(resumed) => Some(&resumed.checkpoint),
                _ => None,
            };
            on_ranks.lead(&config, from, options.verify)?;
            device.join(on_ranks.ranks.clone());
        }
        let mut trainer = match place {
            Place::Resume(_) => Trainer::to_go_on(device, config, data)?,
            _ => Trainer::new(device, config, data)?,
        };
        tuned::keep(trainer.device(), trainer.device().measured(), note);
        if options.verify {
            verify_once(trainer.device(), &choice, threads, note)?;
        }
        let (mut resumed, mut layers) = (None, Vec::new());
        let arm = |trainer: &mut Trainer| check.map_or(Ok(()), |filter| trainer.check(filter));
        if !matches!(place, Place::Resume(_)) {
            arm(&mut trainer)?;
        }
        let (folder, lock) = match place {
            Place::New { runs, name } => {
                let folder = RunFolder::create(&runs, &name)?;
                let lock = folder.lock(note)?;
                (folder, lock)
            }
            Place::At(folder, lock) => (folder, lock),
            Place::Resume(run) => {
                let Checkpoint {
                    snapshot,
                    path,
                    manifest,
                    ..
                } = run.checkpoint;
                let from = ResumePoint {
                    step: snapshot.progress.step,
                    path,
                    config: run.trained.config,
                    origin: manifest.run,
                };
                for change in trainer.restore(snapshot)? {
                    note(&format!("the data have changed: {change}"));
                }
                let changes = from.changes(&trainer)?;
                if !trainer.is_done() {
                    changes.iter().for_each(|change| note(&change.remark));
                }
                trainer.goes_on_with(changes);
                arm(&mut trainer)?;
                layers = manifest.layers;
                resumed = Some(from);
                (run.folder, run.lock)
            }
        };
        let known = resumed.as_ref().and_then(|from| from.origin.clone());
        let told = || Some(folder.summary().ok()??.began);
        let origin = Origin {
            began: (known.map(|known| known.began))
                .or_else(told)
                .unwrap_or_else(now),
            adapter: trainer.device().description().to_owned(),
        };
        let is_over = (resumed.as_ref())
            .is_some_and(|from| trainer.is_done() && tells_the_end(&folder, from.step));
        let last_command = || folder.summary().ok()??.commands.pop();
        let told = lock.again && last_command().as_ref() == Some(&options.command);
        let mut reports = Reports::new();
        if !is_over {
            let start = Start {
                trainer: &trainer,
                resumed: resumed.as_ref(),
                began: &origin.began,
                command: (!told).then_some(options.command.as_str()),
                tensorboard: options.tensorboard,
            };
            start.record_in(&folder, &mut reports, note)?;
        }
        if let Some(from) = &resumed {
            let known = Known::from(trainer.progress());
            let (epochs, rounds, mut damage) = folder.readable_tables();
            damage.extend(missing(&folder, &from.config, &known, &epochs, &rounds));
            let tested = trainer.progress().tested.as_ref();
            damage.extend(tables_against(&folder, tested, &layers, &epochs, &rounds));
            damage.iter().for_each(|text| note(text));
        }
        let console = Console::new(options.style);
        let lost = console.lost();
        reports.push(console);
        Ok(Self {
            trainer,
            folder,
            _lock: lock,
            reports,
            lost,
            save_every: options.save_every,
            resumed,
            origin,
            is_over,
        })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its configuration, including what the device decided.
    pub fn config(&self) -> &TrainConfig {
        self.trainer.config()
    }

    /// Its device.
    pub fn device(&self) -> &Device {
        self.trainer.device()
    }

    /// The step that a resumed run continues from.
    pub fn resumed_at(&self) -> Option<u64> {
        self.resumed.as_ref().map(|from| from.step)
    }

    /// Whether no step is left to train.
    pub fn is_done(&self) -> bool {
        self.trainer.is_done()
    }

    /// Trains to the end, or until `stop` is set, and saves checkpoints as asked for. A finished run is tested, and
    /// nothing is written.
    ///
    /// # Errors
    /// As [`Trainer::run`]; the summary keeps the reason.
    pub fn run(mut self, stop: &AtomicBool) -> Result<Recorded> {
        let folder = &self.folder;
        let text = self.trainer.config().to_toml()?;
        let told = Cell::new(self.trainer.progress().best.as_ref().map(|best| best.step));
        let mut best = BestSaver {
            folder,
            text: text.clone(),
            origin: &self.origin,
            told: &told,
        };
        let mut saver = Saver {
            told: &told,
            folder,
            config: self.trainer.config().clone(),
            text,
            // The file of a resumed run stays that of the old checkpoint until there is a new one, so that the two
            // always agree.
            written: self.resumed.is_none(),
            resumed: self.resumed.as_ref(),
            origin: &self.origin,
        };
        let mut save = |snapshot: &Snapshot| saver.save(snapshot);
        let finished = self.trainer.run(&mut Hooks {
            observer: &mut self.reports,
            save: match self.is_over {
                true => None,
                false => Some(&mut save),
            },
            save_every: self.save_every,
            best: Some(&mut best),
            run: Some(folder.path()),
            stop,
        });
        // A run that was stopped before its first step has not failed.
        let failed = finished.as_ref().err();
        let failed = failed.filter(|error| !self.is_over && !matches!(error, Error::Stopped));
        if let Some(error) = failed {
            // The error itself matters more; and a full disk will not hold its text either.
            let _ = folder.note_failure(error);
        }
        Ok(Recorded {
            finished: finished?,
            unchecked: self.trainer.has_checked().err(),
            unwritten: self.lost.error().map(|source| Error::Io {
                action: "write".to_owned(),
                path: format!(
                    "standard output, though the run is saved in {}",
                    folder.path().display()
                )
                .into(),
                source,
            }),
        })
    }
}

/// Whether a run's summary says how it ended at `step`, or was resumed from there. If so, there is nothing to add to
/// it.
fn tells_the_end(folder: &RunFolder, step: u64) -> bool {
    // Without a summary, as when the process was killed before it wrote the end, this is missing.
    let summary = folder.summary().ok().flatten();
    summary.is_some_and(|summary| summary.is_complete() || step < summary.started.steps_total)
}

/// Which errors of a run leave the other runs of a sweep a chance: all except those of files and of what was typed.
pub(in crate::report) fn concerns_one_run(error: &Error) -> bool {
    let others = matches!(
        error,
        Error::Data { .. }
            | Error::InUse { .. }
            | Error::Io { .. }
            | Error::NoAdapter { .. }
            | Error::Stopped
    );
    !others && !error.is_usage()
}
