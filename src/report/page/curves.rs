//! Curves over epochs and rounds, one per variant: the mean over its seeds, in a band from the smallest to the largest.

use std::collections::BTreeMap;

use super::experiment::{Experiment, Variant};
use super::section::Section;
use crate::data::DataPart;
use crate::report::figure::{Axis, Colour, Figure, Format, Plot, Series, thinned};
use crate::report::recording::RunRecord;
use crate::train::event::{Epoch, Round, RoundLayer, Score};

const SEEDS: &str = "Line: mean over seeds; band: the least to the most.";

/// A line for several runs: the mean of their values at each x, with the smallest and the largest.
pub(super) fn series<'r>(
    variant: &Variant,
    records: &'r [RunRecord],
    points: impl Fn(&'r RunRecord) -> Vec<(u64, f64)>,
) -> Series {
    // If some runs went further than others, the mean would jump where the shorter ones end.
    let all: Vec<&RunRecord> = variant.runs.iter().map(|&run| &records[run]).collect();
    let done: Vec<&RunRecord> = all
        .iter()
        .copied()
        .filter(|r| r.finished().is_some())
        .collect();
    let mut at: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    for record in if done.is_empty() { all } else { done } {
        for (x, y) in points(record) {
            if y.is_finite() {
                at.entry(x).or_default().push(y);
            }
        }
    }
    let most = at.values().map(Vec::len).max().unwrap_or(0);
    let at: Vec<(f64, Vec<f64>)> = at
        .into_iter()
        .filter(|(_, values)| values.len() == most)
        .map(|(x, values)| (x as f64, values))
        .collect();
    let at: Vec<&(f64, Vec<f64>)> = thinned(&at.iter().collect::<Vec<_>>());
    let fold =
        |values: &[f64], start: f64, f: fn(f64, f64) -> f64| values.iter().copied().fold(start, f);
    Series {
        name: variant.name.clone(),
        colour: variant.colour,
        points: at
            .iter()
            .map(|(x, values)| (*x, values.iter().sum::<f64>() / values.len() as f64))
            .collect(),
        band: match most {
            0 | 1 => Vec::new(),
            _ => at
                .iter()
                .map(|(x, v)| {
                    (
                        *x,
                        fold(v, f64::INFINITY, f64::min),
                        fold(v, f64::NEG_INFINITY, f64::max),
                    )
                })
                .collect(),
        },
        marked: at.len() <= 12,
    }
}

/// A number of each epoch.
struct OfEpochs {
    id: String,
    title: String,
    /// The label of its axis.
    label: String,
    value: Box<dyn Fn(&Epoch) -> f64>,
}

impl OfEpochs {
    fn new(id: &str, title: &str, label: &str, value: impl Fn(&Epoch) -> f64 + 'static) -> Self {
        OfEpochs {
            id: id.to_owned(),
            title: title.to_owned(),
            label: label.to_owned(),
            value: Box::new(value),
        }
    }

    /// A score of a part by its name.
    fn of_score(id: &str, part: &str, name: &str, scores: fn(&Epoch) -> Vec<Score>) -> Self {
        let plain: String = name
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        let own = name.to_owned();
        let value = move |epoch: &Epoch| {
            let found = scores(epoch).into_iter().find(|score| score.name == own);
            found.map_or(f64::NAN, |score| f64::from(score.value))
        };
        Self::new(
            &format!("{id}-{plain}"),
            &format!("{} {name}", capital(part)),
            &format!("{part} {name}"),
            value,
        )
    }
}

/// This with an initial capital letter.
fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// The curves over an experiment's epochs: accuracy and loss; or the metric instead of accuracy, and the further scores
/// of the evaluated part.
fn of_epochs(experiment: &Experiment, records: &[RunRecord]) -> Vec<OfEpochs> {
    let judged = |e: &Epoch| e.judged().1;
    fn scores(e: &Epoch) -> Vec<Score> {
        e.judged().1.all_scores().cloned().collect()
    }
    fn trained(e: &Epoch) -> Vec<Score> {
        e.train_metric.iter().cloned().collect()
    }
    let runs = || experiment.variants.iter().flat_map(|variant| &variant.runs);
    let mut epochs = runs().flat_map(|&run| &records[run].epochs);
    let part = match epochs.any(|epoch| epoch.validation.is_some()) {
        true => DataPart::Validation,
        false => DataPart::Test,
    };
    let mut first = runs().filter_map(|&run| Some(judged(records[run].epochs.first()?)));
    let [accuracy, loss] = ["accuracy", "loss"].map(|what| format!("{part} {what}"));
    let Some(told) = first.find(|told| told.metric.is_some()) else {
        return vec![
            OfEpochs::new(
                "test-accuracy",
                &capital(&accuracy),
                &format!("{accuracy}, %"),
                move |e| 100.0 * f64::from(judged(e).accuracy),
            ),
            OfEpochs::new(
                "train-accuracy",
                "Training accuracy",
                "training accuracy, %",
                |e| 100.0 * f64::from(e.train_accuracy),
            ),
            OfEpochs::new(
                "test-loss",
                &capital(&loss),
                &format!("{loss}, nats"),
                move |e| f64::from(judged(e).loss),
            ),
            OfEpochs::new("train-loss", "Training loss", "training loss, nats", |e| {
                f64::from(e.train_loss)
            }),
        ];
    };
    let metric = told.metric.iter();
    let further = told.scores.iter().map(|score| &score.name);
    let mut all = Vec::new();
    for Score { name, .. } in metric {
        all.push(OfEpochs::of_score("test", part.name(), name, scores));
        all.push(OfEpochs::of_score("train", "training", name, trained));
    }
    all.extend(further.map(|name| OfEpochs::of_score("test", part.name(), name, scores)));
    all.extend([
        OfEpochs::new("test-loss", &capital(&loss), &loss, move |e| {
            f64::from(judged(e).loss)
        }),
        OfEpochs::new("train-loss", "Training loss", "training loss", |e| {
            f64::from(e.train_loss)
        }),
    ]);
    all
}

