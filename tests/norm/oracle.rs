//! The norms by their definitions in 64-bit floats, only over the samples: gradients by the chain rule through mean and
//! variance, step by step, as in Ioffe and Szegedy; and a check of those against differences.

use crate::common::Random;

pub const EPSILON: f64 = 1e-5f32 as f64;

/// A number, and the magnitude that its rounding errors are relative to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Number {
    pub value: f64,
    pub magnitude: f64,
}

/// One group of values that share a mean and a variance, each value with its own weight and bias: a channel for a batch
/// norm, a position of one sample for a layer norm.
pub struct Group {
    pub x: Vec<f64>,
    pub weight: Vec<f64>,
    pub bias: Vec<f64>,
    /// Added before the ReLU; zero if there is none.
    pub residual: Vec<f64>,
    pub relu: bool,
    /// Mean and variance if they are not the group's own: an evaluation.
    pub given: Option<(f64, f64)>,
}

/// The results of [`Group::backward`].
pub struct Gradients {
    pub x: Vec<Number>,
    /// Each value's contribution to its weight's gradient.
    pub weight: Vec<f64>,
    /// Each value's contribution to its bias's, which is also the gradient at the residual.
    pub bias: Vec<f64>,
}

impl Group {
    pub fn mean(&self) -> f64 {
        self.x.iter().sum::<f64>() / self.x.len() as f64
    }

    pub fn variance(&self) -> f64 {
        let mean = self.mean();
        self.x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / self.x.len() as f64
    }

    fn statistics(&self) -> (f64, f64) {
        self.given.unwrap_or_else(|| (self.mean(), self.variance()))
    }

    pub fn inverse(&self) -> f64 {
        1.0 / (self.statistics().1 + EPSILON).sqrt()
    }

    /// Each value before the ReLU.
    pub fn linear(&self) -> Vec<Number> {
        let (mean, inverse) = (self.statistics().0, self.inverse());
        (0..self.x.len())
            .map(|i| {
                let product = (self.x[i] - mean) * inverse * self.weight[i];
                Number {
                    value: product + self.bias[i] + self.residual[i],
                    magnitude: product.abs()
                        + (self.weight[i] * inverse).abs() * 1e-2
                        + self.bias[i].abs()
                        + self.residual[i].abs(),
                }
            })
            .collect()
    }

    pub fn forward(&self) -> Vec<Number> {
        let mut y = self.linear();
        if self.relu {
            for y in &mut y {
                y.value = if y.value < 0.0 { 0.0 } else { y.value };
            }
        }
        y
    }

    pub fn backward(&self, dy: &[f64]) -> Gradients {
        let n = self.x.len() as f64;
        let (mean, inverse) = (self.mean(), self.inverse());
        let dz: Vec<f64> = self
            .linear()
            .iter()
            .zip(dy)
            .map(
                |(z, &dy)| {
                    if self.relu && z.value <= 0.0 { 0.0 } else { dy }
                },
            )
            .collect();
        // d loss / d normalised value, then through the variance, then through the mean.
        let g: Vec<f64> = dz.iter().zip(&self.weight).map(|(d, w)| d * w).collect();
        let by_variance: f64 = g
            .iter()
            .zip(&self.x)
            .map(|(g, x)| g * (x - mean) * -0.5 * inverse.powi(3))
            .sum();
        let by_mean: f64 = g.iter().map(|g| -g * inverse).sum::<f64>()
            + by_variance * self.x.iter().map(|x| -2.0 * (x - mean)).sum::<f64>() / n;
        let largest = g.iter().fold(0f64, |m, g| m.max(g.abs()));
        let x = (0..self.x.len())
            .map(|i| {
                let through = by_variance * 2.0 * (self.x[i] - mean) / n;
                Number {
                    value: g[i] * inverse + through + by_mean / n,
                    magnitude: largest * inverse + through.abs(),
                }
            })
            .collect();
        Gradients {
            x,
            weight: (0..self.x.len())
                .map(|i| dz[i] * (self.x[i] - mean) * inverse)
                .collect(),
            bias: dz,
        }
    }
}

/// The sum of `terms`, with the sum of their magnitudes.
pub fn total(terms: impl Iterator<Item = f64>) -> Number {
    terms.fold(
        Number {
            value: 0.0,
            magnitude: 0.0,
        },
        |sum, term| Number {
            value: sum.value + term,
            magnitude: sum.magnitude + term.abs(),
        },
    )
}

/// Asserts that each number is within `tolerance` of its magnitude.
#[track_caller]
pub fn assert_close(what: &str, found: &[f32], expected: &[Number], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    for (i, (found, e)) in found.iter().zip(expected).enumerate() {
        let close = (f64::from(*found) - e.value).abs() <= tolerance * e.magnitude;
        assert!(
            close || (found.is_nan() && e.value.is_nan()),
            "{what}[{i}]: {found} instead of {} ± {:.1e}",
            e.value,
            tolerance * e.magnitude
        );
    }
}

/// The oracle's own gradients equal the differences of its loss `sum of dy * y`.
#[test]
fn the_oracle_agrees_with_differences() {
    const H: f64 = 1e-6;
    let random = &mut Random(11);
    for (n, relu) in [(1, false), (2, false), (7, true), (30, true)] {
        let mut reals = || -> Vec<f64> { (0..n).map(|_| f64::from(random.real())).collect() };
        let dy = reals();
        let mut group = Group {
            x: reals(),
            weight: reals(),
            bias: reals(),
            residual: reals(),
            relu,
            given: None,
        };
        let found = group.backward(&dy);
        let loss = |group: &Group| -> f64 {
            let y = group.forward();
            y.iter().zip(&dy).map(|(y, dy)| y.value * dy).sum()
        };
        let mut difference = |part: fn(&mut Group) -> &mut Vec<f64>, i: usize| {
            let at = part(&mut group)[i];
            part(&mut group)[i] = at + H;
            let above = loss(&group);
            part(&mut group)[i] = at - H;
            let below = loss(&group);
            part(&mut group)[i] = at;
            (above - below) / (2.0 * H)
        };
        for i in 0..n {
            for (found, expected) in [
                (found.x[i].value, difference(|g| &mut g.x, i)),
                (found.weight[i], difference(|g| &mut g.weight, i)),
                (found.bias[i], difference(|g| &mut g.bias, i)),
                (found.bias[i], difference(|g| &mut g.residual, i)),
            ] {
                assert!((found - expected).abs() < 1e-6, "{found} is not {expected}");
            }
        }
    }
}
