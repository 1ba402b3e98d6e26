//! Doing the runs of a sweep, and making the table of their results.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::pace::Pace;
use super::{PlannedRun, RunState, Sweep};
use crate::clock::Instant;
use crate::data::{self, Dataset};
use crate::disk;
use crate::error::option::OUT;
use crate::report::distinct;
use crate::report::recording::read_each;
use crate::report::results::{Overview, tested_differently};
use crate::report::training::concerns_one_run;
use crate::report::{
    Place, RecordOptions, Recorded, RecordedTraining, Results, Resumed, RunFolder, RunLock,
    RunRecord, run_through_losses,
};
use crate::train::TrainConfig;
use crate::words::counted;
use crate::{Error, Result};

/// Time between two looks at runs that other processes do.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The outcome of a sweep.
#[derive(Debug, Default)]
pub struct SweepOutcome {
    /// Runs that ended with an error, now or earlier: name and reason.
    pub failed: Vec<(String, String)>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
    /// Why the output of a run was not written completely, as in [`Recorded`](crate::report::Recorded).
    pub unwritten: Option<Error>,
}

/// Does the remaining runs, one after another, each in its own folder in `folder`. `tell` receives what is being done.
/// A run that diverges, does not fit the device or is damaged is recorded, and the others continue. Runs that other
/// processes do are skipped and checked again until they are done. If such a process dies, its run is taken over.
///
/// # Errors
/// Before anything is trained: a folder holds a run with another configuration. Later: files that cannot be read or
/// written, and mistakes that concern all runs.
pub fn run(
    sweep: &Sweep,
    folder: &Path,
    options: &RecordOptions,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(&str),
) -> Result<SweepOutcome> {
    let states = sweep.states(folder)?;
    for state in &states {
        if let RunState::Other(reason) = state {
            return Err(Error::Usage(reason.clone()));
        }
    }
    sweep.check_adapters(&states)?;
    let mut work = Work {
        folder,
        options,
        stop,
        data: Cache::default(),
        outcome: SweepOutcome::default(),
        pace: Pace::new(&states),
    };
    let mut left: Vec<usize> = (0..sweep.runs.len()).collect();
    let mut waiting = false;
    while !left.is_empty() {
        let mut elsewhere = Vec::new();
        for index in left {
            let planned = &sweep.runs[index];
            let place = format!(
                "run {} of {}: {}",
                index + 1,
                sweep.runs.len(),
                planned.name()
            );
            match work.attempt(planned, &place, tell)? {
                Attempt::Done => {}
                Attempt::Elsewhere(holder) => elsewhere.push((index, holder)),
                Attempt::Interrupted => {
                    work.outcome.interrupted = true;
                    return Ok(work.outcome);
                }
            }
        }
        if !elsewhere.is_empty() && !waiting {
            waiting = true;
            let names: Vec<String> = elsewhere.iter().map(|(_, holder)| holder.clone()).collect();
            tell(&format!(
                "waiting for other processes: {}",
                names.join("; ")
            ));
        }
        if !elsewhere.is_empty() {
            std::thread::sleep(LOOK_EVERY);
        }
        left = elsewhere.into_iter().map(|(index, _)| index).collect();
    }
    Ok(work.outcome)
}

/// The outcome of trying a run.
enum Attempt {
    /// There is nothing left to do.
    Done,
    /// Another process does it: which run, and who.
    Elsewhere(String),
    /// The sweep was stopped.
    Interrupted,
}

/// A sweep being done.
struct Work<'a> {
    folder: &'a Path,
    options: &'a RecordOptions,
    stop: &'a AtomicBool,
    data: Cache,
    outcome: SweepOutcome,
    pace: Pace,
}