/// A number of a round, if it has one.
type OfRound = fn(&Round) -> Option<f64>;

/// Adds the curves of an experiment.
pub(super) fn add(section: &mut Section, experiment: &Experiment, records: &[RunRecord]) {
    for OfEpochs {
        id,
        title,
        label,
        value,
    } in of_epochs(experiment, records)
    {
        let lines = experiment.variants.iter().map(|variant| {
            let points = |r: &RunRecord| {
                r.epochs
                    .iter()
                    .map(|e| (e.epoch.into(), value(e)))
                    .collect()
            };
            series(variant, records, points)
        });
        let figures = figures(experiment, &id, &title, "epoch", &label, lines.collect());
        section.figures(figures, "no epoch was finished.");
    }
    let of_rounds: [(&str, &str, &str, OfRound, &str); 4] = [
        (
            "turnover",
            "Turnover of a round",
            "grown / active, %",
            |round| mean(round, |l| Some((100.0 * l.grown as f64, l.active as f64))),
            "no method has rounds that change the connections.",
        ),
        (
            "ever-active",
            "Connections that were ever active",
            "ever active / possible, %",
            |round| {
                mean(round, |l| {
                    Some((100.0 * l.ever_active? * l.total as f64, l.total as f64))
                })
            },
            "no run tells the share of ever-active connections.",
        ),
        (
            "rank-correlation",
            "Rank correlation of f × g with |g|",
            "Spearman’s ρ",
            |round| {
                mean(round, |l| {
                    Some((
                        l.rank_correlation? * l.candidates as f64,
                        l.candidates as f64,
                    ))
                })
            },
            "it is measured where candidates are drawn by f and g that are not uniform, as gse-grabo and gse-graest do.",
        ),
        (
            "dead-units",
            "Units without a connection",
            "units",
            dead_units,
            "no run tells of dead units.",
        ),
    ];
    for (id, title, label, value, why_not) in of_rounds {
        let lines = experiment.variants.iter().map(|variant| {
            let points = |record: &RunRecord| -> Vec<(u64, f64)> {
                let rounds = record.rounds.iter();
                rounds.filter_map(|r| Some((r.step, value(r)?))).collect()
            };
            series(variant, records, points)
        });
        let lines: Vec<Series> = lines.filter(|s| !s.points.is_empty()).collect();
        let figures = figures(experiment, id, title, "optimiser step", label, lines);
        section.figures(figures, why_not);
    }
}

/// Lines that can be told apart in one figure, as many as the palette has colours.
const MOST_LINES: usize = 8;

/// Lines that stand out in each of several figures.
const IN_FRONT: usize = 5;

/// One figure; or, if there are too many lines to tell apart, several with the same axes. In each of these a few lines
/// stand out before all others.
fn figures(
    experiment: &Experiment,
    id: &str,
    title: &str,
    x: &str,
    y: &str,
    series: Vec<Series>,
) -> Vec<Figure> {
    if series.len() <= MOST_LINES {
        return vec![figure(experiment, id, title, x, y, series)];
    }
    let parts = series.len().div_ceil(IN_FRONT);
    let part = |part: usize| {
        let (mut behind, mut in_front) = (Vec::new(), Vec::new());
        for (index, line) in series.iter().enumerate() {
            match index / IN_FRONT == part {
                true => in_front.push(line.clone()),
                false => behind.push(Series {
                    colour: Colour::Quiet,
                    marked: false,
                    ..line.clone()
                }),
            }
        }
        behind.extend(in_front);
        let id = format!("{id}-{}", part + 1);
        let title = format!("{title} ({} of {parts})", part + 1);
        figure(experiment, &id, &title, x, y, behind)
    };
    (0..parts).map(part).collect()
}

fn figure(
    experiment: &Experiment,
    id: &str,
    title: &str,
    x: &str,
    y: &str,
    series: Vec<Series>,
) -> Figure {
    let several = series.iter().any(|s| !s.band.is_empty());
    Figure {
        id: format!("{}-{id}", experiment.id),
        title: title.to_owned(),
        note: if several {
            SEEDS.to_owned()
        } else {
            String::new()
        },
        plot: Plot::Lines {
            x: Axis::new(x).format(Format::Whole),
            y: Axis::new(y),
            series,
        },
    }
}

/// The weighted mean over the layers that have a number and its weight.
fn mean(round: &Round, of: fn(&RoundLayer) -> Option<(f64, f64)>) -> Option<f64> {
    let reported: Vec<(f64, f64)> = round.layers.iter().filter_map(of).collect();
    let weight: f64 = reported.iter().map(|t| t.1).sum();
    (weight > 0.0).then(|| reported.iter().map(|t| t.0).sum::<f64>() / weight)
}

fn dead_units(round: &Round) -> Option<f64> {
    let reported = round
        .layers
        .iter()
        .filter_map(|l| match (l.dead_inputs, l.dead_outputs) {
            (None, None) => None,
            (inputs, outputs) => Some(inputs.unwrap_or(0) as f64 + outputs.unwrap_or(0) as f64),
        });
    let reported: Vec<f64> = reported.collect();
    (!reported.is_empty()).then(|| reported.iter().sum())
}
