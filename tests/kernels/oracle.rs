//! The products by their definition, in 64-bit floats, straight from the list of connections: no offsets, no orders.

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

/// The words that the kernel owns, in order.
pub fn solve(problem: &Problem) -> Vec<Sum> {
    let layer = problem.layer();
    let lanes = problem.lanes;
    let row = |unit: u32| (0..lanes).map(move |i| unit as usize * lanes + i);
    match problem.product {
        Product::Spmm { relu } => {
            let mut sums = vec![Sum::default(); layer.n_out * lanes];
            for (at, sum) in sums.iter_mut().enumerate() {
                sum.add(layer.bias[at / lanes], 1.0);
            }
            for &(b, a, weight) in &layer.triplets {
                for (to, from) in row(b).zip(row(a)) {
                    sums[to].add(weight, problem.input[from]);
                }
            }
            if relu {
                sums.iter_mut()
                    .filter(|s| s.value < 0.0)
                    .for_each(|s| s.value = 0.0);
            }
            sums
        }
        Product::Transposed { relu } => {
            let mut sums = vec![Sum::default(); layer.n_in * lanes];
            for &(b, a, weight) in &layer.triplets {
                for (to, from) in row(a).zip(row(b)) {
                    sums[to].add(weight, problem.delta[from]);
                }
            }
            if relu {
                for (sum, x) in sums.iter_mut().zip(&problem.input) {
                    if x.is_nan() || *x <= 0.0 {
                        *sum = Sum::default();
                    }
                }
            }
            sums
        }
        Product::Sddmm => layer
            .triplets
            .iter()
            .map(|&(b, a, _)| {
                let mut sum = Sum::default();
                for (x, d) in row(a).zip(row(b)) {
                    sum.add(problem.input[x], problem.delta[d]);
                }
                sum
            })
            .collect(),
    }
}

/// Asserts that what a device computed is what the oracle says.
#[track_caller]
pub fn assert_close(found: &[f32], problem: &Problem, what: &str) {
    let expected = solve(problem);
    assert_eq!(found.len(), expected.len(), "{what}, {}", problem.name());
    for (i, (found, sum)) in found.iter().zip(&expected).enumerate() {
        let close = (f64::from(*found) - sum.value).abs() <= sum.bound();
        assert!(
            close || (found.is_nan() && sum.value.is_nan()),
            "{what}, {}: element {i} is {found}, not {} ± {:.1e}",
            problem.name(),
            sum.value,
            sum.bound()
        );
    }
}
