//! Accuracy by density: what is left of it as a network gets sparser.

use super::experiment::{Colours, Experiment, percent, variant_name};
use super::section::Section;
use crate::report::figure::{Axis, Figure, Plot, Series};
use crate::report::results::Results;

/// Accuracy against density, for each data set and model that was trained at several sparsities.
pub(super) fn section(results: &Results, experiments: &[Experiment]) -> Option<Section> {
    if !results.tell("test_accuracy") {
        return None;
    }
    let mut section = Section::new("Accuracy by density");
    let columns = ["test_accuracy", "validation_accuracy"];
    let column = columns.into_iter().find(|column| results.tell(column))?;
    let axis = format!("{}, %", column.replace('_', " "));
    let colours = Colours::of(results);
    let mut done: Vec<(&str, &str)> = Vec::new();
    for experiment in experiments {
        let place = (experiment.data.as_str(), experiment.model.as_str());
        let of_place = |e: &&Experiment| (e.data.as_str(), e.model.as_str()) == place;
        if done.contains(&place) || experiments.iter().filter(of_place).count() < 2 {
            continue;
        }
        done.push(place);
        let mut lines: Vec<Series> = Vec::new();
        for group in &results.groups {
            if (group.data.as_str(), group.model.as_str()) != place {
                continue;
            }
            let Some(accuracy) = group.spread(results, column) else {
                continue;
            };
            let name = variant_name(group);
            let x = 100.0 * (1.0 - group.sparsity);
            let (mean, deviation) = (100.0 * accuracy.mean, accuracy.deviation.map(|d| 100.0 * d));
            let at = lines.iter().position(|line| line.name == name);
            let at = at.unwrap_or_else(|| {
                lines.push(Series {
                    colour: colours.colour(&name),
                    name,
                    points: Vec::new(),
                    band: Vec::new(),
                    marked: true,
                });
                lines.len() - 1
            });
            lines[at].points.push((x, mean));
            lines[at]
                .band
                .extend(deviation.map(|d| (x, mean - d, mean + d)));
        }
        for line in &mut lines {
            line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
            line.band.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let sparsities = experiments
            .iter()
            .filter(of_place)
            .map(|e| percent(e.sparsity));
        let sparsities: Vec<String> = sparsities.collect();
        section.figure(
            Figure {
                id: format!("{}-{}-accuracy-by-density", place.0, place.1),
                title: format!("{}, {}", place.0, place.1),
                note: format!(
                    "Sparsities of {} %. Line: mean over seeds; band: one standard deviation.",
                    sparsities.join(", ")
                ),
                plot: Plot::Lines {
                    x: Axis::new("density: active / possible connections, %").log(),
                    y: Axis::new(&axis),
                    series: lines,
                },
            },
            "no run came to its end.",
        );
    }
    (!section.blocks.is_empty()).then_some(section)
}
