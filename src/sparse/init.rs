//! The initial graph: how many connections each layer gets, which ones, and their initial weights.

use super::layer_state::LayerState;
use crate::choice::choice;
use crate::engine::host_memory;
use crate::engine::random::{Stream, below, random, unit};
use crate::error::{Error, Refusal, Result};

/// A layer's size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Input units.
    pub n_in: usize,
    /// Output units.
    pub n_out: usize,
}

impl Shape {
    /// Connections of the dense layer.
    pub fn dense(self) -> u64 {
        (self.n_in as u64).saturating_mul(self.n_out as u64)
    }
}

choice! {
    /// How the connections are divided among the layers.
    pub enum Assignment {
        /// In proportion to inputs + outputs (Mocanu et al. 2018), so that the total is linear in the width
        ErdosRenyi = "erdos-renyi",
        /// The same density in every layer
        Uniform = "uniform",
    }
}

/// Host bytes for each connection that is being drawn: 12 of its [`LayerState`], 8 of its pair, and 20 of the indices
/// that are uploaded.
const DRAWN: u64 = 40;

/// Number of connections of each layer, for an overall `sparsity` in `[0, 1)`.
///
/// The total is `(1 - sparsity) * sum(n_in * n_out)`, rounded. Layers that Erdős–Rényi's common scale would fill beyond
/// dense are clipped to dense, and the scale is chosen so that the total holds *with* these; at sparsity 0 every layer
/// is therefore dense. Fractions go to the layers with the largest remainders, to the earlier ones on ties.
///
/// # Errors
/// The sparsity is outside `[0, 1)`, or so high that a layer has no connection left; there are more connections or
/// units than 32-bit indices can count, or more connections than this machine has memory to draw.
pub fn allocate(shapes: &[Shape], sparsity: f64, assignment: Assignment) -> Result<Vec<u64>> {
    if !(0.0..1.0).contains(&sparsity) {
        return Err(Error::OutOfRange {
            what: "sparsity",
            value: sparsity.to_string(),
            must: "it is outside [0, 1): 0 is dense, 0.98 keeps 2 of 100 connections",
        });
    }
    let dense: f64 = shapes.iter().map(|s| s.n_in as f64 * s.n_out as f64).sum();
    let total = ((1.0 - sparsity) * dense).round();
    let units: f64 = shapes.iter().map(|s| (s.n_in + s.n_out) as f64).sum();
    if total.max(units) >= f64::from(u32::MAX) {
        return Err(Error::refused(Refusal::Countless {
            connections: total,
            units,
        }));
    }
    let total = total as u64;
    host_memory::admit("connections", total * DRAWN, host_memory::available())?;
    let size = |s: &Shape| match assignment {
        Assignment::ErdosRenyi => (s.n_in + s.n_out) as f64,
        Assignment::Uniform => s.dense() as f64,
    };
    // Clip the layers that a common scale would overfill, and give the rest to the others, until none is overfilled.
    let mut clipped = vec![false; shapes.len()];
    let share = loop {
        let open = || (0..shapes.len()).filter(|&l| !clipped[l]);
        let taken: u64 = (0..shapes.len())
            .filter(|&l| clipped[l])
            .map(|l| shapes[l].dense())
            .sum();
        let scale =
            total.saturating_sub(taken) as f64 / open().map(|l| size(&shapes[l])).sum::<f64>();
        let over: Vec<usize> = open()
            .filter(|&l| scale * size(&shapes[l]) >= shapes[l].dense() as f64)
            .collect();
        if over.is_empty() {
            break (0..shapes.len())
                .map(|l| match clipped[l] {
                    true => shapes[l].dense() as f64,
                    false => scale * size(&shapes[l]),
                })
                .collect::<Vec<f64>>();
        }
        over.into_iter().for_each(|l| clipped[l] = true);
    };
    let mut counts: Vec<u64> = share.iter().map(|s| s.floor() as u64).collect();
    let mut by_remainder: Vec<usize> = (0..shapes.len()).filter(|&l| !clipped[l]).collect();
    by_remainder.sort_by(|&a, &b| {
        share[b]
            .fract()
            .total_cmp(&share[a].fract())
            .then(a.cmp(&b))
    });
    let missing = total.saturating_sub(counts.iter().sum()) as usize;
    for &l in by_remainder
        .iter()
        .cycle()
        .take(missing.min(by_remainder.len()))
    {
        counts[l] = (counts[l] + 1).min(shapes[l].dense());
    }
    if let Some(l) = counts.iter().position(|&n| n == 0) {
        return Err(Error::Unconnected {
            sparsity,
            layer: l,
            units: [shapes[l].n_in, shapes[l].n_out],
        });
    }
    Ok(counts)
}

