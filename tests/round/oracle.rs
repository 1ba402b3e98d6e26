//! A round by brute force: dense gradients in f64, with sets and sorts of the standard library.

use std::collections::BTreeSet;

use rootlet::engine::random::{Stream, below, random, unit};
use rootlet::optim::{Numbers, OptimiserState};
use rootlet::sparse::LayerState;
use rootlet::topology::{Candidates, Distribution, LayerReport, Method, Scope};

use super::world::{MOMENTUM, World};

/// (layer, row, col) within the layer: the order in which ties are broken.
type Pair = (usize, u32, u32);

/// Does to `world.layers` what the round should do.
pub fn round(
    world: &mut World,
    method: &dyn Method,
    scope: Scope,
    gamma: f64,
    alpha_t: f64,
    step: u32,
) -> Vec<LayerReport> {
    let active: Vec<BTreeSet<(u32, u32)>> =
        world.layers.iter().map(|l| l.pairs().collect()).collect();
    let candidates: Vec<BTreeSet<(u32, u32)>> = (0..world.layers.len())
        .map(|l| {
            let mut pairs = drawn(world, l, method.growth().candidates(), gamma, step);
            pairs.retain(|pair| !active[l].contains(pair));
            pairs
        })
        .collect();

    let mut index = 0;
    let mut grow: Vec<(f64, Pair)> = Vec::new();
    for (l, candidates) in candidates.iter().enumerate() {
        for &(b, a) in candidates {
            let score = if method.name() == "set" {
                f64::from(unit(
                    random(world.seed, step, Stream::RandomScores, 0, index)[0],
                ))
            } else {
                let by_row = [1.0, 2.0, 3.0][b as usize % 3];
                let weight = if method.name() == "by-row" {
                    by_row
                } else {
                    1.0
                };
                weight * world.gradient(l, b as usize, a as usize).abs()
            };
            grow.push((score, (l, b, a)));
            index += 1;
        }
    }
    let mut prune: Vec<(f64, Pair)> = Vec::new();
    for (l, layer) in world.layers.iter().enumerate() {
        for ((b, a), theta) in layer.pairs().zip(&layer.values) {
            prune.push((f64::from(theta.abs()), (l, b, a)));
        }
    }
    // Stable sorts: ties stay in the order of layer, row, column.
    grow.sort_by(|x, y| y.0.total_cmp(&x.0));
    prune.sort_by(|x, y| x.0.total_cmp(&y.0));

    let segment = |l: usize| if scope == Scope::Layer { l } else { 0 };
    let segments = segment(world.layers.len() - 1) + 1;
    let mut left: Vec<usize> = (0..segments)
        .map(|s| {
            let sum = |sets: &[BTreeSet<(u32, u32)>]| -> usize {
                (0..sets.len())
                    .filter(|&l| segment(l) == s)
                    .map(|l| sets[l].len())
                    .sum()
            };
            let requested = (alpha_t * sum(&active) as f64).ceil() as usize;
            requested.min(sum(&active)).min(sum(&candidates))
        })
        .collect();
    let mut left_to_prune = left.clone();
    let take = |ranked: &[(f64, Pair)], left: &mut Vec<usize>| -> Vec<(f64, Pair)> {
        let mut taken = Vec::new();
        for &(value, pair) in ranked {
            if left[segment(pair.0)] > 0 {
                left[segment(pair.0)] -= 1;
                taken.push((value, pair));
            }
        }
        taken
    };
    let grown = take(&grow, &mut left);
    let pruned = take(&prune, &mut left_to_prune);

    let mut reports = Vec::new();
    for (l, candidates) in candidates.iter().enumerate() {
        let of_layer = |taken: &[(f64, Pair)]| -> (BTreeSet<(u32, u32)>, f32) {
            let own: Vec<_> = taken.iter().filter(|t| t.1.0 == l).collect();
            let sum: f64 = own.iter().map(|t| t.0).sum();
            let mean = if own.is_empty() {
                0.0
            } else {
                sum / own.len() as f64
            };
            (own.iter().map(|t| (t.1.1, t.1.2)).collect(), mean as f32)
        };
        let (grown, grown_gradient) = of_layer(&grown);
        let (pruned, pruned_magnitude) = of_layer(&pruned);
        let layer = rebuild(&world.layers[l], &pruned, &grown);
        reports.push(LayerReport {
            active: layer.active(),
            total: layer.n_in * layer.n_out,
            candidates: candidates.len(),
            pruned: pruned.len(),
            grown: grown.len(),
            grown_gradient,
            pruned_magnitude,
        });
        world.layers[l] = layer;
    }
    reports
}

