//! Rows that a run's tables should have and do not: somebody deleted lines, or the file was emptied, removed or cut at
//! the end of a line. What remains looks whole, so it is compared with what the run knows about itself.

use super::names::{METRICS, TOPOLOGY};
use super::{RunFolder, Summary};
use crate::checkpoint::Progress;
use crate::topology::from_dense::Start;
use crate::train::TrainConfig;
use crate::train::event::{Epoch, Round};
use crate::words::listed;

/// How far a run is known to be, according to its summary or its newest checkpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::report) struct Known {
    step: u64,
    epochs: u32,
    /// Number of rounds; none if it is not known.
    rounds: Option<u64>,
}

impl Known {
    /// What the newest checkpoint and the summary say. These must be read before the tables, because the tables are
    /// written first.
    pub fn of(saved: Option<&Progress>, summary: Option<&Summary>) -> Self {
        let saved = saved.map(Self::from);
        let end = summary.and_then(|summary| summary.finished.as_ref());
        let end = end.map(|end| Self {
            step: end.step,
            epochs: end.epochs,
            rounds: end.rounds,
        });
        match (saved, end) {
            // If both exist, the checkpoint also knows the rounds of older versions.
            (Some(saved), Some(end)) if saved.step < end.step => end,
            (Some(saved), _) => saved,
            (None, end) => end.unwrap_or_default(),
        }
    }
}

impl From<&Progress> for Known {
    fn from(progress: &Progress) -> Self {
        Self {
            step: progress.step,
            epochs: progress.epoch,
            rounds: Some(progress.rounds),
        }
    }
}

/// What is missing, one sentence per table.
pub(in crate::report) fn missing(
    folder: &RunFolder,
    config: &TrainConfig,
    known: &Known,
    epochs: &[Epoch],
    rounds: &[Round],
) -> Vec<String> {
    let of_tables = [
        (METRICS, missing_epochs(known, epochs)),
        (TOPOLOGY, missing_rounds(config, known, rounds)),
    ];
    let reported = of_tables.into_iter().filter_map(|(name, what)| {
        let path = folder.path().join(name);
        Some(format!("{}: {}", path.display(), what?))
    });
    reported.collect()
}

fn missing_epochs(known: &Known, epochs: &[Epoch]) -> Option<String> {
    let rows: Vec<u64> = epochs.iter().map(|row| row.epoch.into()).collect();
    let last = rows.iter().copied().max().unwrap_or(0);
    let gaps = gaps(rows, last.max(known.epochs.into()));
    match gaps[..] {
        [] => None,
        [(first, last)] if first == last => Some(format!("the row of epoch {first} is missing")),
        _ => Some(format!(
            "the rows of epochs {} are missing",
            listed(
                gaps.len() as u64,
                gaps.iter().map(|&(first, last)| match last - first {
                    0 => first.to_string(),
                    1 => format!("{first}, {last}"),
                    _ => format!("{first} to {last}"),
                })
            )
        )),
    }
}

fn missing_rounds(config: &TrainConfig, known: &Known, rounds: &[Round]) -> Option<String> {
    // After a kill, rows past the checkpoint are there rightly and will be written again. Rounds between two steps have
    // the number of the step before, and belong to the next one.
    let method = config.topology.build_method();
    let precede = matches!(method.start(), Start::Dense(_) | Start::Backed(_));
    let done = rounds.iter().map(|round| round.step);
    let done: Vec<u64> = done
        .filter(|&step| step < known.step || (step == known.step && !precede))
        .collect();
    let layers = rounds.iter().map(|round| round.layers.len()).max();
    let torn: Vec<u64> = (rounds.iter())
        .filter(|round| Some(round.layers.len()) < layers)
        .map(|round| round.step)
        .collect();
    let mut reported = Vec::new();
    let all = known.rounds.unwrap_or(0);
    let lacking = all.saturating_sub(done.len() as u64);
    if lacking > 0 {
        // If rounds came at a fixed interval, it is known which ones.
        let every = config.topology.round_every.max(1);
        let regular = !precede
            && (all.checked_mul(every)).is_some_and(|last| last <= known.step)
            && (done.iter()).all(|step| step.is_multiple_of(every) && step / every <= all);
        let which = match regular {
            true => {
                let missing = gaps(done.iter().map(|step| step / every).collect(), all);
                let missing = missing.into_iter().flat_map(|(first, last)| first..=last);
                let steps = missing.map(|round| round * every);
                format!(", those after steps {}", listed(lacking, steps))
            }
            false => String::new(),
        };
        reported.push(format!(
            "{} of {all} rounds {} missing{which}",
            lacking,
            if lacking == 1 { "is" } else { "are" }
        ));
    }
    if !torn.is_empty() {
        reported.push(format!(
            "the rounds after steps {} lack rows of layers",
            listed(torn.len() as u64, &torn)
        ));
    }
    (!reported.is_empty()).then(|| reported.join("; "))
}

