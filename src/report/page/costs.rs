//! Where the time, the operations and the bytes go: one bar per variant, the mean over its runs.
//!
//! A bar is as long as the table of results says. The parts divide that number, and whatever they leave of it is a
//! separate part.

use super::experiment::{Experiment, Variant};
use super::section::Section;
use crate::report::figure::{Axis, Colour, Figure, Format, Part, Plot};
use crate::report::recording::RunRecord;
use crate::report::results::Results;
use crate::train::event::Finished;

/// A run's parts: name and amount.
type Parts = Vec<(String, f64)>;

/// A kind of cost.
struct Cost {
    id: &'static str,
    title: &'static str,
    /// The quantity that the bars measure.
    label: &'static str,
    /// The column of the results that the parts divide.
    column: &'static str,
    /// Reads the parts from the end of a run.
    parts: fn(&Finished) -> Parts,
    /// The name of whatever is in no other part.
    rest: &'static str,
    note: &'static str,
    why_not: &'static str,
}

const COSTS: [Cost; 3] = [
    Cost {
        id: "time",
        title: "Where the time goes",
        label: "seconds",
        column: "seconds",
        parts: seconds,
        rest: "other",
        note: "Forward, backward and optimiser: the steps that were timed, times the number of steps. Other: \
               checkpoints, reports, the host’s own work, and what a resumed run did before its last start.",
        why_not: "no finished run reports the times of its phases.",
    },
    Cost {
        id: "flops",
        title: "Where the operations go",
        label: "training FLOPs",
        column: "train_flops",
        parts: operations,
        rest: "not known by phase",
        note: "As Evci et al. (2020) count them, without evaluations. Not known by phase: what a resumed run did \
               before its last start.",
        why_not: "no finished run reports the operations of its phases.",
    },
    Cost {
        id: "bytes",
        title: "Where the bytes go",
        label: "bytes on the device at their peak",
        column: "peak_total",
        parts: bytes,
        rest: "not known by class",
        note: "By class at that moment: a single class may have had its peak at another, which the table shows.",
        why_not: "no finished run reports its device memory.",
    },
];

fn seconds(end: &Finished) -> Parts {
    let phases = end.phases.iter();
    phases.map(|p| (p.name.clone(), p.seconds)).collect()
}

fn operations(end: &Finished) -> Parts {
    let training = end.phases.iter().filter(|p| p.name != "evaluation");
    training.map(|p| (p.name.clone(), p.flops)).collect()
}

fn bytes(end: &Finished) -> Parts {
    let all: u64 = end.peak.iter().map(|(_, bytes)| bytes).sum();
    let reported = match end.at_peak.is_empty() {
        false => &end.at_peak,
        // Written by an older version. Peaks that add up to the peak of all were reached at the same moment.
        true if all == end.peak_total => &end.peak,
        true => return Vec::new(),
    };
    reported
        .iter()
        .map(|(c, bytes)| (c.clone(), *bytes as f64))
        .collect()
}

/// Adds the figures of an experiment.
pub(super) fn add(
    section: &mut Section,
    experiment: &Experiment,
    results: &Results,
    records: &[RunRecord],
) {
    for cost in &COSTS {
        let figure = Figure {
            id: format!("{}-{}", experiment.id, cost.id),
            title: cost.title.to_owned(),
            note: cost.note.to_owned(),
            plot: bars(cost, experiment, results, records),
        };
        section.figure(figure, cost.why_not);
    }
}

/// The parts of `total`, and the rest. If the parts exceed the total, they do not divide it, and everything is the
/// rest.
fn divided(parts: Parts, total: f64, rest: &str) -> Parts {
    let sum: f64 = parts.iter().map(|(_, amount)| amount).sum();
    // Clocks are read one after another, and sums are rounded.
    let parts = match sum <= total * 1.01 {
        true => parts,
        false => Vec::new(),
    };
    let sum: f64 = parts.iter().map(|(_, amount)| amount).sum();
    let scale = if sum > total { total / sum } else { 1.0 };
    let mut divided: Parts = Vec::new();
    let rest = (rest.to_owned(), (total - sum).max(0.0));
    for (name, amount) in parts.into_iter().chain([rest]) {
        match divided.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum += scale * amount,
            None => divided.push((name, scale * amount)),
        }
    }
    divided
}

