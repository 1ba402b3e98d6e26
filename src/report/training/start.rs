//! The files of a run that starts or is resumed.

use crate::Result;
use crate::report::recording::ResumePoint;
use crate::report::{Reports, RunFolder, Saved, Summaries, Tables, TensorBoard};
use crate::train::Trainer;

/// What recording a run needs to start.
pub(super) struct Start<'a> {
    pub trainer: &'a Trainer,
    /// Where a resumed run continues from.
    pub resumed: Option<&'a ResumePoint>,
    /// When it was first started.
    pub began: &'a str,
    /// The command line; none if the process continues its own run and has recorded it.
    pub command: Option<&'a str>,
    pub tensorboard: bool,
}

impl Start<'_> {
    /// Creates a run's files, and adds their writers to `reports`.
    pub fn record_in(
        &self,
        folder: &RunFolder,
        reports: &mut Reports,
        note: &mut dyn FnMut(&str),
    ) -> Result<()> {
        folder.set_aside(note)?;
        // Includes what the device decided, so that it repeats the run. This comes first, because a run can start again
        // from it alone.
        let (trainer, resumed) = (self.trainer, self.resumed);
        let trained = resumed.map_or(trainer.config(), |from| &from.config);
        if resumed.is_none() || !folder.has_config() {
            folder.write_config(trained)?;
        }
        let resumed_at = resumed.map(|from| from.step);
        reports.push(tables(folder, trainer, resumed_at, note)?);
        let summaries = Summaries::new(folder, trainer.config(), self.command).after(trained);
        reports.push(summaries.since(self.began));
        if self.tensorboard {
            reports.push(TensorBoard::create(folder, resumed_at)?);
        }
        Ok(())
    }
}

/// The tables of a run that starts, or that continues from a step.
pub(super) fn tables(
    folder: &RunFolder,
    trainer: &Trainer,
    resumed_at: Option<u64>,
    note: &mut dyn FnMut(&str),
) -> Result<Tables> {
    let Some(step) = resumed_at else {
        return Tables::create(folder);
    };
    let redone = u64::from(trainer.rounds_precede_steps());
    let saved = Saved {
        rounds: step.saturating_sub(redone),
        done: Some(trainer.progress().epoch),
        validates: trainer.data().validation.is_some(),
        ..Saved::through(step)
    };
    Tables::resume(folder, saved, note)
}