impl Work<'_> {
    fn fail(&mut self, planned: &PlannedRun, reason: String) -> Attempt {
        self.outcome.failed.push((planned.name(), reason));
        Attempt::Done
    }

    /// Does a run, unless somebody else does it or nothing is left to do.
    fn attempt(
        &mut self,
        planned: &PlannedRun,
        place: &str,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Attempt> {
        if let Some(done) = self.nothing_to_do(planned, place, tell)? {
            return Ok(done);
        }
        if self.stop.load(Ordering::Relaxed) {
            return Ok(Attempt::Interrupted);
        }
        let folder = RunFolder::create_at(&planned.folder(self.folder))?;
        let lock = match folder.lock(tell) {
            Err(Error::InUse { process, .. }) => {
                let holder = process.map_or(String::new(), |id| format!(" (process {id})"));
                return Ok(Attempt::Elsewhere(format!("{}{holder}", planned.name())));
            }
            lock => lock?,
        };
        // Another process may have done it between the check and the lock.
        if let Some(done) = self.nothing_to_do(planned, place, tell)? {
            return Ok(done);
        }
        tell(&format!("{place}{}", self.pace.text()));
        let begun = Instant::now();
        let ended = self.one(planned, folder, lock, tell);
        self.pace.trained(begun);
        let recorded = match ended {
            Err(Error::Stopped) => return Ok(Attempt::Interrupted),
            Err(error) if concerns_one_run(&error) => {
                tell(&format!("{}: {error}", planned.name()));
                return Ok(self.fail(planned, error.to_string()));
            }
            recorded => recorded?,
        };
        if let Some(error) = recorded.unwritten {
            self.outcome.unwritten.get_or_insert(error);
        }
        Ok(match recorded.finished.interrupted {
            true => Attempt::Interrupted,
            false => Attempt::Done,
        })
    }

    /// Reports why there is nothing to do, if that is so.
    fn nothing_to_do(
        &mut self,
        planned: &PlannedRun,
        place: &str,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Option<Attempt>> {
        let advice = "remove its folder to run it again";
        Ok(match planned.state(self.folder)? {
            RunState::New | RunState::Unfinished | RunState::InTraining => None,
            RunState::Finished => {
                tell(&format!("{place}: finished before"));
                Some(Attempt::Done)
            }
            RunState::Diverged(reason) => {
                tell(&format!("{place}: diverged before; {advice}"));
                Some(self.fail(planned, reason))
            }
            RunState::Damaged(reason) => {
                tell(&format!("{place}: damaged; {advice}"));
                Some(self.fail(planned, reason))
            }
            RunState::Other(reason) => return Err(Error::Usage(reason)),
        })
    }

    /// Does a run whose folder is locked.
    fn one(
        &mut self,
        planned: &PlannedRun,
        folder: RunFolder,
        lock: RunLock,
        tell: &mut dyn FnMut(&str),
    ) -> Result<Recorded> {
        let path = folder.path().to_owned();
        let place = match folder.has_checkpoint() {
            false => Place::At(folder, lock),
            true => {
                let resumed = Resumed::locked(folder, lock, &path, tell)?;
                planned.same_as(&resumed.trained().config, &path)?;
                Place::Resume(Box::new(resumed))
            }
        };
        let options = self.options;
        let prepare = |data: &Dataset, config, place, tell: &mut dyn FnMut(&str)| {
            RecordedTraining::prepare(config, data.clone(), None, place, options, tell)
        };
        let begun = self.data.load(planned, self.stop).and_then(|data| {
            let training = prepare(&data, planned.config.clone(), place, tell)?;
            Ok((training, data))
        });
        match begun {
            Ok((training, data)) => {
                let mut again = |config: TrainConfig, place: Place, tell: &mut dyn FnMut(&str)| {
                    prepare(&data, config, place, tell)
                };
                run_through_losses(training, &mut again, self.stop, tell)
            }
            Err(error) => {
                RunFolder::create_at(&path)?.remove_if_empty();
                Err(error)
            }
        }
    }
}

/// Keeps the last data set, because most sweeps use one for all runs.
#[derive(Default)]
struct Cache(Option<(data::DataOptions, Dataset)>);

impl Cache {
    fn load(&mut self, planned: &PlannedRun, stop: &AtomicBool) -> Result<Dataset> {
        let source = planned.config.source();
        match &self.0 {
            Some((known, data)) if *known == source => Ok(data.clone()),
            _ => {
                // The old one is dropped first: both may not fit in memory.
                self.0 = None;
                let data = data::load_until(&source, stop)?;
                self.0 = Some((source, data.clone()));
                Ok(data)
            }
        }
    }
}

/// The runs of a sweep that have a folder, in the sweep's order; `note` receives a line for each that is damaged.
///
/// # Errors
/// There are some, and none can be read.
pub fn records(sweep: &Sweep, folder: &Path, note: &mut dyn FnMut(&str)) -> Result<Vec<RunRecord>> {
    let mut runs: Vec<PathBuf> = sweep.runs.iter().map(|run| run.folder(folder)).collect();
    runs.retain(|path| {
        // Most do not exist yet.
        path.symlink_metadata().is_ok()
            && RunFolder::is_entry(path).unwrap_or_else(|reason| {
                note(&format!("{} is left out: {reason}", path.display()));
                false
            })
    });
    distinct(read_each(&runs, note)?, note)
}

/// Reports runs that differ from what the sweep's file plans now, as after an edit.
fn tell_edits(
    sweep: &Sweep,
    folder: &Path,
    records: &[RunRecord],
    note: &mut dyn FnMut(&str),
) -> Result<()> {
    for run in &sweep.runs {
        let of_run = |record: &&RunRecord| record.path == run.folder(folder);
        let Some(record) = records.iter().find(of_run) else {
            continue;
        };
        let mut run = run.clone();
        // The automatic choice stands for any adapter: whoever has the files can make the table.
        run.take_adapter(&record.config);
        if let Some(difference) = run.difference(&record.config.clone().resolve()?)? {
            note(&format!(
                "{} is in the table, and {difference}: remove its folder to run it again",
                run.name()
            ));
        }
    }
    let planned: BTreeSet<String> = sweep.runs.iter().map(PlannedRun::name).collect();
    // A folder that cannot be listed has no runs either.
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut others: Vec<String> = entries
        .filter(|entry| RunFolder::is_one(&entry.path()))
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !planned.contains(name))
        .collect();
    others.sort();
    if !others.is_empty() {
        note(&format!(
            "{} in {} not in {} as it is now, and not in the table: {}",
            counted(others.len() as u64, "run"),
            folder.display(),
            sweep.file.display(),
            others.join(", ")
        ));
    }
    Ok(())
}

