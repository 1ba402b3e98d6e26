//! How a step, a round and the resident bytes grow with the width.

use super::stepper::CLASSES;
use super::steps::perceptron;
use crate::bench::measuring::guard::Guard;
use crate::bench::report::Observer;
use crate::bench::{BenchOptions, Exponents, Finding, Part, ScalingFigure, Skipped};
use crate::error::Result;
use crate::model::{Extent, mlp};

/// Connections of each output unit: dense at 32 inputs, 99.8 % sparse at 16384.
const CONNECTIONS_PER_UNIT: usize = 32;

/// Measures n-n-n-10 at a fixed number of connections per output unit, for every n of `options.scaling_sizes`.
pub(in crate::bench) fn measure(options: &BenchOptions, observer: &mut Observer<'_>) -> Result<()> {
    let mut guard = Guard::new(options.limit);
    let mut figures = Vec::new();
    let mut withheld = false;
    let mut widths = options.scaling_sizes.clone();
    widths.sort_unstable();
    for n in widths {
        let model = mlp(Extent::vector(n), &[n, n], CLASSES)?;
        let counts: Vec<u64> = model
            .shapes()
            .iter()
            .map(|s| (s.n_out * CONNECTIONS_PER_UNIT.min(s.n_in)) as u64)
            .collect();
        let name = format!("{n}-{n}-{n}-{CLASSES}");
        match perceptron(options, &mut guard, &model, &counts, &name)? {
            Ok(step) => {
                let figure = ScalingFigure {
                    n,
                    connections: step.connections,
                    step_seconds: step.seconds,
                    step_spread: step.seconds_spread,
                    round_seconds: step.round_seconds,
                    round_spread: step.round_spread,
                    resident_bytes: step.bytes.values().sum(),
                    doubt: step.doubt,
                };
                let (part, keep) = (Part::Scaling.name(), options.keep_doubtful);
                if observer.withholds(keep, part, &name, figure.doubt.as_deref()) {
                    withheld = true;
                    continue;
                }
                observer.tell(Finding::Scaling(&figure));
                figures.push(figure);
            }
            Err(reason) => observer.skip(Skipped::new(Part::Scaling, &name, reason)),
        }
    }
    if withheld {
        // The remaining widths alone would give a different growth.
        let reason = "the machine was busy at one of the widths";
        observer.withholds(false, Part::Scaling.name(), "growth", Some(reason));
        return Ok(());
    }
    if let Some(exponents) = exponents(&figures) {
        observer.tell(Finding::Exponents(&exponents));
    }
    Ok(())
}

fn exponents(figures: &[ScalingFigure]) -> Option<Exponents> {
    let fit = |value: fn(&ScalingFigure) -> f64| {
        let points: Vec<(f64, f64)> = figures.iter().map(|f| (f.n as f64, value(f))).collect();
        exponent(&points)
    };
    Some(Exponents {
        step_seconds: fit(|f| f.step_seconds)?,
        round_seconds: fit(|f| f.round_seconds)?,
        resident_bytes: fit(|f| f.resident_bytes as f64)?,
    })
}

/// Slope of log(y) over log(x) by least squares; none without two different x.
fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logs: Vec<(f64, f64)> = points.iter().map(|(x, y)| (x.ln(), y.ln())).collect();
    let mean =
        |axis: fn(&(f64, f64)) -> f64| logs.iter().map(axis).sum::<f64>() / logs.len() as f64;
    let (mean_x, mean_y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = logs.iter().map(|(x, _)| (x - mean_x).powi(2)).sum();
    let common: f64 = logs.iter().map(|(x, y)| (x - mean_x) * (y - mean_y)).sum();
    (spread > 1e-12).then(|| common / spread)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_are_the_slopes_of_the_logarithms() {
        let points: Vec<(f64, f64)> = [1.0, 2.0, 4.0, 8.0]
            .iter()
            .map(|&n: &f64| (n, 3.0 * n.powf(1.25)))
            .collect();
        assert!((exponent(&points).unwrap() - 1.25).abs() < 1e-12);
        assert_eq!(exponent(&points[..1]), None);
        assert_eq!(exponent(&[]), None);
    }
}
