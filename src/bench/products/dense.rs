//! A full layer, for comparing the dense products with the sparse ones.

use super::layer::{Operand, Product, run_over_nan, stored};
use super::reference::{Deviation, noise, sampled};
use crate::bench::measuring::one_kernel::plan_of;
use crate::dense::{
    DenseForward, DenseForwardParams, DenseGradient, DenseGradientParams, DenseTransposed,
    DenseTransposedParams,
};
use crate::engine::{Buffer, Class, Device, Plan, Precision};
use crate::error::Result;
use crate::sparse::{LayerSpan, Window};

/// An n × n layer with all connections, with an input and a gradient at its output, all random.
pub(super) struct DenseLayer {
    n: usize,
    lanes: usize,
    /// On the host: `[n][n]` weights, `[n][lanes]` inputs and deltas.
    host: [Vec<f32>; 3],
    /// `[n][n]`, one row per output.
    weights: Buffer,
    /// `[n][n]`
    gradient: Buffer,
    /// `[n]`, zero.
    bias: Buffer,
    /// `[n][lanes]` each.
    input: Buffer,
    delta: Buffer,
    output: Buffer,
    backward: Buffer,
}

impl DenseLayer {
    /// `activations`: how inputs, outputs and their gradients are stored.
    pub fn new(device: &Device, n: usize, batch: usize, activations: Precision) -> Result<Self> {
        let lanes = batch.next_multiple_of(4);
        // Allocated before the host's share is made, so that a device that is too small reports it at once.
        let gradient = device.buffer("bench.dense.gradient", Class::Connections, n * n)?;
        let weights = device.buffer("bench.dense.weights", Class::Connections, n * n)?;
        let host = [
            noise(n, n, n, 5),
            stored(noise(n, batch, lanes, 1), activations),
            stored(noise(n, batch, lanes, 2), activations.of_gradients()),
        ];
        let buffer =
            |label, precision| device.buffer_of(label, Class::Activations, n * lanes, precision);
        let gradients = activations.of_gradients();
        device.upload(&weights.range(0..n * n), &host[0])?;
        let made = DenseLayer {
            n,
            lanes,
            weights,
            gradient,
            bias: device.buffer("bench.dense.bias", Class::Connections, n)?,
            input: buffer("bench.input", activations)?,
            delta: buffer("bench.delta", gradients)?,
            output: buffer("bench.output", activations)?,
            backward: buffer("bench.backward", gradients)?,
            host,
        };
        made.fill(device)?;
        Ok(made)
    }
}

impl Operand for DenseLayer {
    fn fill(&self, device: &Device) -> Result<()> {
        let [_, input, delta] = &self.host;
        device.upload(&self.input.range(0..input.len()), input)?;
        device.upload(&self.delta.range(0..delta.len()), delta)
    }

    fn plan(&self, product: Product) -> Result<Plan> {
        let span = LayerSpan {
            n_in: self.n,
            n_out: self.n,
            first_col: 0,
            first_row: 0,
        };
        let (window, lanes) = (Window::pointwise([1, 1]), self.lanes);
        match product {
            Product::DenseTransposed => {
                let params =
                    DenseTransposedParams::of_layer(&span, &window, lanes, 0, false, false)?;
                plan_of(
                    DenseTransposed {
                        params,
                        weights: self.weights.all(),
                        delta: self.delta.all(),
                        activation: self.input.all(),
                        output: self.backward.all(),
                    },
                    params.grid(),
                )
            }
            Product::DenseGradient => {
                let params = DenseGradientParams::of_layer(&span, &window, lanes, 0, false)?;
                plan_of(
                    DenseGradient {
                        params,
                        input: self.input.all(),
                        delta: self.delta.all(),
                        output: self.gradient.all(),
                    },
                    params.grid(),
                )
            }
            _ => {
                let params = DenseForwardParams::of_layer(&span, &window, lanes, 0, false)?;
                plan_of(
                    DenseForward {
                        params,
                        weights: self.weights.all(),
                        bias: self.bias.all(),
                        input: self.input.all(),
                        output: self.output.all(),
                    },
                    params.grid(),
                )
            }
        }
    }

    fn check(&self, device: &Device, product: Product, plan: &Plan) -> Result<f64> {
        let (n, lanes) = (self.n, self.lanes);
        let [weights, input, delta] = &self.host;
        let (view, columns) = match product {
            Product::DenseGradient => (self.gradient.range(0..n * n), n),
            Product::DenseTransposed => (self.backward.all(), lanes),
            _ => (self.output.all(), lanes),
        };
        let found = run_over_nan(device, plan, &view)?;
        let mut error = Deviation::default();
        let mut sums = vec![0f64; columns];
        for row in sampled(n) {
            sums.fill(0.0);
            match product {
                Product::DenseGradient => {
                    let delta = &delta[row * lanes..][..lanes];
                    for (sum, input) in sums.iter_mut().zip(input.chunks_exact(lanes)) {
                        let terms = delta.iter().zip(input);
                        *sum = terms.map(|(d, x)| f64::from(*d) * f64::from(*x)).sum();
                    }
                }
                _ => {
                    let (rows, first, step) = match product {
                        Product::DenseTransposed => (delta, row, n),
                        _ => (input, row * n, 1),
                    };
                    for (unit, lanes) in rows.chunks_exact(lanes).enumerate() {
                        let weight = f64::from(weights[first + unit * step]);
                        for (sum, x) in sums.iter_mut().zip(lanes) {
                            *sum += weight * f64::from(*x);
                        }
                    }
                }
            }
            for (found, sum) in found[row * columns..][..columns].iter().zip(&sums) {
                error.add(*found, *sum);
            }
        }
        Ok(error.relative(&found))
    }
}
