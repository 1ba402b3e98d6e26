//! Sparsity and compression of each layer, over time and at the end (Heddes et al. 2024, Figure 9).

use super::curves;
use super::experiment::{Experiment, Variant};
use super::section::{Block, Section};
use crate::error::option::SCOPE;
use crate::report::figure::{Axis, Colour, Figure, Format, Plot, Series, thinned};
use crate::report::recording::RunRecord;
use crate::train::event::LayerSummary;

/// Most layers in a figure over time. If there are more, this many are taken at even distances.
const MOST_LAYERS: usize = 8;

/// Computes a number from a layer's density.
type OfDensity = fn(f64) -> f64;

/// Adds the figures of an experiment.
pub(super) fn add(section: &mut Section, experiment: &Experiment, records: &[RunRecord]) {
    let names = names(experiment, records);
    let few = names.len() <= 12;
    let note = match few {
        true => format!("Layers: {}.", numbered(&names)),
        false => format!("Layers 1 to {} in the order of the data.", names.len()),
    };
    let kinds: [(&str, &str, &str, OfDensity); 2] = [
        (
            "compression",
            "Compression of each layer at the end",
            "possible / active connections",
            |d| 1.0 / d,
        ),
        (
            "sparsity",
            "Sparsity of each layer at the end",
            "sparsity, %",
            |d| 100.0 * (1.0 - d),
        ),
    ];
    for (id, title, label, value) in kinds {
        let axis = Axis::new(label);
        let figure = Figure {
            id: format!("{}-{id}-by-layer", experiment.id),
            title: title.to_owned(),
            note: note.clone(),
            plot: Plot::Lines {
                x: Axis::new("layer").format(Format::Whole),
                y: if id == "compression" {
                    axis.log()
                } else {
                    axis
                },
                series: at_the_end(experiment, records, value),
            },
        };
        section.figure(figure, "the runs do not report their layers.");
    }
    let mut changed = false;
    for variant in &experiment.variants {
        // Seeds may differ in when a layer changes, so the first run represents all.
        let run = variant
            .runs
            .iter()
            .map(|&run| &records[run])
            .find(|r| changes(r));
        let Some(run) = run else { continue };
        changed = true;
        for (id, title, label, value) in kinds {
            let what = title.split(" at the end").next().unwrap_or(title);
            section.figure(
                over_time(experiment, variant, run, (id, what, label), value),
                "the run had no round.",
            );
        }
    }
    if !changed {
        section.blocks.push(Block::Missing(
            format!("There is no figure of the layers over time: each kept its first number of connections, as in \
                     {SCOPE} layer."),
        ));
    }
}

fn names(experiment: &Experiment, records: &[RunRecord]) -> Vec<String> {
    let runs = experiment.variants.iter().flat_map(|v| &v.runs);
    let layers = runs
        .map(|&run| records[run].layers())
        .find(|l| !l.is_empty());
    layers
        .unwrap_or_default()
        .into_iter()
        .map(|l| l.name)
        .collect()
}

fn numbered(names: &[String]) -> String {
    let names = names.iter().enumerate();
    let names: Vec<String> = names.map(|(i, name)| format!("{} {name}", i + 1)).collect();
    names.join(", ")
}

fn at_the_end(experiment: &Experiment, records: &[RunRecord], value: OfDensity) -> Vec<Series> {
    let variants = experiment.variants.iter().map(|variant| {
        let points = |record: &RunRecord| {
            let layers: Vec<LayerSummary> = record.layers();
            let densities = layers.iter().zip(1..).filter(|(l, _)| l.density > 0.0);
            densities.map(|(l, i)| (i, value(l.density))).collect()
        };
        curves::series(variant, records, points)
    });
    variants.filter(|s| !s.points.is_empty()).collect()
}

/// Whether the number of connections of some layer differs between two rounds.
fn changes(record: &RunRecord) -> bool {
    let counts = |round: &crate::train::event::Round| -> Vec<u64> {
        round.layers.iter().map(|l| l.active).collect()
    };
    record
        .rounds
        .windows(2)
        .any(|pair| counts(&pair[0]) != counts(&pair[1]))
}

fn over_time(
    experiment: &Experiment,
    variant: &Variant,
    record: &RunRecord,
    (id, what, label): (&str, &str, &str),
    value: OfDensity,
) -> Figure {
    let layers = record.rounds.first().map_or(0, |round| round.layers.len());
    let shown = layers.min(MOST_LAYERS);
    let series: Vec<Series> = (0..shown)
        .map(|i| {
            let layer = i * (layers - 1) / (shown - 1).max(1);
            let points = record.rounds.iter().filter_map(|round| {
                let layer = round.layers.get(layer)?;
                let density = layer.active as f64 / layer.total as f64;
                Some((round.step as f64, value(density))).filter(|p| p.1.is_finite())
            });
            let points: Vec<(f64, f64)> = points.collect();
            Series {
                name: record.rounds[0].layers[layer].name.clone(),
                colour: Colour::Ramp(i, shown),
                marked: points.len() <= 12,
                points: thinned(&points),
                band: Vec::new(),
            }
        })
        .collect();
    let axis = Axis::new(label);
    let note = match shown < layers {
        true => format!("Run {}; {shown} of its {layers} layers.", record.name()),
        false => format!("Run {}.", record.name()),
    };
    Figure {
        id: format!("{}-{id}-over-time-{}", experiment.id, variant.name),
        title: format!("{what}: {}", variant.name),
        note,
        plot: Plot::Lines {
            x: Axis::new("optimiser step"),
            y: if id == "compression" {
                axis.log()
            } else {
                axis
            },
            series,
        },
    }
}