/// Writes `results.csv` and `results.md` into the sweep's folder. Gives what a terminal shows of them, and the reason if the files could
/// not be written, since the table itself is still good. `note` receives a line for each damaged run.
///
/// # Errors
/// There is no run yet, or a file cannot be read.
pub fn write_results(
    sweep: &Sweep,
    folder: &Path,
    note: &mut dyn FnMut(&str),
) -> Result<(Overview, Option<Error>)> {
    let records = records(sweep, folder, note)?;
    tell_edits(sweep, folder, &records, note)?;
    if records.is_empty() {
        return Err(Error::Nothing {
            what: format!(
                "shown: no run of {} is in {} yet; run the sweep first, or give its {OUT}",
                sweep.file.display(),
                folder.display()
            ),
        });
    }
    let results = Results::of(&records)?;
    let mut text = results.table().markdown();
    if let Some(told) = tested_differently(&records, &results.groups) {
        note(&told);
        text += &format!("\n{told}\n");
    }
    for record in &records {
        if let Some(reason) = record.failure() {
            text += &format!("\n{} failed: {reason}\n", record.name());
        }
        if let Some(why) = record.no_test() {
            let told = format!("{}: {why}", record.name());
            note(&told);
            text += &format!("\n{told}\n");
        }
    }
    let unwritten = write_files(folder, &results, &text).err();
    Ok((results.overview(), unwritten))
}

/// Writes the results into a sweep's folder; `text` is the contents of `results.md`.
fn write_files(folder: &Path, results: &Results, text: &str) -> Result<()> {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        disk::replace_shared(&path, bytes).map_err(Error::io("write", &path))
    };
    let csv = results
        .csv()
        .map_err(Error::io("write", &folder.join("results.csv")))?;
    write("results.csv", &csv)?;
    write("results.md", text.as_bytes())
}
