//! Doing a sweep's runs, and the table of what came of them.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{PlannedRun, RunState, Sweep};
use crate::data::{self, Dataset};
use crate::report::recorded::concerns_one_run;
use crate::report::{
    Place, RecordOptions, RecordedTraining, Results, RunFolder, RunRecord, TextTable,
};
use crate::{Error, Result};

/// What came of a sweep.
#[derive(Clone, Debug, Default)]
pub struct SweepOutcome {
    /// Runs that ended with an error, now or before: name and reason.
    pub failed: Vec<(String, String)>,
    /// Whether it was stopped before its end.
    pub interrupted: bool,
}

/// Does the runs that are left, one after the other, each in its folder in `folder`. `tell` hears what is being done. A run
/// that diverges or does not fit the device is recorded, and the others go on.
///
/// # Errors
/// Before anything is trained: a folder of a run with another configuration. Then: files that cannot be read or written,
/// and mistakes that concern all runs.
pub fn run(
    sweep: &Sweep,
    folder: &Path,
    options: &RecordOptions,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(&str),
) -> Result<SweepOutcome> {
    let states = sweep
        .runs
        .iter()
        .map(|run| run.state(folder))
        .collect::<Result<Vec<_>>>()?;
    let mut outcome = SweepOutcome::default();
    let mut data = Cache::default();
    for (index, (planned, state)) in sweep.runs.iter().zip(states).enumerate() {
        let name = planned.name();
        let place = format!("run {} of {}: {name}", index + 1, sweep.runs.len());
        let target = match state {
            RunState::Finished => {
                tell(&format!("{place}: finished before"));
                continue;
            }
            RunState::Diverged(reason) => {
                tell(&format!(
                    "{place}: diverged before; remove its folder to run it again"
                ));
                outcome.failed.push((name, reason));
                continue;
            }
            RunState::New => Place::At(planned.folder(folder)),
            RunState::Unfinished => Place::Resume(RunFolder::open(&planned.folder(folder))?),
        };
        if stop.load(Ordering::Relaxed) {
            outcome.interrupted = true;
            break;
        }
        tell(&place);
        match one(planned, target, &mut data, options, stop, tell) {
            Ok(interrupted) if interrupted => {
                outcome.interrupted = true;
                break;
            }
            Ok(_) => {}
            Err(error) if concerns_one_run(&error) => {
                tell(&format!("{name}: {error}"));
                outcome.failed.push((name, error.to_string()));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(outcome)
}

/// One run; says whether it was interrupted.
fn one(
    planned: &PlannedRun,
    place: Place,
    data: &mut Cache,
    options: &RecordOptions,
    stop: &AtomicBool,
    tell: &mut dyn FnMut(&str),
) -> Result<bool> {
    let data = data.load(planned)?;
    let config = planned.config.clone();
    let training = RecordedTraining::prepare(config, data, None, place, options, tell)?;
    Ok(training.run(stop)?.interrupted)
}

/// The last data set: most sweeps have one for all runs.
#[derive(Default)]
struct Cache(Option<(data::DataSource, Dataset)>);

impl Cache {
    fn load(&mut self, planned: &PlannedRun) -> Result<Dataset> {
        let source = planned.config.source();
        match &self.0 {
            Some((known, data)) if *known == source => Ok(data.clone()),
            _ => {
                // The old one goes first: two may not fit the memory.
                self.0 = None;
                let data = data::load(&source)?;
                self.0 = Some((source, data.clone()));
                Ok(data)
            }
        }
    }
}

/// The runs of a sweep that have a folder, in the sweep's order.
///
/// # Errors
/// A folder that cannot be read.
pub fn records(sweep: &Sweep, folder: &Path) -> Result<Vec<RunRecord>> {
    sweep
        .runs
        .iter()
        .map(|run| run.folder(folder))
        .filter(|path| RunFolder::is_one(path))
        .map(|path| RunRecord::read(&path))
        .collect()
}

/// Writes `results.csv` and `results.md` in the sweep's folder, and gives the table.
///
/// # Errors
/// No run yet, or a file that cannot be read or written.
pub fn write_results(sweep: &Sweep, folder: &Path) -> Result<TextTable> {
    let records = records(sweep, folder)?;
    if records.is_empty() {
        return Err(Error::Usage(format!(
            "no run of {} is in {} yet; run the sweep first, or give its --out",
            sweep.file.display(),
            folder.display()
        )));
    }
    let results = Results::of(&records)?;
    let table = results.table();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).map_err(Error::io("write", &path))
    };
    let csv = results
        .csv()
        .map_err(Error::io("write", &folder.join("results.csv")))?;
    write("results.csv", &csv)?;
    let mut text = table.markdown();
    for record in &records {
        if let Some(reason) = record.failure() {
            text += &format!("\n{} failed: {reason}\n", record.name());
        }
    }
    write("results.md", text.as_bytes())?;
    Ok(table)
}