/// The ranges of numbers from 1 to `end` that are not in `numbers`, as first and last. A damaged row may have any
/// number, so the numbers are not enumerated.
fn gaps(numbers: Vec<u64>, end: u64) -> Vec<(u64, u64)> {
    let mut numbers = numbers;
    numbers.sort_unstable();
    let mut gaps = Vec::new();
    let mut next = 1;
    for number in numbers.into_iter().filter(|&number| number > 0) {
        if number > next {
            gaps.push((next, number - 1));
        }
        next = next.max(number.saturating_add(1));
    }
    if next <= end {
        gaps.push((next, end));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::event::RoundLayer;

    #[test]
    fn what_is_missing_is_named() {
        let known = |step, epochs, rounds| Known {
            step,
            epochs,
            rounds: Some(rounds),
        };
        let epochs = |numbers: &[u32]| -> Vec<Epoch> {
            let row = |&epoch: &u32| Epoch {
                epoch,
                ..Epoch::default()
            };
            numbers.iter().map(row).collect()
        };
        let reported = |all, rows: &[u32]| missing_epochs(&known(0, all, 0), &epochs(rows));
        assert_eq!(reported(3, &[1, 2, 3]), None);
        // After a kill, the checkpoint is behind the tables.
        assert_eq!(reported(1, &[1, 2, 3]), None);
        let says = |all, rows: &[u32], text: &str| assert_eq!(reported(all, rows).unwrap(), text);
        says(3, &[1, 3], "the row of epoch 2 is missing");
        says(1, &[1, 3], "the row of epoch 2 is missing");
        says(9, &[2, 7], "the rows of epochs 1, 3 to 6, 8, 9 are missing");
        says(4, &[], "the rows of epochs 1 to 4 are missing");
        let huge = u32::MAX;
        says(
            4,
            &[1, huge],
            "the rows of epochs 2 to 4294967294 are missing",
        );

        let mut config = TrainConfig::default();
        config.topology.round_every = 20;
        let rounds = |steps: &[u64]| -> Vec<Round> {
            let round = |&step: &u64| Round {
                step,
                layers: vec![RoundLayer::default(); 2],
                ..Round::default()
            };
            steps.iter().map(round).collect()
        };
        let reported =
            |all, steps: &[u64]| missing_rounds(&config, &known(70, 3, all), &rounds(steps));
        assert_eq!(reported(3, &[20, 40, 60]), None);
        assert_eq!(reported(3, &[20, 40, 60, 80]), None);
        let says = |all, steps: &[u64], text: &str| assert_eq!(reported(all, steps).unwrap(), text);
        says(
            3,
            &[20, 60, 80],
            "1 of 3 rounds is missing, those after steps 40",
        );
        says(
            3,
            &[],
            "3 of 3 rounds are missing, those after steps 20, 40, 60",
        );
        says(3, &[21, 60], "1 of 3 rounds is missing");
        says(
            u64::MAX,
            &[20],
            &format!("{} of {} rounds are missing", u64::MAX - 1, u64::MAX),
        );
        let many = known(4000, 3, 200);
        assert_eq!(
            missing_rounds(&config, &many, &rounds(&[20, 60])).unwrap(),
            "198 of 200 rounds are missing, those after steps 40, 80, 100, 120, 140, 160, 180, 200, 220, 240 and 188 \
             more"
        );
        let mut torn = rounds(&[20, 40, 60]);
        torn[1].layers.pop();
        assert_eq!(
            missing_rounds(&config, &known(70, 3, 3), &torn).unwrap(),
            "the rounds after steps 40 lack rows of layers"
        );
    }
}
