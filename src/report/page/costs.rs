//! Where the time, the operations and the bytes go: bars, one a variant, the means over its runs.

use super::Section;
use super::experiment::{Experiment, Variant};
use crate::report::figure::{Axis, Colour, Figure, Format, Part, Plot};
use crate::report::record::RunRecord;
use crate::train::event::Finished;

/// What a run tells of its parts: name and amount.
type Parts = fn(&Finished) -> Vec<(String, f64)>;

/// Adds the figures of an experiment.
pub(super) fn add(section: &mut Section, experiment: &Experiment, records: &[RunRecord]) {
    let kinds: [(&str, &str, &str, Parts, &str, &str); 3] = [
        (
            "time",
            "Where the time goes",
            "seconds since the run’s last start",
            |f| {
                f.phases
                    .iter()
                    .map(|p| (p.name.clone(), p.seconds))
                    .collect()
            },
            "Forward, backward and optimiser: the steps that were timed, times the number of steps.",
            "no finished run tells the times of its phases.",
        ),
        (
            "flops",
            "Where the operations go",
            "floating-point operations",
            |f| f.phases.iter().map(|p| (p.name.clone(), p.flops)).collect(),
            "As Evci et al. (2020) count them, since the run’s last start.",
            "no finished run tells the operations of its phases.",
        ),
        (
            "bytes",
            "Where the bytes go",
            "most bytes of each class on the device",
            |f| {
                f.peak
                    .iter()
                    .map(|(class, bytes)| (class.clone(), *bytes as f64))
                    .collect()
            },
            "",
            "no finished run tells its device memory.",
        ),
    ];
    for (id, title, label, parts, note, why_not) in kinds {
        let figure = Figure {
            id: format!("{}-{id}", experiment.id),
            title: title.to_owned(),
            note: note.to_owned(),
            plot: bars(experiment, records, label, parts),
        };
        section.figure(figure, why_not);
    }
}

fn bars(experiment: &Experiment, records: &[RunRecord], label: &str, parts: Parts) -> Plot {
    let mut names: Vec<String> = Vec::new();
    let mut bars: Vec<(&Variant, Vec<(String, f64)>)> = Vec::new();
    for variant in &experiment.variants {
        let runs = variant
            .runs
            .iter()
            .filter_map(|&run| records[run].finished());
        let runs: Vec<Vec<(String, f64)>> = runs.map(|f| parts(&f)).collect();
        let mut mean: Vec<(String, f64)> = Vec::new();
        for (name, amount) in runs.iter().flatten() {
            let share = amount / runs.len() as f64;
            match mean.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => *sum += share,
                None => mean.push((name.clone(), share)),
            }
        }
        for (name, amount) in &mean {
            if *amount > 0.0 && !names.contains(name) {
                names.push(name.clone());
            }
        }
        if mean.iter().any(|(_, amount)| *amount > 0.0) {
            bars.push((variant, mean));
        }
    }
    let count = names.len();
    let part = |(index, name): (usize, String)| Part {
        values: bars
            .iter()
            .map(|(_, mean)| {
                let found = mean.iter().find(|(known, _)| *known == name);
                found.map_or(0.0, |(_, amount)| *amount)
            })
            .collect(),
        colour: Colour::Ramp(index, count),
        name,
    };
    Plot::Bars {
        x: Axis::new(label).format(Format::Prefixed),
        bars: bars
            .iter()
            .map(|(variant, _)| variant.name.clone())
            .collect(),
        parts: names.into_iter().enumerate().map(part).collect(),
    }
}
