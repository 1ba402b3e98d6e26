//! Whether figures are possible: whoever compares them believes them, and a file may come from anywhere.

use crate::bench::products::reference::tolerance;
use crate::bench::{BenchReport, Spread};
use crate::error::Unshareable;

/// What is impossible in a report, for a message that begins with its file; none if everything is possible.
pub(super) fn impossible(report: &BenchReport) -> Option<Unshareable> {
    ceilings(report)
        .or_else(|| products(report))
        .or_else(|| steps(report))
}

fn ceilings(report: &BenchReport) -> Option<Unshareable> {
    let ceilings = report.ceilings.as_ref()?;
    let single = ceilings.rows();
    let single = single.iter().map(|(_, field, value, _)| (*field, *value));
    let loads = ceilings.loads.iter().flat_map(|rate| {
        [
            ("random_gb_s", rate.random_gb_s),
            ("sequential_gb_s", rate.sequential_gb_s),
        ]
    });
    let mut all = single
        .chain(loads)
        .filter_map(|(field, value)| Some((field, value?)));
    let (field, value) = all.find(|(_, value)| !possible(*value))?;
    Some(Unshareable::Ceiling { field, value })
}

fn products(report: &BenchReport) -> Option<Unshareable> {
    let of_kernels = report.kernels.iter().find_map(|k| {
        let of = format!("{} {}", k.kernel, k.n.unwrap_or(k.rows));
        let rate = k.operations as f64 / k.seconds * 1e-9;
        // Files from before this was recorded have no operations.
        let fits = k.operations == 0 || (rate / k.gflop_s - 1.0).abs() < 1e-3;
        if !ordered(&k.seconds_spread, k.seconds) || !possible(k.gflop_s) || !fits {
            return Some(Unshareable::Times { of });
        }
        if !(0.0..=1.0).contains(&k.sparsity) {
            let sparsity = k.sparsity;
            return Some(Unshareable::Sparsity { sparsity, of });
        }
        let right = (0.0..=tolerance(report.activations)).contains(&k.max_error);
        (!right).then_some(Unshareable::WrongResult { of })
    });
    let of_layers = || {
        report.crossover.iter().find_map(|layer| {
            let times = |at: &crate::bench::AtDensity| [at.sparse_seconds, at.dense_seconds];
            let mut times = layer.densities.iter().flat_map(times);
            let wrong = times.any(|seconds| !(possible(seconds) && seconds > 0.0));
            wrong.then(|| Unshareable::Times {
                of: layer.layer.clone(),
            })
        })
    };
    of_kernels.or_else(of_layers)
}

fn steps(report: &BenchReport) -> Option<Unshareable> {
    let steps = report.steps.iter().map(|s| {
        let round = (s.round_seconds, &s.round_spread);
        (s.model.clone(), (s.seconds, &s.seconds_spread), round)
    });
    let models = report.models.iter().map(|m| {
        let round = (m.round_seconds, &m.round_spread);
        (m.model.clone(), (m.seconds, &m.seconds_spread), round)
    });
    let scaling = report.scaling.iter().map(|s| {
        let round = (s.round_seconds, &s.round_spread);
        (
            format!("n = {}", s.n),
            (s.step_seconds, &s.step_spread),
            round,
        )
    });
    let mut all = steps.chain(models).chain(scaling);
    all.find_map(|(model, (step, step_spread), (round, round_spread))| {
        let what = match (ordered(step_spread, step), rising(round_spread, round)) {
            (true, true) => return None,
            (false, _) => "step",
            (true, false) => "round",
        };
        Some(Unshareable::Times {
            of: format!("a {what} of {model}"),
        })
    })
}

fn possible(value: f64) -> bool {
    value >= 0.0 && value.is_finite()
}

/// Whether these are quartiles around their median, of valid numbers.
fn rising(s: &Spread, median: f64) -> bool {
    possible(s.min) && possible(s.max) && [s.min, s.q1, median, s.q3, s.max].is_sorted()
}

/// Whether these are quartiles of times around their median, all above zero.
fn ordered(s: &Spread, median: f64) -> bool {
    s.min > 0.0 && rising(s, median)
}