/// Draws a layer: `count` distinct pairs (or all, if there are fewer), uniformly without replacement (a G(n, M) graph),
/// and its weights.
///
/// Weights are uniform in `±sqrt(3 / fan_in)` with the *actual* fan-in of the output unit (at least 1), so that outputs
/// have unit variance for inputs of unit variance; biases have the same bounds.
pub fn initialise(shape: Shape, count: u64, seed: u32, layer: u32) -> LayerState {
    let count = count.min(shape.dense()) as usize;
    let pairs = sample_pairs(shape, count, seed, layer);
    let mut state = LayerState::from_pairs(shape.n_in, shape.n_out, &pairs);
    for b in 0..shape.n_out {
        let row = state.row(b);
        let bound = (3.0 / row.len().max(1) as f32).sqrt();
        let value = |index: u32, word: usize| {
            let words = random(seed, 0, Stream::Weights, layer, index);
            (unit(words[word]) * 2.0 - 1.0) * bound
        };
        state.bias[b] = value(b as u32, 1);
        for j in row {
            state.values[j] = value(j as u32, 0);
        }
    }
    state
}

/// Distinct pairs `(output, input)` in rising order.
fn sample_pairs(shape: Shape, count: usize, seed: u32, layer: u32) -> Vec<(u32, u32)> {
    let dense = shape.dense();
    // Above half density there are fewer pairs to leave out, so those are drawn. Either list is then O(count) long.
    let complement = count as u64 * 2 > dense;
    let requested = if complement {
        (dense - count as u64) as usize
    } else {
        count
    };
    // Drawing as many as are missing and dropping duplicates, until none is missing, is sampling without replacement.
    let mut drawn: Vec<(u32, u32)> = Vec::with_capacity(requested);
    let mut attempt = 0u32;
    while drawn.len() < requested {
        for index in 0..(requested - drawn.len()) as u32 {
            let words = random(seed, attempt, Stream::Graph, layer, index);
            let b = below(words[0], shape.n_out as u32);
            let a = below(words[1], shape.n_in as u32);
            drawn.push((b, a));
        }
        drawn.sort_unstable();
        drawn.dedup();
        attempt += 1;
    }
    if !complement {
        return drawn;
    }
    let mut left_out = drawn.into_iter().peekable();
    (0..shape.n_out as u32)
        .flat_map(|b| (0..shape.n_in as u32).map(move |a| (b, a)))
        .filter(|pair| left_out.next_if_eq(pair).is_none())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MLP: [Shape; 3] = [
        Shape {
            n_in: 784,
            n_out: 1024,
        },
        Shape {
            n_in: 1024,
            n_out: 1024,
        },
        Shape {
            n_in: 1024,
            n_out: 10,
        },
    ];

    fn dense() -> u64 {
        MLP.iter().map(|s| s.dense()).sum()
    }

    #[test]
    fn erdos_renyi_gives_each_layer_its_share_of_units() {
        let counts = allocate(&MLP, 0.98, Assignment::ErdosRenyi).unwrap();
        let total = (0.02 * dense() as f64).round();
        assert_eq!(counts.iter().sum::<u64>() as f64, total);
        let scale = total / (1808 + 2048 + 1034) as f64;
        for (count, units) in counts.iter().zip([1808.0, 2048.0, 1034.0]) {
            assert!((*count as f64 - scale * units).abs() <= 1.0);
        }
    }

    #[test]
    fn overfull_layers_are_clipped_and_the_total_is_kept() {
        let counts = allocate(&MLP, 0.9, Assignment::ErdosRenyi).unwrap();
        assert_eq!(counts[2], MLP[2].dense());
        assert_eq!(
            counts.iter().sum::<u64>() as f64,
            (0.1 * dense() as f64).round()
        );
        for assignment in [Assignment::ErdosRenyi, Assignment::Uniform] {
            let counts = allocate(&MLP, 0.0, assignment).unwrap();
            assert!(counts.iter().zip(&MLP).all(|(n, s)| *n == s.dense()));
        }
    }

    #[test]
    fn uniform_gives_every_layer_the_same_density() {
        let counts = allocate(&MLP, 0.75, Assignment::Uniform).unwrap();
        for (n, s) in counts.iter().zip(&MLP) {
            assert!((*n as f64 - 0.25 * s.dense() as f64).abs() <= 1.0);
        }
    }

    #[test]
    fn bad_sparsities_are_refused() {
        for sparsity in [1.0, -0.1, f64::NAN, 1.5] {
            let message = allocate(&MLP, sparsity, Assignment::Uniform)
                .unwrap_err()
                .to_string();
            assert!(message.contains("outside [0, 1)"), "{message}");
        }
        let message = allocate(&MLP, 0.999_999, Assignment::ErdosRenyi)
            .unwrap_err()
            .to_string();
        assert!(message.contains("without a connection"), "{message}");
    }

    #[test]
    fn pairs_are_distinct_sorted_and_as_many_as_asked() {
        let shape = Shape {
            n_in: 37,
            n_out: 23,
        };
        for count in [0, 1, 100, 425, 426, 700, 850, 851] {
            let pairs = sample_pairs(shape, count, 7, 0);
            assert_eq!(pairs.len(), count);
            assert!(pairs.windows(2).all(|w| w[0] < w[1]));
            assert!(pairs.iter().all(|&(b, a)| b < 23 && a < 37));
        }
        assert_ne!(
            sample_pairs(shape, 100, 7, 0),
            sample_pairs(shape, 100, 8, 0)
        );
        assert_ne!(
            sample_pairs(shape, 100, 7, 0),
            sample_pairs(shape, 100, 7, 1)
        );
    }

    /// Chi-squared of how often each pair is drawn over many seeds, below and above half density.
    #[test]
    fn every_pair_is_drawn_equally_often() {
        let shape = Shape { n_in: 6, n_out: 5 };
        for count in [7, 22] {
            let mut hits = [0f64; 30];
            let seeds = 3000;
            for seed in 0..seeds {
                for (b, a) in sample_pairs(shape, count, seed, 3) {
                    hits[b as usize * 6 + a as usize] += 1.0;
                }
            }
            let p = count as f64 / 30.0;
            let expected = f64::from(seeds) * p;
            // Without replacement, the variance of the cells is smaller by (1 - p), up to the factor 30/29.
            let chi: f64 = hits
                .iter()
                .map(|h| (h - expected).powi(2) / (expected * (1.0 - p)))
                .sum();
            assert!(
                (10.0..58.0).contains(&chi),
                "chi-squared {chi} with 29 degrees of freedom"
            );
        }
    }

    #[test]
    fn weights_keep_unit_variance_at_the_actual_fan_in() {
        let state = initialise(
            Shape {
                n_in: 400,
                n_out: 300,
            },
            6000,
            1,
            0,
        );
        let mut normalised = 0.0;
        for b in 0..300 {
            let row = state.row(b);
            let bound = (3.0 / row.len().max(1) as f32).sqrt();
            assert!(state.bias[b].abs() <= bound);
            for j in row.clone() {
                assert!(state.values[j].abs() <= bound);
                normalised += f64::from(state.values[j]).powi(2) * row.len() as f64;
            }
        }
        let variance = normalised / 6000.0;
        assert!(
            (variance - 1.0).abs() < 0.05,
            "variance times fan-in is {variance}"
        );
    }
}
