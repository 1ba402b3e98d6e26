//! A run whose device gets lost, because the driver was reset, the machine slept or the GPU was unplugged. It continues
//! from its newest checkpoint as if it had been resumed, and ends with the same bits as a run that lost nothing.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::checkpoint;
use crate::clock::Instant;
use crate::error::option::{BATCH, SAVE_EVERY};
use crate::error::{Error, Fault, NoAdapter, Result};
use crate::report::shell::quoted;
use crate::report::{Place, Recorded, RecordedTraining, Resumed, RunFolder};
use crate::train::TrainConfig;

/// A run stops after this many losses without a new checkpoint between them: the work itself may be what kills the
/// device.
const MOST: u32 = 3;

/// How long to wait for a lost device to come back, and the time between two attempts to open it.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);

/// Counts losses.
#[derive(Default)]
struct Losses {
    /// Losses since the newest checkpoint.
    count: u32,
    /// The step of that checkpoint; none if there was none.
    saved: Option<u64>,
}

impl Losses {
    /// Counts a loss, with the newest checkpoint at step `saved`; says whether to go on.
    fn go_on(&mut self, saved: Option<u64>) -> bool {
        if saved != self.saved {
            *self = Losses { count: 0, saved };
        }
        self.count += 1;
        self.count < MOST
    }
}

/// Prepares a run again, with its configuration.
type Prepare<'a> =
    dyn FnMut(TrainConfig, Place, &mut dyn FnMut(&str)) -> Result<RecordedTraining> + 'a;

/// Runs a training to its end or until `stop` is set. If its device is lost, this opens the adapter again with
/// `prepare`, continues from the newest checkpoint, or from the start if there is none yet, and tells `note`.
///
/// # Errors
/// As [`RecordedTraining::run`]. Also after three losses without a new checkpoint between them, and if the adapter does
/// not come back; the newest checkpoint is whole in either case.
pub fn run_through_losses(
    training: RecordedTraining,
    prepare: &mut Prepare<'_>,
    stop: &AtomicBool,
    note: &mut dyn FnMut(&str),
) -> Result<Recorded> {
    let mut training = training;
    let mut losses = Losses::default();
    loop {
        let run = Run {
            folder: training.folder().to_owned(),
            config: training.config().clone(),
            device: training.device().description().to_owned(),
        };
        let mut reason = match training.run(stop) {
            Err(Error::Lost(reason)) => reason,
            end => return end,
        };
        training = loop {
            let saved = run.saved()?;
            if !losses.go_on(saved) {
                return Err(run.gives_up(
                    saved,
                    &format!("lost {MOST} times without progress ({reason})"),
                ));
            }
            note(&format!(
                "{} was lost ({reason}): it is opened again, and the run goes on {}",
                run.device,
                match saved {
                    Some(step) => format!("from its checkpoint at step {step}"),
                    None => "from its start, for there is no checkpoint yet".to_owned(),
                }
            ));
            match run.again(prepare, stop, note) {
                Ok(training) => break training,
                Err(Error::Lost(again)) => reason = again,
                Err(error @ Error::NoAdapter { .. }) => {
                    let what = format!("lost ({reason}) and does not come back ({error})");
                    return Err(run.gives_up(saved, &what));
                }
                Err(error) => return Err(error),
            }
        };
    }
}

fn away(why: NoAdapter) -> Error {
    Error::NoAdapter {
        why,
        candidates: String::new(),
    }
}

/// A run that is to be started again.
struct Run {
    folder: PathBuf,
    config: TrainConfig,
    /// The device that was lost, in words.
    device: String,
}

impl Run {
    /// The step of its newest checkpoint.
    fn saved(&self) -> Result<Option<u64>> {
        match RunFolder::open(&self.folder)?.has_checkpoint() {
            true => Ok(Some(checkpoint::load(&self.folder)?.snapshot.progress.step)),
            false => Ok(None),
        }
    }

    /// Prepares the run again on the device that was lost, and waits for it: another device would not compute the same
    /// bits.
    fn again(
        &self,
        prepare: &mut Prepare<'_>,
        stop: &AtomicBool,
        note: &mut dyn FnMut(&str),
    ) -> Result<RecordedTraining> {
        let since = Instant::now();
        loop {
            let error = match prepare(self.config.clone(), self.place(note)?, note) {
                Ok(training) if training.device().description() == self.device => {
                    return Ok(training);
                }
                Ok(other) => away(NoAdapter::Replaced(other.device().description().to_owned())),
                // The adapter is there, but cannot be opened yet.
                Err(Error::Device(fault)) => away(NoAdapter::Closed(fault.to_string())),
                Err(error @ Error::NoAdapter { .. }) => error,
                Err(error) => return Err(error),
            };
            if since.elapsed() >= PATIENCE || stop.load(Ordering::Relaxed) {
                return Err(error);
            }
            std::thread::sleep(PAUSE);
        }
    }

    fn place(&self, note: &mut dyn FnMut(&str)) -> Result<Place> {
        let folder = RunFolder::open(&self.folder)?;
        let lock = folder.lock(note)?.again();
        Ok(match folder.has_checkpoint() {
            true => Place::Resume(Box::new(Resumed::locked(folder, lock, &self.folder, note)?)),
            false => Place::At(folder, lock),
        })
    }

    fn gives_up(&self, saved: Option<u64>, how: &str) -> Error {
        let error = Error::Device(Fault::GaveUp {
            device: self.device.clone(),
            how: how.to_owned(),
            way_out: way_out(&self.folder, saved),
        });
        if let Ok(folder) = RunFolder::open(&self.folder) {
            // The error itself matters more.
            let _ = folder.note_failure(&error);
        }
        error
    }
}

fn way_out(folder: &Path, saved: Option<u64>) -> String {
    match saved {
        Some(step) => format!(
            "the checkpoint of step {step} is complete: go on with rootlet train --resume {}",
            quoted(&folder.to_string_lossy())
        ),
        None => format!(
            "there was no checkpoint yet; save more often with {SAVE_EVERY}, or use a smaller {BATCH}"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_losses_without_progress_are_the_end() {
        let mut losses = Losses::default();
        let saved = [None, None, Some(5), Some(5), Some(9), Some(9), Some(9)];
        let goes = saved.map(|saved| losses.go_on(saved));
        assert_eq!(goes, [true, true, true, true, true, true, false]);
        let mut losses = Losses::default();
        assert_eq!([None; 3].map(|s| losses.go_on(s)), [true, true, false]);
    }
}