fn rebuild(
    old: &LayerState,
    pruned: &BTreeSet<(u32, u32)>,
    grown: &BTreeSet<(u32, u32)>,
) -> LayerState {
    // A state that no optimiser has begun to train has none.
    let momentum = |j: usize| old.state.f32(MOMENTUM).get(j).copied().unwrap_or(0.0);
    let kept = old.pairs().enumerate();
    let mut all: Vec<((u32, u32), f32, f32)> = kept
        .filter(|(_, pair)| !pruned.contains(pair))
        .map(|(j, pair)| (pair, old.values[j], momentum(j)))
        .chain(grown.iter().map(|&pair| (pair, 0.0, 0.0)))
        .collect();
    all.sort_by_key(|c| c.0);
    let pairs: Vec<_> = all.iter().map(|c| c.0).collect();
    let momentum = Numbers::F32(all.iter().map(|c| c.2).collect());
    LayerState {
        values: all.iter().map(|c| c.1).collect(),
        state: OptimiserState::of([(MOMENTUM.into(), momentum)]),
        bias: old.bias.clone(),
        bias_state: old.bias_state.clone(),
        ..LayerState::from_pairs(old.n_in, old.n_out, &pairs)
    }
}

/// The distinct pairs that a layer's slots draw.
fn drawn(
    world: &World,
    l: usize,
    candidates: Candidates,
    gamma: f64,
    step: u32,
) -> BTreeSet<(u32, u32)> {
    let layer = &world.layers[l];
    let (n_in, n_out) = (layer.n_in as u32, layer.n_out as u32);
    let distribution = match candidates {
        Candidates::None => return BTreeSet::new(),
        Candidates::All => {
            return (0..n_out)
                .flat_map(|b| (0..n_in).map(move |a| (b, a)))
                .collect();
        }
        Candidates::Sampled(distribution) => distribution,
    };
    let f = density(world, &world.activations[l], distribution, step);
    let g = density(world, &world.deltas[l], distribution, step);
    (0..(gamma * layer.active() as f64).ceil() as u32)
        .map(|slot| {
            let words = random(world.seed, step, Stream::Candidates, l as u32, slot);
            (initialise(&g, words[1]), initialise(&f, words[0]))
        })
        .collect()
}

/// f or g of every unit, before it is normalised.
pub fn density(world: &World, values: &[f32], distribution: Distribution, step: u32) -> Vec<f64> {
    let sign = |lane: usize| {
        let word = random(world.seed, step, Stream::Signs, 0, lane as u32)[0];
        if word >> 31 == 0 { 1.0 } else { -1.0 }
    };
    values
        .chunks(world.lanes)
        .map(|row| {
            let row = row[..world.count].iter().map(|&x| f64::from(x));
            match distribution {
                Distribution::Uniform => 0.0,
                Distribution::GraBo => row.map(f64::abs).sum(),
                Distribution::GraEst => row
                    .enumerate()
                    .map(|(lane, x)| x * sign(lane))
                    .sum::<f64>()
                    .abs(),
            }
        })
        .collect()
}

/// Inverse CDF. With integer activations, all sums are exact, in f32 as in f64.
fn initialise(density: &[f64], word: u32) -> u32 {
    let total: f64 = density.iter().sum();
    if total == 0.0 {
        return below(word, density.len() as u32);
    }
    let requested = f64::from(unit(word) * total as f32);
    let mut sum = 0.0;
    for (unit, share) in density.iter().enumerate() {
        sum += share;
        if sum > requested {
            return unit as u32;
        }
    }
    unreachable!("a share of the total lies below it")
}
