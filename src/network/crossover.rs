//! Measures, for the sizes of a model's layers, below which sparsity dense products are faster.

use super::options::NetworkOptions;
use super::tie::{Compared, Point, compared, search};
use crate::busy::{Watch, apart, disturbed};
use crate::engine::{Device, Plan, Program};
use crate::error::{Error, Result};
use crate::layer::{BothWays, LayerProduct};
use crate::model::{Model, SparseNode};
use crate::sparse::{Shape, Window, initialise};

/// The comparison for layers of one size.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerCrossover {
    /// The class of the layers, as `tune` keys it.
    pub class: String,
    /// Their names.
    pub layers: Vec<String>,
    /// The sparsity of the first one, at which the sparse products are timed.
    pub sparsity: f64,
    /// Each product that a step computes of such a layer; empty if it could not be measured.
    pub products: Vec<(LayerProduct, Compared)>,
    /// All but the gradients of the weights: those that a network can compute densely for a layer that is not full.
    pub together: Option<Compared>,
    /// Why it could not be measured, or why the times cannot be trusted.
    pub doubt: Option<String>,
}

/// A sparse layer of a model, as far as the time of its products depends on it.
struct Sized<'a> {
    layer: &'a SparseNode,
    products: Vec<LayerProduct>,
    class: String,
}

/// The class of each sparse layer of a model: its size, and what else determines the time of its products.
pub fn layer_classes(model: &Model, options: &NetworkOptions) -> Vec<String> {
    let layers = model.sparse();
    let sized = sized(model, &layers, options);
    sized.into_iter().map(|sized| sized.class).collect()
}

fn sized<'a>(model: &Model, layers: &'a [SparseNode], options: &NetworkOptions) -> Vec<Sized<'a>> {
    // Whether the gradient at a node's value is of use.
    let mut trained: Vec<bool> = Vec::new();
    for node in model.nodes() {
        let inputs = node.inputs().iter();
        let before = inputs.filter_map(|&at| trained.get(at)).any(|&t| t);
        let own = !node.layer().parameters(&model.inputs_of(node)).is_empty();
        trained.push(before || own || model.connections_of(node).is_some());
    }
    let input_of = |layer: &SparseNode| model.nodes().get(layer.node)?.inputs().first().copied();
    let of = |layer: &'a SparseNode| {
        let input = input_of(layer).and_then(|at| trained.get(at));
        let mut products = LayerProduct::ALL.to_vec();
        products.retain(|product| {
            *product != LayerProduct::InputGradient || input.is_some_and(|&trained| trained)
        });
        let forward_only = if products.len() < 3 {
            ", of the batch itself"
        } else {
            ""
        };
        let class = format!(
            "{}{forward_only} batch={} {}",
            size(layer),
            options.batch,
            options.activations
        );
        Sized {
            layer,
            products,
            class,
        }
    };
    layers.iter().map(of).collect()
}

/// A layer's size in words.
fn size(layer: &SparseNode) -> String {
    let (Shape { n_in, n_out }, window) = (layer.shape, &layer.window);
    let by = |[y, x]: [usize; 2]| format!("{y}x{x}");
    if window.is_pointwise() {
        return match window.output_positions() {
            1 => format!("{n_in} to {n_out}"),
            _ => format!("{n_in} to {n_out} at {}", by(window.input)),
        };
    }
    format!(
        "{} to {n_out} channels at {}, kernel {}, stride {}, padding {}",
        n_in / window.taps().max(1),
        by(window.input),
        by(window.kernel),
        by(window.stride),
        by(window.padding)
    )
}

/// Below this many words, a layer is not worth measuring: a product takes about as long as its launch.
const LEAST_WORDS: usize = 1 << 14;

/// The most connections that a layer is given beyond its own, so that the host's memory holds them.
const MOST_CONNECTIONS: f64 = (1 << 24) as f64;

/// Compares the products of a model's layers, with `counts` connections, one size after another. Of the options, only
/// the batch and the storage of activations matter. A `device` that tunes measures variants of the kernels, too.
///
/// # Errors
/// The device is lost.
pub fn crossovers(
    device: &Device,
    model: &Model,
    counts: &[u64],
    options: &NetworkOptions,
) -> Result<Vec<LayerCrossover>> {
    let layers = model.sparse();
    let mut found: Vec<LayerCrossover> = Vec::new();
    for (sized, &count) in sized(model, &layers, options).into_iter().zip(counts) {
        let Shape { n_in, n_out } = sized.layer.shape;
        let row = sized.layer.window.output_positions() * options.batch;
        if n_in
            .saturating_mul(n_out)
            .max((n_in + n_out).saturating_mul(row))
            < LEAST_WORDS
        {
            continue;
        }
        match found.iter_mut().find(|known| known.class == sized.class) {
            Some(known) => known.layers.push(sized.layer.name.clone()),
            None => found.push(measure(device, sized, count, options)?),
        }
    }
    Ok(found)
}

