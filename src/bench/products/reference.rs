//! The sparse products in f64 on the host, row by row from a layer's own lists: independent of the kernels and their
//! twins.

use crate::data::Batch;
use crate::engine::Precision;
use crate::engine::random::{pcg4d, unit};
use crate::error::{Error, Fault, Result};
use crate::sparse::LayerState;

/// Largest error that a result may have, relative to the largest entry compared.
pub const TOLERANCE: f64 = 1e-4;

/// The same if activations and their gradients are stored in this precision: numbers of 16 bits are rounded by up to
/// 2^-9 of their size. That includes gradients, which have the bits of bf16.
pub fn tolerance(activations: Precision) -> f64 {
    match activations.is_half() {
        true => TOLERANCE + 0.5f64.powi(8),
        false => TOLERANCE,
    }
}

/// Number of rows of a result that are compared.
const SAMPLED: usize = 32;

/// Up to 33 of `rows` rows, including the first and the last.
pub fn sampled(rows: usize) -> impl Iterator<Item = usize> {
    let step = (rows / SAMPLED).max(1);
    (0..rows).step_by(step).chain([rows - 1])
}

/// An n × n layer with an input and a gradient at its output.
pub struct Case {
    /// The layer.
    pub layer: LayerState,
    /// Lanes of a row: the batch size rounded up to a multiple of 4.
    pub lanes: usize,
    /// `[n_in][lanes]`
    pub input: Vec<f32>,
    /// `[n_out][lanes]`
    pub delta: Vec<f32>,
}

/// Numbers in [-1, 1); lanes from `batch` on are zero.
pub fn noise(units: usize, batch: usize, lanes: usize, key: u32) -> Vec<f32> {
    let mut values = vec![0.0; units * lanes];
    for (u, row) in values.chunks_exact_mut(lanes).enumerate() {
        for (i, x) in row[..batch].iter_mut().enumerate() {
            *x = unit(pcg4d([key, 0, u as u32, i as u32])[0]) * 2.0 - 1.0;
        }
    }
    values
}

impl Case {
    /// Largest relative error of `output` `[n_out][lanes]` as the product of the layer and the input, plus the bias.
    pub fn spmm_error(&self, output: &[f32]) -> f64 {
        let mut error = Deviation::default();
        for b in sampled(self.layer.n_out) {
            for i in 0..self.lanes {
                let mut sum = f64::from(self.layer.bias[b]);
                for j in self.layer.row(b) {
                    let a = self.layer.col_indices[j] as usize;
                    let x = self.input[a * self.lanes + i];
                    sum += f64::from(self.layer.values[j]) * f64::from(x);
                }
                error.add(output[b * self.lanes + i], sum);
            }
        }
        error.relative(output)
    }

    /// Largest relative error of `output` `[n_in][lanes]` as the product of the transposed layer and delta.
    pub fn spmm_transposed_error(&self, output: &[f32]) -> f64 {
        let mut sums = vec![Vec::new(); self.layer.n_in];
        for a in sampled(self.layer.n_in) {
            sums[a] = vec![0f64; self.lanes];
        }
        for (j, (b, a)) in self.layer.pairs().enumerate() {
            let delta = &self.delta[b as usize * self.lanes..][..self.lanes];
            // Empty if the column is not sampled, and then left alone.
            for (sum, d) in sums[a as usize].iter_mut().zip(delta) {
                *sum += f64::from(self.layer.values[j]) * f64::from(*d);
            }
        }
        let mut error = Deviation::default();
        for (sums, found) in sums.iter().zip(output.chunks_exact(self.lanes)) {
            for (sum, found) in sums.iter().zip(found) {
                error.add(*found, *sum);
            }
        }
        error.relative(output)
    }

    /// Largest relative error of `output` `[active]` as the products of input and delta at the connections.
    pub fn sddmm_error(&self, output: &[f32]) -> f64 {
        let row =
            |values: &'_ [f32], unit: usize| values[unit * self.lanes..][..self.lanes].to_vec();
        let mut error = Deviation::default();
        for b in sampled(self.layer.n_out) {
            let delta = row(&self.delta, b);
            for j in self.layer.row(b) {
                let input = row(&self.input, self.layer.col_indices[j] as usize);
                let terms = input.iter().zip(&delta);
                error.add(
                    output[j],
                    terms.map(|(x, d)| f64::from(*x) * f64::from(*d)).sum(),
                );
            }
        }
        error.relative(output)
    }
}

/// Mean cross-entropy on a batch of a perceptron with these layers and a ReLU after each but the last.
pub fn mean_loss(layers: &[LayerState], batch: &Batch) -> f64 {
    let labels = batch.labels();
    let lanes = labels.len();
    let mut units: Vec<f64> = batch.inputs.iter().map(|x| f64::from(*x)).collect();
    for (l, layer) in layers.iter().enumerate() {
        let mut outputs = Vec::with_capacity(layer.n_out * lanes);
        for (b, bias) in layer.bias.iter().enumerate() {
            let mut sums = vec![f64::from(*bias); lanes];
            for j in layer.row(b) {
                let weight = f64::from(layer.values[j]);
                let input = &units[layer.col_indices[j] as usize * lanes..][..lanes];
                for (sum, x) in sums.iter_mut().zip(input) {
                    *sum += weight * x;
                }
            }
            if l + 1 < layers.len() {
                sums.iter_mut().for_each(|sum| *sum = sum.max(0.0));
            }
            outputs.extend(sums);
        }
        units = outputs;
    }
    let losses = (0..batch.count).map(|i| {
        let logits = units.iter().skip(i).step_by(lanes);
        let total: f64 = logits.map(|z| z.exp()).sum();
        total.ln() - units[labels[i] as usize * lanes + i]
    });
    losses.sum::<f64>() / batch.count as f64
}

