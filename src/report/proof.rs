//! What of a run's tables and summary cannot be, by what else is known of the run.

use std::path::Path;

use super::tables::{METRICS, TOPOLOGY};
use super::{RunFolder, Summary};
use crate::train::event::{Epoch, Round};
use crate::words::listed;

/// Leaves out rows of steps that the run has not: past its end, or past the steps that it is to have. A sentence for each table that
/// had some.
pub(super) fn leave_out_beyond(
    folder: &RunFolder,
    summary: Option<&Summary>,
    epochs: &mut Vec<Epoch>,
    rounds: &mut Vec<Round>,
) -> Vec<String> {
    let Some(summary) = summary else {
        return Vec::new();
    };
    let end = summary.finished.as_ref().map(|finished| finished.step);
    let end = end.unwrap_or(summary.started.steps_total);
    let path = |name: &str| folder.path().join(name);
    let told = [
        beyond(&path(METRICS), epochs, |row| row.step, end),
        beyond(&path(TOPOLOGY), rounds, |round| round.step, end),
    ];
    told.into_iter().flatten().collect()
}

fn beyond<R>(path: &Path, rows: &mut Vec<R>, step: fn(&R) -> u64, end: u64) -> Option<String> {
    let mut out: Vec<u64> = rows.iter().map(step).filter(|&step| step > end).collect();
    rows.retain(|row| step(row) <= end);
    out.dedup();
    (!out.is_empty()).then(|| {
        format!(
            "{}: the run has no step past {end}, and rows of {} {}: they are left out",
            path.display(),
            if out.len() == 1 { "step" } else { "steps" },
            listed(out.len() as u64, &out)
        )
    })
}
