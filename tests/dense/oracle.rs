//! The products by their definition, in 64-bit floats: every term of the forward sum is visited once, and added where
//! each product has it, so that no geometry is derived twice.

use crate::problem::{Problem, Product};

/// A sum of products: its value, the sum of their magnitudes, and their number.
#[derive(Clone, Copy, Default)]
pub struct Sum {
    pub value: f64,
    magnitude: f64,
    terms: usize,
}

impl Sum {
    fn add(&mut self, x: f32, y: f32) {
        let term = f64::from(x) * f64::from(y);
        self.value += term;
        self.magnitude += term.abs();
        self.terms += 1;
    }

    /// The largest distance that a sum in 32-bit floats may have from the value.
    pub fn bound(&self) -> f64 {
        (self.terms + 2) as f64 * f64::from(f32::EPSILON) * self.magnitude
    }
}

/// The product's output, including the padding lanes.
pub fn solve(problem: &Problem, product: Product) -> Vec<Sum> {
    let window = &problem.window;
    let lanes = problem.lanes();
    let taps = window.taps();
    let columns = problem.channels * taps;
    let mut sums = vec![Sum::default(); problem.words(product)];
    for (at, sum) in sums.iter_mut().enumerate() {
        if let Product::Forward { .. } = product {
            sum.add(problem.bias[at / lanes / window.output_positions()], 1.0);
        } else if product.accumulates() {
            sum.add(problem.before(product)[at], 1.0);
        }
    }
    let signed = |n: usize| n as isize;
    for row in 0..problem.rows {
        for column in 0..columns {
            let (channel, tap) = (column / taps, column % taps);
            let (ky, kx) = (tap / window.kernel[1], tap % window.kernel[1]);
            let weight = problem.weights[row * columns + column];
            for y in 0..window.output[0] {
                for x in 0..window.output[1] {
                    let iy = signed(y * window.stride[0] + ky) - signed(window.padding[0]);
                    let ix = signed(x * window.stride[1] + kx) - signed(window.padding[1]);
                    if !(0..signed(window.input[0])).contains(&iy)
                        || !(0..signed(window.input[1])).contains(&ix)
                    {
                        continue;
                    }
                    let (iy, ix) = (iy as usize, ix as usize);
                    let from = ((channel * window.input[0] + iy) * window.input[1] + ix) * lanes;
                    let to = ((row * window.output[0] + y) * window.output[1] + x) * lanes;
                    for lane in 0..lanes {
                        let (input, delta) = (problem.input[from + lane], problem.delta[to + lane]);
                        match product {
                            Product::Forward { .. } => sums[to + lane].add(weight, input),
                            Product::Transposed { .. } => sums[from + lane].add(weight, delta),
                            Product::Gradient { .. } => {
                                sums[row * columns + column].add(input, delta)
                            }
                        }
                    }
                }
            }
        }
    }
    match product {
        Product::Forward { relu: true } => {
            for sum in sums.iter_mut().filter(|sum| sum.value < 0.0) {
                sum.value = 0.0;
            }
        }
        Product::Transposed { mask: true, .. } => {
            for (sum, x) in sums.iter_mut().zip(&problem.input) {
                if x.is_nan() || *x <= 0.0 {
                    *sum = Sum::default();
                }
            }
        }
        _ => {}
    }
    sums
}