/// Largest difference and largest expected magnitude so far.
#[derive(Default)]
pub struct Deviation {
    difference: f64,
    scale: f64,
}

impl Deviation {
    /// Compares one entry.
    pub fn add(&mut self, found: f32, expected: f64) {
        let difference = (f64::from(found) - expected).abs();
        // `max` would ignore a NaN.
        self.difference = match difference.is_nan() {
            true => f64::INFINITY,
            false => self.difference.max(difference),
        };
        self.scale = self.scale.max(expected.abs());
    }

    /// Infinite if any entry of `output`, compared or not, is NaN, and so was not written.
    pub fn relative(&self, output: &[f32]) -> f64 {
        if output.iter().any(|x| x.is_nan()) {
            return f64::INFINITY;
        }
        match self.difference {
            0.0 => 0.0,
            difference => difference / self.scale.max(f64::MIN_POSITIVE),
        }
    }
}

/// Refuses an error above the [`tolerance`].
///
/// # Errors
/// It is above that, or not a number.
pub fn tolerate(error: f64, activations: Precision, adapter: &str, what: &str) -> Result<()> {
    let allowed = tolerance(activations);
    if error <= allowed {
        return Ok(());
    }
    Err(Error::Device(Fault::Wrong {
        adapter: adapter.to_owned(),
        what: what.to_owned(),
        how: format!("off by {error:.1e} of the largest entry, where {allowed:.0e} is allowed"),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::{Shape, initialise};

    fn case() -> Case {
        let shape = Shape {
            n_in: 40,
            n_out: 70,
        };
        Case {
            layer: initialise(shape, 300, 1, 0),
            lanes: 8,
            input: noise(40, 6, 8, 1),
            delta: noise(70, 6, 8, 2),
        }
    }

    #[test]
    fn a_wrong_entry_or_one_not_written_is_noticed() {
        let case = case();
        // Products by a scatter over the pairs, also in f64.
        let mut forward: Vec<f64> = vec![0.0; 70 * 8];
        let mut backward = vec![0.0; 40 * 8];
        let mut gradient = Vec::new();
        for (b, bias) in case.layer.bias.iter().enumerate() {
            forward[b * 8..][..8].fill(f64::from(*bias));
        }
        for (j, (b, a)) in case.layer.pairs().enumerate() {
            let (a, b, w) = (
                a as usize * 8,
                b as usize * 8,
                f64::from(case.layer.values[j]),
            );
            let mut dot = 0.0;
            for i in 0..8 {
                let (x, d) = (f64::from(case.input[a + i]), f64::from(case.delta[b + i]));
                forward[b + i] += w * x;
                backward[a + i] += w * d;
                dot += x * d;
            }
            gradient.push(dot);
        }
        type Measure = fn(&Case, &[f32]) -> f64;
        let products: [(Measure, Vec<f64>); 3] = [
            (Case::spmm_error, forward),
            (Case::spmm_transposed_error, backward),
            (Case::sddmm_error, gradient),
        ];
        for (measure, exact) in products {
            let mut output: Vec<f32> = exact.iter().map(|x| *x as f32).collect();
            assert!(measure(&case, &output) < 1e-6);
            let f32 = Precision::F32;
            assert!(tolerate(measure(&case, &output), f32, "x", "y").is_ok());
            let last = output.len() - 1;
            let good = std::mem::replace(&mut output[last], exact[last] as f32 + 0.01);
            let message = tolerate(measure(&case, &output), f32, "the GPU", "spmm").unwrap_err();
            assert!(
                message
                    .to_string()
                    .starts_with("the GPU computes spmm wrongly")
            );
            output[last] = good;
            output[last / 2] = f32::NAN;
            assert!(tolerate(measure(&case, &output), f32, "x", "y").is_err());
        }
    }

    #[test]
    fn the_loss_of_a_network_without_weights_is_that_of_guessing() {
        let layers =
            [(5, 3), (3, 4)].map(|(n_in, n_out)| LayerState::from_pairs(n_in, n_out, &[(0, 0)]));
        let mut batch = Batch {
            inputs: noise(5, 6, 8, 1),
            targets: vec![3; 8].into(),
            count: 6,
            weights: Vec::new(),
            index: 0,
        };
        assert!((mean_loss(&layers, &batch) - 4f64.ln()).abs() < 1e-12);
        // One class that is certain, and right for half of the batch.
        let mut sure = layers;
        sure[1].bias[3] = 20.0;
        batch.targets = vec![0, 0, 0, 3, 3, 3, 3, 3].into();
        assert!((mean_loss(&sure, &batch) - 10.0).abs() < 1e-6);
    }

    #[test]
    fn padding_lanes_are_zero() {
        let values = noise(3, 5, 8, 7);
        for row in values.chunks_exact(8) {
            assert!(
                row[..5]
                    .iter()
                    .all(|x| (-1.0..1.0).contains(x) && *x != 0.0)
            );
            assert_eq!(row[5..], [0.0; 3]);
        }
    }
}
