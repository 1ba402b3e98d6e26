//! The density above which the dense products are faster than the sparse ones, layer by layer. The constants of
//! [`crate::dense`] come from here.

use crate::bench::measuring::guard::{Guard, too_large, unless_impossible};
use crate::bench::measuring::timing::Timed;
use crate::bench::report::Observer;
use crate::bench::{AtDensity, BenchOptions, CrossoverFigure, Finding, Part, Skipped};
use crate::clock::Instant;
use crate::engine::{Device, Plan, Precision};
use crate::error::Result;
use crate::layer::{BothWays, LayerProduct};
use crate::sparse::{Shape, Window, initialise};

/// Densities at which both are timed, in percent.
const DENSITIES: [u32; 8] = [10, 20, 30, 40, 50, 60, 80, 100];

/// What is timed in both ways. Layers that are not full compute the gradients of their weights in only one.
const PRODUCTS: [LayerProduct; 2] = [LayerProduct::Forward, LayerProduct::InputGradient];

/// Name, input and output units, and window of a layer.
type Case = (&'static str, usize, usize, Window);

/// The layers; those that the constants come from are first.
fn cases() -> Result<Vec<Case>> {
    let plane = |n| Window::new([n, n], [3, 3], [1, 1], [1, 1]);
    Ok(vec![
        ("3x3 of 64 channels, 8x8", 64, 64, plane(8)?),
        ("linear 1024", 1024, 1024, Window::pointwise([1, 1])),
        (
            "64 tokens of 192 to 768",
            192,
            768,
            Window::pointwise([8, 8]),
        ),
        ("3x3 of 16 channels, 32x32", 16, 16, plane(32)?),
        (
            "3x3 of 32 to 64 channels, 16x16 by 2",
            32,
            64,
            Window::new([16, 16], [3, 3], [2, 2], [1, 1])?,
        ),
        ("linear 4096", 4096, 4096, Window::pointwise([1, 1])),
    ])
}

/// Measures each layer.
pub(in crate::bench) fn measure(options: &BenchOptions, observer: &mut Observer<'_>) -> Result<()> {
    let device = options.open()?;
    let mut guard = Guard::new(options.limit);
    for (name, n_in, n_out, window) in cases()? {
        let shape = Shape {
            n_in: n_in * window.taps(),
            n_out,
        };
        let lanes = options.batch.next_multiple_of(4);
        let work = (shape.dense() as usize * window.output_positions() * lanes) as f64;
        // Weights, gradient, indices and the copy with zeros, and the host's share during the measurement.
        let bytes = shape.dense() * 96;
        let begin = Instant::now();
        let found = match too_large(&device, shape.dense() * 4, bytes)
            .or_else(|| guard.too_long(guard.foresee("crossover", work)))
        {
            Some(reason) => Err(reason),
            None => unless_impossible(layer(&device, options, name, shape, window))?,
        };
        match found {
            Ok(figure) => {
                guard.note("crossover", work, begin.elapsed().as_secs_f64());
                observer.tell(Finding::Crossover(&figure));
            }
            Err(reason) => observer.skip(Skipped::new(Part::Crossover, name, reason)),
        }
    }
    Ok(())
}

fn layer(
    device: &Device,
    options: &BenchOptions,
    name: &str,
    shape: Shape,
    window: Window,
) -> Result<CrossoverFigure> {
    let mut densities = Vec::new();
    let mut doubt = None;
    for percent in DENSITIES {
        let density = f64::from(percent) / 100.0;
        let count = (density * shape.dense() as f64) as u64;
        let state = initialise(shape, count.max(1), 1, 0);
        let problem = BothWays::new(device, state, window, options.batch, Precision::F32)?;
        let mut sparse = Plan::new("sparse products");
        let mut dense = Plan::new("dense products");
        for product in PRODUCTS {
            problem.sparse(&mut sparse, product)?;
            problem.dense(&mut dense, product)?;
        }
        device.tune(&[&sparse, &dense])?;
        let sparse = Timed::new(device, &sparse, options.budget)?;
        let dense = Timed::new(device, &dense, options.budget)?;
        let ratio = |sparse: f64, dense: f64| sparse / dense;
        let [sparse, dense, ratio] = sparse.in_turns(&dense, device, options.budget, ratio)?;
        doubt = doubt.or(ratio.doubt);
        densities.push(AtDensity {
            density,
            sparse_seconds: sparse.median,
            dense_seconds: dense.median,
        });
    }
    let operations = 4.0 * (shape.dense() as usize * window.output_positions()) as f64;
    Ok(CrossoverFigure {
        layer: name.to_owned(),
        batch: options.batch,
        tie: CrossoverFigure::tie_of(&densities),
        dense_gflop_s: densities
            .last()
            .map(|at| operations * options.batch as f64 / at.dense_seconds * 1e-9),
        densities,
        doubt,
    })
}
