//! What cannot be true in a run's summary and tables. The newest checkpoint knows the steps, the result of the last
//! test and the layers, under a checksum.

use std::path::Path;

use super::names::{METRICS, SUMMARY, TOPOLOGY};
use super::{RunFolder, Summary};
use crate::checkpoint::{Change, LayerShape, Manifest, Progress, Tested};
use crate::train::event::{Epoch, Finished, Round};
use crate::words::{grouped, listed};

/// Leaves out rows of steps that the run cannot have: past its end, or past the planned steps. Gives a sentence for
/// each table that had some.
pub(in crate::report) fn leave_out_beyond(
    folder: &RunFolder,
    summary: Option<&Summary>,
    saved: Option<&Progress>,
    epochs: &mut Vec<Epoch>,
    rounds: &mut Vec<Round>,
) -> Vec<String> {
    let Some(summary) = summary else {
        return Vec::new();
    };
    let end = summary.finished.as_ref().map(|finished| finished.step);
    let end = end.unwrap_or(summary.started.steps_total);
    let end = end.max(saved.map_or(0, |saved| saved.step));
    let path = |name: &str| folder.path().join(name);
    let reported = [
        beyond(&path(METRICS), epochs, |row| row.step, end),
        beyond(&path(TOPOLOGY), rounds, |round| round.step, end),
    ];
    reported.into_iter().flatten().collect()
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

/// Where the tables disagree with the checkpoint, one sentence each.
pub(in crate::report) fn tables_against(
    folder: &RunFolder,
    tested: Option<&Tested>,
    layers: &[LayerShape],
    epochs: &[Epoch],
    rounds: &[Round],
) -> Vec<String> {
    let mut reported = Vec::new();
    let row = tested.and_then(|tested| {
        let row = epochs.iter().find(|row| row.step == tested.step)?;
        let (_, judged) = row.monitored();
        (!tested.is(judged.loss, judged.accuracy)).then_some((row.epoch, tested))
    });
    if let Some((epoch, tested)) = row {
        reported.push(format!(
            "{}: the row of epoch {epoch} has another test result than the checkpoint, {tested}: it was edited, or is \
             of another run",
            folder.path().join(METRICS).display()
        ));
    }
    let is_other = |round: &&Round| {
        let totals = round.layers.iter().map(|layer| (layer.layer, layer.total));
        let mut own = totals.map(|(at, total)| (layers.get(at), total));
        own.any(|(layer, total)| layer.is_none_or(|l| (l.n_in as u64 * l.n_out as u64) != total))
    };
    if let Some(round) = rounds.iter().find(is_other) {
        reported.push(format!(
            "{}: the round after step {} has other layers than the checkpoint: it was edited, or is of another run",
            folder.path().join(TOPOLOGY).display(),
            round.step
        ));
    }
    reported
}

/// Corrects a run's end where its newest checkpoint disagrees; gives a sentence about the corrections.
pub(in crate::report) fn correct(
    folder: &RunFolder,
    end: &mut Finished,
    saved: &Manifest,
) -> Option<String> {
    let file = folder.path().join(SUMMARY);
    let here = &saved.progress;
    let untold = put_in_changes(end, &saved.changes);
    if end.step != here.step {
        // Nothing else can be compared.
        let untold = untold.then_some(", and leaves out what changed on the way to it");
        return Some(format!(
            "{} reports an end at step {}{}, but the newest checkpoint is of step {}",
            file.display(),
            grouped(end.step),
            untold.unwrap_or_default(),
            grouped(here.step)
        ));
    }
    let mut wrong = Vec::new();
    if untold {
        wrong.push("the changes during the run are left out there and listed here".to_owned());
    }
    let mut differs = |name: &str, there: String, here: String| {
        wrong.push(format!("{name} {there} there and {here} here"));
    };
    if end.epochs != here.epoch {
        differs("epochs", end.epochs.to_string(), here.epoch.to_string());
        end.epochs = here.epoch;
    }
    // Older versions did not report the number.
    if let Some(rounds) = end.rounds.filter(|&rounds| rounds != here.rounds) {
        differs("rounds", rounds.to_string(), here.rounds.to_string());
        end.rounds = Some(here.rounds);
    }
    // Older versions did not count them.
    if here.train_flops > 0.0 && (end.train_flops / here.train_flops - 1.0).abs() > 1e-9 {
        let [there, own] = [end.train_flops, here.train_flops].map(|flops| format!("{flops:e}"));
        differs("training FLOPs", there, own);
        end.train_flops = here.train_flops;
    }
    // The last test came after the checkpoint.
    if end.seconds < here.seconds - 1e-6 {
        let own = format!("{} and more", here.seconds);
        differs("seconds", end.seconds.to_string(), own);
        end.seconds = here.seconds;
    }
    for (layer, own) in end.layers.iter_mut().zip(&saved.layers) {
        let own = own.active as u64;
        if layer.active != own {
            let name = format!("connections of {}", layer.name);
            differs(&name, grouped(layer.active), grouped(own));
            layer.active = own;
        }
    }
    if let Some(tested) = last_test(end, here) {
        let there = Tested {
            loss: end.test_loss,
            accuracy: tested.accuracy.and(Some(end.test_accuracy)),
            ..tested
        };
        differs("test", there.to_string(), tested.to_string());
        end.test_loss = tested.loss;
        end.test_accuracy = tested.accuracy.unwrap_or(f32::NAN);
    }
    (!wrong.is_empty()).then(|| {
        format!(
            "{} does not match the end of the run: {}; the checkpoint counts",
            file.display(),
            wrong.join(", ")
        )
    })
}

/// Adds to a run's end the changes that came before it and the remarks about them, as the checkpoint has them. Whether
/// any were missing.
fn put_in_changes(end: &mut Finished, saved: &[Change]) -> bool {
    let mut untold = false;
    // In their order, before the other remarks.
    for (at, change) in saved
        .iter()
        .filter(|change| change.step < end.step)
        .enumerate()
    {
        if !end.changes.contains(change) {
            end.changes
                .insert(at.min(end.changes.len()), change.clone());
            untold = true;
        }
        if !end.remarks.contains(&change.remark) {
            end.remarks
                .insert(at.min(end.remarks.len()), change.remark.clone());
            untold = true;
        }
    }
    untold
}

/// What a run's last test gave, if its end says something else.
fn last_test(end: &Finished, saved: &Progress) -> Option<Tested> {
    // A run that went on with other images and trained no step with them was tested on them. A run that was stopped may
    // have had no test.
    let others = (end.changes.iter()).any(|c| c.step == end.step && c.name == Change::IMAGES);
    // With a validation part, the end reports the best weights, and the last test is that of the last ones.
    let untested = end.validation.is_some() || (end.interrupted && end.test_loss.is_nan());
    let tested = saved.tested.filter(|tested| tested.step == end.step)?;
    let same = tested.is(end.test_loss, end.test_accuracy);
    (!others && !untested && !same).then_some(tested)
}
