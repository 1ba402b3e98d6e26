//! A training step and a round of models by name, and where the step's time goes.

use std::collections::BTreeMap;

use super::stepper::{Stepper, Training};
use crate::bench::measuring::doubt;
use crate::bench::measuring::guard::{Guard, unless_impossible};
use crate::bench::options::model;
use crate::bench::products::reference::tolerate;
use crate::bench::report::Observer;
use crate::bench::{BenchOptions, Finding, KernelTime, ModelFigure, Part, SOFTWARE_BATCH, Skipped};
use crate::clock::Instant;
use crate::engine::{Device, TimedBy};
use crate::error::Result;
use crate::model::Model;
use crate::network::NetworkState;
use crate::sparse::{Assignment, allocate};

/// Number of steps that are timed dispatch by dispatch.
const TIMED: usize = 3;

/// Measures each of `options.models`.
pub(in crate::bench) fn measure(options: &BenchOptions, observer: &mut Observer<'_>) -> Result<()> {
    let mut guard = Guard::new(options.limit);
    for name in &options.models {
        match measure_one(options, &mut guard, name)? {
            Ok((figure, unexplained)) => {
                let (part, keep) = (Part::Model.name(), options.keep_doubtful);
                if observer.withholds(keep, part, name, figure.doubt.as_deref()) {
                    continue;
                }
                observer.tell(Finding::Model(&figure));
                let case = format!("the kernels of {name}");
                observer.withholds(keep, part, &case, unexplained.as_deref());
            }
            Err(reason) => observer.skip(Skipped::new(Part::Model, name, reason)),
        }
    }
    Ok(())
}

/// A model's figure, and why its kernels do not explain it; or why the model is skipped.
fn measure_one(
    options: &BenchOptions,
    guard: &mut Guard,
    name: &str,
) -> Result<Result<(ModelFigure, Option<String>), String>> {
    let model = model(name)?;
    let device = options.open()?;
    let batch = match device.is_cpu() || device.is_hardware() {
        true => options.batch,
        false => options.batch.min(SOFTWARE_BATCH),
    };
    // The time grows with the activations, because norms and short rows are bound by memory.
    let values: usize = model.nodes().iter().map(|node| node.extent().size()).sum();
    let work = (values * batch) as f64;
    if let Some(reason) = guard.too_long(guard.foresee("model", work)) {
        return Ok(Err(reason));
    }
    let shapes = model.shapes();
    let counts = allocate(&shapes, options.step_sparsity, Assignment::ErdosRenyi);
    let counts = match unless_impossible(counts)? {
        Ok(counts) => counts,
        Err(reason) => return Ok(Err(reason)),
    };
    let state = NetworkState::initialise(&model, &counts, 1);
    let training = Training {
        batch,
        rate: 1e-2,
        weight_decay: 1e-4,
        activations: options.activations,
        recompute: options.checkpoint_activations,
    };
    let begin = Instant::now();
    let stepper = unless_impossible(Stepper::new(device, name, &model, &state, training))?;
    let mut stepper = match stepper {
        Ok(stepper) => stepper,
        Err(reason) => return Ok(Err(reason)),
    };
    let max_error = agreement(options, &mut stepper, name, &model, &state, training)?;
    let made = begin.elapsed().as_secs_f64();
    let step = stepper.time_steps(options.budget)?;
    let round = stepper.time_rounds(options.budget)?;
    let bytes = stepper.bytes();
    // This comes last: some clocks need dispatches to run many times, after which the weights are meaningless.
    let (mut kernels, kernels_timed_by) = kernel_times(&mut stepper)?;
    let whole: f64 = kernels.iter().map(|k| k.seconds).sum();
    let exact = kernels_timed_by != Some(TimedBy::ManyDispatches);
    let unexplained = doubt::unexplained(whole, step.median, exact);
    if unexplained.is_some() && !options.keep_doubtful {
        kernels.clear();
    }
    // At least this is done: five steps, those timed dispatch by dispatch, and four pairs of a step and a step with a
    // round.
    let least = (13 + TIMED) as f64 * step.median + 4.0 * round.median;
    guard.note("model", work, made + least);
    let figure = ModelFigure {
        model: name.to_owned(),
        sparsity: options.step_sparsity,
        batch,
        connections: stepper.connections,
        seconds: step.median,
        seconds_spread: step.spread,
        round_seconds: round.median,
        round_spread: round.spread,
        round_in_steps: round.median / step.median,
        bytes,
        max_error,
        kernels,
        kernels_timed_by,
        doubt: step.doubt.or(round.doubt),
    };
    Ok(Ok((figure, unexplained)))
}

/// Does a second step and compares both losses with those of the CPU executor, whose kernels are different code: the
/// largest relative error. On the CPU executor itself there is nothing to compare with.
fn agreement(
    options: &BenchOptions,
    stepper: &mut Stepper,
    name: &str,
    model: &Model,
    state: &NetworkState,
    training: Training,
) -> Result<Option<f64>> {
    let losses = [stepper.first_loss(), stepper.step()?];
    if stepper.device.is_cpu() {
        return Ok(None);
    }
    let device = Device::cpu(options.threads)?;
    let mut host = Stepper::new(device, name, model, state, training)?;
    let expected = [host.first_loss(), host.step()?];
    let error = (losses.iter().zip(expected))
        .map(|(found, expected)| (found - expected).abs() / expected)
        // `max` would ignore a NaN.
        .fold(
            0.0,
            |most: f64, e| if e > most || e.is_nan() { e } else { most },
        );
    let what = format!("the first two losses of {name}");
    tolerate(error, training.activations, stepper.device.name(), &what)?;
    Ok(Some(error))
}

/// Times a few steps dispatch by dispatch, and sums by kernel; also gives the clock.
fn kernel_times(stepper: &mut Stepper) -> Result<(Vec<KernelTime>, Option<TimedBy>)> {
    let mut kernels: BTreeMap<&'static str, KernelTime> = BTreeMap::new();
    let mut timed_by = None;
    for _ in 0..TIMED {
        for time in stepper.dispatches()? {
            timed_by = Some(time.timed_by);
            let kernel = kernels.entry(time.kernel).or_insert_with(|| KernelTime {
                kernel: time.kernel.to_owned(),
                calls: 0,
                bytes: 0,
                seconds: 0.0,
                share: 0.0,
                gb_s: 0.0,
            });
            kernel.calls += 1;
            kernel.seconds += time.seconds;
            kernel.bytes += time.bytes;
        }
    }
    let total: f64 = kernels.values().map(|k| k.seconds).sum();
    let mut kernels: Vec<KernelTime> = kernels
        .into_values()
        .map(|k| KernelTime {
            calls: k.calls / TIMED,
            bytes: k.bytes / TIMED as u64,
            seconds: k.seconds / TIMED as f64,
            share: k.seconds / total,
            gb_s: k.bytes as f64 * 1e-9 / k.seconds,
            ..k
        })
        .collect();
    kernels.sort_by(|a, b| b.seconds.total_cmp(&a.seconds));
    Ok((kernels, timed_by))
}
