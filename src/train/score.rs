//! A metric's mean in events: accuracy is in the fields of that name; any other metric has its own.

use std::any::Any;

use super::event::Score;
use crate::loss::{Accuracy, Metric, Outcomes};

fn is_accuracy(metric: &dyn Metric) -> bool {
    let metric: &dyn Any = metric;
    metric.is::<Accuracy>()
}

/// The mean, if it is that of accuracy; otherwise NaN.
pub(super) fn accuracy(metric: Option<&dyn Metric>, mean: f32) -> f32 {
    match metric.is_some_and(is_accuracy) {
        true => mean,
        false => f32::NAN,
    }
}

/// The mean of another metric.
pub(super) fn other(metric: Option<&dyn Metric>, mean: f32) -> Option<Score> {
    let metric = metric.filter(|&metric| !is_accuracy(metric))?;
    Some(Score {
        name: metric.name().to_owned(),
        value: mean,
        higher_is_better: metric.higher_is_better(),
    })
}

/// The further scores of a whole evaluation, besides its metric.
pub(super) fn further(outcomes: &Outcomes, metric: Option<&dyn Metric>) -> Vec<Score> {
    let own = metric.map(Metric::name);
    let measures = outcomes.measures().into_iter();
    measures
        .filter(|measure| Some(measure.name) != own)
        .map(|measure| Score {
            name: measure.name.to_owned(),
            value: measure.value as f32,
            higher_is_better: measure.higher_is_better,
        })
        .collect()
}
