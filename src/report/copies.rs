//! Runs that are given twice. A row of results counts each once.

use std::path::PathBuf;

use super::results::same_row;
use super::{Group, RunRecord};
use crate::Result;

/// Leaves out runs that are given twice: the same folder by another path, or a copy of a folder. Of two copies, the one
/// that got further stays. `note` receives a line for each run that is left out.
///
/// # Errors
/// A configuration that cannot be printed.
pub fn distinct(records: Vec<RunRecord>, note: &mut dyn FnMut(&str)) -> Result<Vec<RunRecord>> {
    let mut kept: Vec<RunRecord> = Vec::with_capacity(records.len());
    let mut folders: Vec<Option<PathBuf>> = Vec::with_capacity(records.len());
    for run in records {
        let folder = std::fs::canonicalize(&run.path).ok();
        let mut twin = None;
        for (at, other) in kept.iter().enumerate() {
            let one_folder = folder.is_some() && folder == folders[at];
            if one_folder || is_copy(other, &run)? {
                twin = Some((at, one_folder));
                break;
            }
        }
        let Some((at, one_folder)) = twin else {
            kept.push(run);
            folders.push(folder);
            continue;
        };
        let other = &mut kept[at];
        let [first, second] = [&*other, &run].map(|run| run.path.display().to_string());
        if one_folder {
            note(&match first == second {
                true => format!("{second} is given twice, and counts once"),
                false => format!("{second} is left out: it is {first} by another path"),
            });
            continue;
        }
        let (mut stays, mut goes) = (first, second);
        if last_step(&run) > last_step(other) {
            *other = run;
            folders[at] = folder;
            std::mem::swap(&mut stays, &mut goes);
        }
        note(&format!(
            "{goes} is left out: it is a copy of {stays}, so it is not a repetition of the training"
        ));
    }
    Ok(kept)
}

/// Whether two folders hold the same training. Two that began at different moments are different, even if their bits
/// are the same.
fn is_copy(one: &RunRecord, other: &RunRecord) -> Result<bool> {
    let began = |run: &RunRecord| run.summary.as_ref().map(|summary| summary.began.clone());
    let same = match (began(one), began(other)) {
        (Some(one), Some(other)) => one == other,
        // Measured seconds never repeat exactly.
        _ => {
            let both = one.epochs.len().min(other.epochs.len());
            both > 0 && one.epochs[..both] == other.epochs[..both]
        }
    };
    Ok(same && one.config.run.seed == other.config.run.seed && same_row(one, other)?)
}

fn last_step(run: &RunRecord) -> u64 {
    let end = run.finished().map(|end| end.step);
    end.or_else(|| Some(run.epochs.last()?.step)).unwrap_or(0)
}

/// Finds runs of one row that have the same seed: one sentence for each such seed.
pub(super) fn trained_twice(records: &[RunRecord], groups: &[Group]) -> Vec<String> {
    let mut reported = Vec::new();
    for group in groups {
        let mut seeds: Vec<u32> = group
            .runs
            .iter()
            .map(|&run| records[run].config.run.seed)
            .collect();
        seeds.sort_unstable();
        let mut again: Vec<u32> = (seeds.windows(2))
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0])
            .collect();
        again.dedup();
        for seed in again {
            let of_seed = group.runs.iter().map(|&run| &records[run]);
            let names: Vec<String> = of_seed
                .filter(|run| run.config.run.seed == seed)
                .map(RunRecord::name)
                .collect();
            reported.push(format!(
                "{} have the same seed, {seed}: one training done {} times, not repetitions of it",
                names.join(", "),
                names.len()
            ));
        }
    }
    reported
}
