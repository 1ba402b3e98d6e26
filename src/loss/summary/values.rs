//! Samples of numbers.

use super::counts::mean;
use super::measure::Measure;

/// Sums for one of a sample's numbers.
#[derive(Clone, Debug, Default)]
struct OfValue {
    count: f64,
    /// The targets' mean so far, and the sum of their squared distances from it (Welford 1962).
    mean: f64,
    spread: f64,
    squares: f64,
    absolute: f64,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Values {
    values: Vec<OfValue>,
}

impl Values {
    pub fn new(count: usize) -> Self {
        Values {
            values: vec![OfValue::default(); count],
        }
    }

    /// A sample's outputs and targets.
    pub fn add(&mut self, outputs: &[f32], targets: &[f32]) {
        for ((of_value, &y), &t) in self.values.iter_mut().zip(outputs).zip(targets) {
            let (y, t) = (f64::from(y), f64::from(t));
            of_value.count += 1.0;
            let before = t - of_value.mean;
            of_value.mean += before / of_value.count;
            of_value.spread += before * (t - of_value.mean);
            of_value.squares += (y - t).powi(2);
            of_value.absolute += (y - t).abs();
        }
    }

    /// Each is the mean over the values, in their units.
    pub fn measures(&self, units: &[f32]) -> Vec<Measure> {
        let unit = |at: usize| units.get(at).map_or(1.0, |&unit| f64::from(unit));
        let of_each = |of: &dyn Fn(usize, &OfValue) -> Option<f64>| {
            mean(self.values.iter().enumerate().map(|(at, v)| of(at, v)))
        };
        let root =
            of_each(&|at, v| (v.count > 0.0).then(|| (v.squares / v.count).sqrt() * unit(at)));
        let absolute = of_each(&|at, v| (v.count > 0.0).then(|| v.absolute / v.count * unit(at)));
        let explained = of_each(&|_, v| match (v.count < 2.0, v.spread == 0.0) {
            (true, _) => None,
            (false, false) => Some(1.0 - v.squares / v.spread),
            // If all targets are equal, nothing can be explained.
            (false, true) => Some(f64::from(u8::from(v.squares == 0.0))),
        });
        [
            Measure::lower("RMSE", root),
            Measure::lower("MAE", absolute),
            Measure::higher("R2", explained),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}
