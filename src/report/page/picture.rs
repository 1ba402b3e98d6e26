//! The picture of a comparison that needs no explanation: what each method reaches, and how much memory its weights take.

use super::experiment::{Experiment, Variant};
use super::headline::Measure;
use crate::report::figure::{Axis, Colour, Figure, Format, Part, Plot};
use crate::report::recording::RunRecord;
use crate::report::results::Results;
use crate::report::text::bytes;
use crate::train::event::Finished;

/// The classes of memory that exist because of the weights: weights, gradients, optimiser state and indices.
const OF_WEIGHTS: [&str; 2] = ["connections", "dense_weights"];

/// One bar for each variant, named by its result; empty if no run came to its end.
pub(super) fn picture(experiment: &Experiment, results: &Results, records: &[RunRecord]) -> Figure {
    let rows: Vec<(String, f64)> = experiment
        .variants
        .iter()
        .filter_map(|variant| row(variant, results, records))
        .collect();
    Figure {
        id: format!("{}-picture", experiment.id),
        title: experiment.title.clone(),
        note: String::new(),
        plot: Plot::Bars {
            x: Axis::new("bytes of weights, gradients, optimiser and indices")
                .format(Format::Prefixed),
            bars: rows.iter().map(|(name, _)| name.clone()).collect(),
            totals: rows.iter().map(|(_, most)| bytes(*most as u64)).collect(),
            parts: vec![Part {
                name: String::new(),
                colour: Colour::Series(0),
                values: rows.iter().map(|(_, most)| *most).collect(),
            }],
        },
    }
}

fn row(variant: &Variant, results: &Results, records: &[RunRecord]) -> Option<(String, f64)> {
    let ends: Vec<Finished> = variant
        .runs
        .iter()
        .filter_map(|&run| records[run].finished())
        .collect();
    let measure = Measure::of(ends.first()?);
    let reached = measure.text(&results.groups[variant.group], results)?;
    let most = |end: &Finished| -> u64 {
        let classes = end
            .peak
            .iter()
            .filter(|(class, _)| OF_WEIGHTS.contains(&class.as_str()));
        classes.map(|(_, bytes)| bytes).sum()
    };
    let mean = ends.iter().map(|end| most(end) as f64).sum::<f64>() / ends.len() as f64;
    (mean > 0.0).then(|| (format!("{}: {reached}", variant.name), mean))
}
