//! The convolution by its definition, in 64-bit floats. Its input gradient is what each term of the forward sum sends
//! back, scattered, so that no geometry is derived twice.

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
    let mut sums = match product {
        Product::Forward { .. } => vec![Sum::default(); problem.delta.len()],
        Product::Backward { .. } => vec![Sum::default(); problem.before.len()],
    };
    match product {
        Product::Forward { .. } => {
            for (at, sum) in sums.iter_mut().enumerate() {
                sum.add(problem.bias[at / lanes / window.output_positions()], 1.0);
            }
        }
        Product::Backward { accumulate, .. } => {
            for (sum, before) in sums.iter_mut().zip(&problem.before) {
                if accumulate {
                    sum.add(*before, 1.0);
                }
            }
        }
    }
    let [kernel_y, kernel_x] = window.kernel;
    let signed = |n: usize| n as isize;
    for &(row, col, weight) in &problem.connections {
        let (row, col) = (row as usize, col as usize);
        let channel = col / (kernel_y * kernel_x);
        let ky = col / kernel_x % kernel_y;
        let kx = col % kernel_x;
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
                    match product {
                        Product::Forward { .. } => {
                            sums[to + lane].add(weight, problem.input[from + lane])
                        }
                        Product::Backward { .. } => {
                            sums[from + lane].add(weight, problem.delta[to + lane])
                        }
                    }
                }
            }
        }
    }
    match product {
        Product::Forward { relu: true } => sums
            .iter_mut()
            .filter(|sum| sum.value < 0.0)
            .for_each(|sum| sum.value = 0.0),
        Product::Backward { mask: true, .. } => {
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
