//! One training step and one prune-and-grow round of a perceptron.

use super::stepper::{CLASSES, Stepper, Training};
use crate::bench::measuring::guard::{Guard, unless_impossible};
use crate::bench::products::reference::{mean_loss, tolerate};
use crate::bench::report::Observer;
use crate::bench::{BenchOptions, Finding, Part, Skipped, StepFigure};
use crate::clock::Instant;
use crate::error::Result;
use crate::model::{Extent, Model, mlp};
use crate::network::NetworkState;
use crate::sparse::{Assignment, LayerState, allocate, initialise};

/// Number of features of a 32×32 colour image.
const FEATURES: usize = 3072;

/// Measures the step and the round of 3072-h-h-10 for every h of `options.hidden`.
pub(in crate::bench) fn measure(options: &BenchOptions, observer: &mut Observer<'_>) -> Result<()> {
    let mut guard = Guard::new(options.limit);
    let mut widths = options.hidden.clone();
    widths.sort_unstable();
    for hidden in widths {
        let model = mlp(Extent::vector(FEATURES), &[hidden, hidden], CLASSES)?;
        let shapes = model.shapes();
        let name = format!("{FEATURES}-{hidden}-{hidden}-{CLASSES}");
        let counts = unless_impossible(allocate(
            &shapes,
            options.step_sparsity,
            Assignment::ErdosRenyi,
        ))?;
        let figure = match counts {
            Ok(counts) => perceptron(options, &mut guard, &model, &counts, &name)?,
            Err(reason) => Err(reason),
        };
        match figure {
            Ok(figure) => {
                let (part, keep) = (Part::Step.name(), options.keep_doubtful);
                if observer.withholds(keep, part, &name, figure.doubt.as_deref()) {
                    continue;
                }
                observer.tell(Finding::Step(&figure));
            }
            Err(reason) => observer.skip(Skipped::new(Part::Step, &name, reason)),
        }
    }
    Ok(())
}

/// Measures a perceptron with `counts` connections in its layers, or says why not.
pub(in crate::bench) fn perceptron(
    options: &BenchOptions,
    guard: &mut Guard,
    model: &Model,
    counts: &[u64],
    name: &str,
) -> Result<Result<StepFigure, String>> {
    let work = counts.iter().sum::<u64>() as f64;
    if let Some(reason) = guard.too_long(guard.foresee("step", work)) {
        return Ok(Err(reason));
    }
    let begin = Instant::now();
    let device = options.open()?;
    let layers: Vec<LayerState> = (model.shapes().iter().zip(counts).enumerate())
        .map(|(l, (&shape, &count))| initialise(shape, count, 1, l as u32))
        .collect();
    let state = NetworkState {
        layers,
        ..NetworkState::default()
    };
    let training = Training {
        batch: options.batch,
        rate: 1e-3,
        weight_decay: 0.0,
        activations: options.activations,
        recompute: false,
    };
    let stepper = unless_impossible(Stepper::new(device, name, model, &state, training))?;
    let mut stepper = match stepper {
        Ok(stepper) => stepper,
        Err(reason) => return Ok(Err(reason)),
    };
    let expected = mean_loss(&state.layers, stepper.batch());
    let max_error = (stepper.first_loss() - expected).abs() / expected;
    let what = format!("the loss of {name}");
    tolerate(max_error, options.activations, stepper.device.name(), &what)?;
    let made = begin.elapsed().as_secs_f64();

    let step = stepper.time_steps(options.budget)?;
    let round = stepper.time_rounds(options.budget)?;
    // At least five steps and four pairs of a step and a step with a round are done.
    let least = 13.0 * step.median + 4.0 * round.median;
    guard.note("step", work, made + least);
    Ok(Ok(StepFigure {
        model: name.to_owned(),
        sparsity: options.step_sparsity,
        batch: options.batch,
        seconds: step.median,
        seconds_spread: step.spread,
        round_seconds: round.median,
        round_spread: round.spread,
        round_in_steps: round.median / step.median,
        connections: stepper.connections,
        layers: state.layers.iter().map(LayerState::active).collect(),
        bytes: stepper.bytes(),
        max_error,
        doubt: step.doubt.or(round.doubt),
    }))
}
