//! The first thing on the page: the best result of each data set, and what it took beside a dense network.

use super::experiment::percent;
use super::section::{Block, Headline, Section};
use crate::report::recording::RunRecord;
use crate::report::results::{Group, Results};
use crate::train::event::{Finished, PartResults, Score};
use crate::words::counted;

/// The section of the best results; none if no run came to its end.
pub(super) fn section(results: &Results, records: &[RunRecord]) -> Option<Section> {
    // A dense network is what the others are compared with, and the best only where it is alone.
    let is_sparse = |group: &Group| group.sparsity > 0.0;
    let any_sparse = results.groups.iter().any(is_sparse);
    let mut section = Section::new(match any_sparse {
        true => "Best sparse result",
        false => "Best result",
    });
    let mut done: Vec<&str> = Vec::new();
    for group in &results.groups {
        if done.contains(&group.data.as_str()) {
            continue;
        }
        done.push(&group.data);
        let of_data = results.groups.iter().filter(|g| g.data == group.data);
        let of_data = of_data.filter(|g| is_sparse(g) || !any_sparse);
        let best = best(of_data, results, records);
        let blocks = best.map(|best| Block::Headline(headline(best, results, records)));
        section.blocks.extend(blocks);
    }
    (!section.blocks.is_empty()).then_some(section)
}

/// What decides between rows: the column of results, and whether a higher number is better.
pub(super) struct Measure {
    column: String,
    higher_is_better: bool,
}

impl Measure {
    /// The accuracy of the end's part, the metric in its place, or else the loss.
    pub(super) fn of(end: &Finished) -> Self {
        let (part, told) = end.result();
        let (name, higher_is_better) = match &told {
            PartResults {
                metric:
                    Some(Score {
                        name,
                        higher_is_better,
                        ..
                    }),
                ..
            } => (name.as_str(), *higher_is_better),
            told if told.accuracy.is_nan() => ("loss", false),
            _ => ("accuracy", true),
        };
        Self {
            column: format!("{part}_{name}"),
            higher_is_better,
        }
    }

    /// What a row reached, with its unit.
    pub(super) fn text(&self, group: &Group, results: &Results) -> Option<String> {
        let result = group.spread_text(results, &self.column)?;
        Some(match self.column.ends_with("_accuracy") {
            true => format!("{result} %"),
            false => result,
        })
    }
}

fn best<'g>(
    groups: impl Iterator<Item = &'g Group>,
    results: &Results,
    records: &[RunRecord],
) -> Option<(&'g Group, Measure)> {
    let mut best: Option<(&Group, Measure, f64)> = None;
    for group in groups {
        let Some(end) = group.runs.iter().find_map(|&run| records[run].finished()) else {
            continue;
        };
        let measure = Measure::of(&end);
        let Some(spread) = group.spread(results, &measure.column) else {
            continue;
        };
        // Rows that were evaluated by another measure cannot be compared; the first row decides.
        let is_better = match &best {
            None => true,
            Some((_, other, value)) if other.column == measure.column => {
                match measure.higher_is_better {
                    true => spread.mean > *value,
                    false => spread.mean < *value,
                }
            }
            Some(_) => false,
        };
        if is_better {
            best = Some((group, measure, spread.mean));
        }
    }
    best.map(|(group, measure, _)| (group, measure))
}

fn headline(
    (group, measure): (&Group, Measure),
    results: &Results,
    records: &[RunRecord],
) -> Headline {
    let what = format!(
        "{} of {} on {}, {}, {} % sparse, {}",
        measure.column.replace('_', " "),
        group.method,
        group.data,
        group.model,
        percent(group.sparsity),
        counted(group.finished as u64, "run")
    );
    Headline {
        result: measure.text(group, results).unwrap_or_default(),
        what,
        shares: shares(group, records),
    }
}

/// What a row's first finished run took, as shares of a dense network.
fn shares(group: &Group, records: &[RunRecord]) -> Vec<(String, &'static str)> {
    let mut finished = group.runs.iter().filter_map(|&run| {
        let record = &records[run];
        Some((record, record.finished()?))
    });
    let Some((record, end)) = finished.next() else {
        return Vec::new();
    };
    let Some(started) = record.summary.as_ref().map(|summary| &summary.started) else {
        return Vec::new();
    };
    let mut shares = Vec::new();
    let mut add = |part: f64, of: f64, what| {
        if part > 0.0 && of > 0.0 && part.is_finite() {
            shares.push((rounded(part / of), what));
        }
    };
    let dense = started.dense as f64;
    let active: f64 = record
        .layers()
        .iter()
        .map(|layer| layer.active as f64)
        .sum();
    add(active, dense, "of a dense network’s connections");
    // A dense network needs no indices: the weight, its gradient, and what the optimiser keeps.
    let state = record.config.optimiser.build_optimiser();
    let each = 8.0 + state.map_or(0.0, |optimiser| optimiser.bytes() as f64);
    let what = "of its bytes for weights, gradients and optimiser";
    add(active * end.bytes_per_connection, dense * each, what);
    let images =
        end.step as f64 / started.steps_per_epoch.max(1) as f64 * started.train_images as f64;
    add(
        end.train_flops,
        started.dense_flops * images,
        "of its training FLOPs",
    );
    shares
}

/// A share in percent with two digits that count.
fn rounded(share: f64) -> String {
    let percent = 100.0 * share;
    let digits = match percent {
        p if p >= 10.0 => 0,
        p if p >= 1.0 => 1,
        _ => 2,
    };
    format!("{percent:.digits$} %")
}