fn measure(
    device: &Device,
    sized: Sized<'_>,
    count: u64,
    options: &NetworkOptions,
) -> Result<LayerCrossover> {
    let (shape, window) = (sized.layer.shape, sized.layer.window);
    let all = shape.dense() as f64;
    let density = (count.max(1) as f64 / all).min(1.0);
    let mut doubt = None;
    let mut time = |density: f64| {
        let count = ((density * all).round() as u64).max(1);
        let (times, why) = times(device, shape, window, count, &sized.products, options)?;
        doubt = doubt.take().or(why);
        Ok(Point {
            density: count as f64 / all,
            times,
        })
    };
    let most = (MOST_CONNECTIONS / all).clamp(density, 1.0);
    let weights = shape.dense().saturating_mul(4);
    let points = (device.admit(
        "weights of a dense layer",
        weights,
        weights.saturating_mul(2),
    ))
    .and_then(|()| search(density, (1.0 / all)..most, &mut time));
    let (products, together) = match points {
        Ok(points) => {
            let of = |chosen: &dyn Fn(usize) -> bool| compared(&points, density, chosen);
            let each = sized.products.iter().enumerate();
            (
                each.filter_map(|(at, &p)| Some((p, of(&|other| other == at)?)))
                    .collect(),
                of(&|at| at + 1 < sized.products.len()),
            )
        }
        Err(error @ (Error::Limit { .. } | Error::Memory { .. } | Error::Loops { .. })) => {
            doubt = Some(error.to_string());
            (Vec::new(), None)
        }
        Err(error) => return Err(error),
    };
    Ok(LayerCrossover {
        class: sized.class,
        layers: vec![sized.layer.name.clone()],
        sparsity: 1.0 - density,
        products,
        together,
        doubt,
    })
}

/// Seconds that a measurement of one product should last, by repeating it; and the most repetitions.
const SECONDS: f64 = 5e-4;
const MOST_COPIES: usize = 32;

/// Measurements of each product, in turns, after one that is not counted: fewer of those that take long.
const TURNS: usize = 5;
const LONG_TURNS: usize = 3;
const LONG: f64 = 0.1;

/// How often a measurement is repeated after other work disturbed it.
const ATTEMPTS: usize = 3;

/// Seconds of each product with so many connections: from their list, and dense; and why they cannot be trusted.
fn times(
    device: &Device,
    shape: Shape,
    window: Window,
    count: u64,
    products: &[LayerProduct],
    options: &NetworkOptions,
) -> Result<(Vec<[f64; 2]>, Option<String>)> {
    let state = initialise(shape, count, 1, 0);
    let both = BothWays::new(device, state, window, options.batch, options.activations)?;
    let mut plans = Vec::new();
    for &product in products {
        let mut sparse = Plan::new("sparse product");
        both.sparse(&mut sparse, product)?;
        let mut dense = Plan::new("dense product");
        both.dense(&mut dense, product)?;
        plans.extend([sparse, dense]);
    }
    device.tune(&plans.iter().collect::<Vec<_>>())?;
    let mut timed = Vec::new();
    for plan in &plans {
        timed.push(Timed::new(device, plan)?);
    }
    let mut attempt = 1;
    loop {
        let watch = Watch::start(device.threads());
        let mut samples = vec![Vec::new(); timed.len()];
        let (mut turn, mut turns) = (0, TURNS);
        while turn <= turns {
            for (timed, samples) in timed.iter().zip(&mut samples) {
                samples.push(timed.seconds(device)?);
            }
            if watch.elapsed().as_secs_f64() > LONG {
                turns = LONG_TURNS;
            }
            turn += 1;
        }
        // The first one warms up.
        samples.iter_mut().for_each(|samples| {
            samples.remove(0);
            samples.sort_by(f64::total_cmp);
        });
        let scattered = |samples: &Vec<f64>| {
            let quarter = samples.len() / 4;
            let (q1, q3) = (
                samples.get(quarter)?,
                samples.get(samples.len() - 1 - quarter)?,
            );
            apart(*q1, *q3, samples.len())
        };
        let doubt = disturbed(&watch.usage()).or_else(|| samples.iter().find_map(scattered));
        let doubt = doubt.filter(|_| !device.keeps_doubtful());
        if doubt.is_none() || attempt == ATTEMPTS {
            let least = |samples: &Vec<f64>| samples.first().copied().unwrap_or(f64::INFINITY);
            let (pairs, _) = samples.as_chunks::<2>();
            return Ok((
                pairs
                    .iter()
                    .map(|pair| pair.each_ref().map(least))
                    .collect(),
                doubt,
            ));
        }
        attempt += 1;
    }
}

/// A plan in so many copies that its launch matters little.
struct Timed {
    program: Program,
    copies: usize,
}

impl Timed {
    fn new(device: &Device, plan: &Plan) -> Result<Self> {
        let copied = |copies: usize| -> Result<Self> {
            let mut copied = Plan::new(&plan.name);
            (0..copies).for_each(|_| copied.append(plan.clone()));
            let program = device.prepare(&copied)?;
            Ok(Timed { program, copies })
        };
        let once = copied(1)?;
        // The first run may compile it.
        once.seconds(device)?;
        let copies = (SECONDS / once.seconds(device)?.max(1e-9)).ceil() as usize;
        copied(copies.clamp(1, MOST_COPIES))
    }

    /// Seconds of one copy, by the device's clock if it has one.
    fn seconds(&self, device: &Device) -> Result<f64> {
        let phases = device.run_phases(&self.program)?;
        let seconds: f64 = phases.iter().map(|phase| phase.seconds).sum();
        Ok(seconds / self.copies as f64)
    }
}