/// The mean of each part, over the runs whose mean the table shows; empty if none of them reports parts.
fn mean(cost: &Cost, variant: &Variant, records: &[RunRecord]) -> Option<Parts> {
    let runs = variant.runs.iter().filter_map(|&run| {
        let end = records[run].finished()?;
        let total = Results::value(&records[run], &end, cost.column)?;
        Some(divided((cost.parts)(&end), total, cost.rest))
    });
    let runs: Vec<Parts> = runs.collect();
    let mut mean: Parts = Vec::new();
    for (name, amount) in runs.iter().flatten() {
        let share = amount / runs.len() as f64;
        match mean.iter_mut().find(|(known, _)| known == name) {
            Some((_, sum)) => *sum += share,
            None => mean.push((name.clone(), share)),
        }
    }
    (mean.iter().any(|(_, amount)| *amount > 0.0)).then_some(mean)
}

fn bars(cost: &Cost, experiment: &Experiment, results: &Results, records: &[RunRecord]) -> Plot {
    let means = experiment.variants.iter().filter_map(|variant| {
        let total = results.groups[variant.group].mean_text(results, cost.column)?;
        Some((variant, total, mean(cost, variant, records)?))
    });
    let mut means: Vec<(&Variant, String, Parts)> = means.collect();
    let reported = |(name, amount): &(String, f64)| name != cost.rest && *amount > 0.0;
    if !means.iter().any(|(.., parts)| parts.iter().any(reported)) {
        // If only the table's numbers are known, there is nothing to divide.
        means.clear();
    }
    let mut names: Vec<String> = Vec::new();
    for (name, amount) in means.iter().flat_map(|(.., parts)| parts) {
        // The rest comes last.
        if *amount > 0.0 && !names.contains(name) && name != cost.rest {
            names.push(name.clone());
        }
    }
    let rest = |parts: &Parts| {
        parts
            .iter()
            .any(|(n, amount)| n == cost.rest && *amount > 0.0)
    };
    if means.iter().any(|(.., parts)| rest(parts)) {
        names.push(cost.rest.to_owned());
    }
    let count = names.len();
    let part = |(index, name): (usize, String)| Part {
        values: means
            .iter()
            .map(|(.., mean)| {
                let found = mean.iter().find(|(known, _)| *known == name);
                found.map_or(0.0, |(_, amount)| *amount)
            })
            .collect(),
        colour: Colour::Ramp(index, count),
        name,
    };
    Plot::Bars {
        x: Axis::new(cost.label).format(Format::Prefixed),
        bars: means.iter().map(|(v, ..)| v.name.clone()).collect(),
        totals: means.iter().map(|(_, total, _)| total.clone()).collect(),
        parts: names.into_iter().enumerate().map(part).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_and_the_rest_are_the_total() {
        let parts = |amounts: [f64; 2]| -> Parts {
            let named = ["forward", "other"].into_iter().zip(amounts);
            named
                .map(|(name, amount)| (name.to_owned(), amount))
                .collect()
        };
        let sum = |parts: &Parts| parts.iter().map(|p| p.1).sum::<f64>();
        // A resumed run: its earlier work is in no phase.
        let found = divided(parts([3.0, 1.0]), 10.0, "other");
        assert_eq!(found, parts([3.0, 7.0]));
        // Clocks were read one after another.
        let found = divided(parts([9.0, 1.05]), 10.0, "other");
        assert!(
            (sum(&found) - 10.0).abs() < 1e-12 && found.len() == 2,
            "{found:?}"
        );
        // Parts of something else do not divide the total.
        let found = divided(parts([9.0, 9.0]), 10.0, "other");
        assert_eq!(found, [("other".to_owned(), 10.0)]);
    }

    #[test]
    fn peaks_of_different_moments_are_no_parts() {
        let class = |name: &str, bytes| (name.to_owned(), bytes);
        let end = |peak_total, at_peak| Finished {
            peak: vec![class("connections", 7), class("dense_weights", 5)],
            peak_total,
            at_peak,
            ..Finished::default()
        };
        assert_eq!(bytes(&end(9, Vec::new())), []);
        let (connections, weights) = (
            ("connections".to_owned(), 7.0),
            ("dense_weights".to_owned(), 5.0),
        );
        assert_eq!(bytes(&end(12, Vec::new())), [connections, weights]);
        let reported = bytes(&end(
            9,
            vec![class("connections", 4), class("dense_weights", 5)],
        ));
        assert_eq!(reported.iter().map(|p| p.1).sum::<f64>(), 9.0);
    }
}
