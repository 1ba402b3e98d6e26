//! AdamW's step for one group of trained numbers.

use rayon::prelude::*;

use crate::engine::StepState;
use crate::threads::DealOut;

crate::kernel! {
    /// `age += 1; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g²;
    /// w = w (1 - lr decay) - lr (m / (1 - beta1^age)) / (√(v / (1 - beta2^age)) + epsilon)`.
    ///
    /// One dispatch over all layers' connections. Grid: [`Items`](crate::engine::Grid::Items) = vectors.
    pub AdamWStep, AdamWStepParams, AdamWStepTwin = "optim/adamw", shader!("optim/adamw");
    params {
        /// A quarter of the number of weights, rounded up.
        vectors: u32,
        /// Share of the first moment that is kept.
        beta1: f32,
        /// Share of the second moment that is kept.
        beta2: f32,
        /// 1 - beta1, rounded once: the difference of rounded numbers would have fewer digits.
        rest1: f32,
        /// 1 - beta2.
        rest2: f32,
        /// The natural logarithm of beta1.
        log_beta1: f32,
        /// The natural logarithm of beta2.
        log_beta2: f32,
        /// Added to the root of the second moment.
        epsilon: f32,
        /// Share of a weight that is removed in a step, per unit of the learning rate.
        weight_decay: f32,
        /// 0: all count from the run's first step, not from their own.
        by_age: u32,
    }
    no loops;
    uniform step: StepState,
    read gradient: f32,
    write weights: f32,
    write first: f32,
    write second: f32,
    write age: u32,
}

/// Weights that a thread takes at a time.
const CHUNK: usize = 16 * 1024;

/// 1 - exp(x) for x <= 0. Near 0 the difference would lose digits, so a series is used there.
#[inline(always)]
fn rest_of_exp(x: f32) -> f32 {
    if x > -0.5 {
        let sixth = x * (1.0 + x * (1.0 / 7.0) * (1.0 + x * 0.125));
        let third = x * 0.25 * (1.0 + x * 0.2 * (1.0 + sixth * (1.0 / 6.0)));
        -x * (1.0 + x * 0.5 * (1.0 + x * (1.0 / 3.0) * (1.0 + third)))
    } else {
        1.0 - x.exp()
    }
}

impl AdamWStepTwin<'_> {
    pub(super) fn run(self) {
        let p = self.params;
        let length = p.vectors as usize * 4;
        let (rate, first_step) = (self.step.learning_rate, self.step.step + 1);
        let keeps = 1.0 - rate * p.weight_decay;
        (self.weights[..length].par_chunks_mut(CHUNK))
            .zip(self.first[..length].par_chunks_mut(CHUNK))
            .zip(self.second[..length].par_chunks_mut(CHUNK))
            .zip(self.age[..length].par_chunks_mut(CHUNK))
            .zip(self.gradient[..length].par_chunks(CHUNK))
            .deal_out(|((((weights, first), second), age), gradient)| {
                // Ages come in long runs of equal values: connections that grew together, or have always been there.
                let mut known = (0, 0.0, 0.0);
                let numbers = weights.iter_mut().zip(first).zip(second).zip(age);
                for ((((w, m), v), age), &g) in numbers.zip(gradient) {
                    *m = p.beta1 * *m + p.rest1 * g;
                    *v = p.beta2 * *v + p.rest2 * g * g;
                    *age += 1;
                    let steps = if p.by_age != 0 { *age } else { first_step };
                    if steps != known.0 {
                        let of = |log: f32| rest_of_exp(steps as f32 * log);
                        known = (steps, of(p.log_beta1), of(p.log_beta2));
                    }
                    let (mean, square) = (*m / known.1, *v / known.2);
                    *w = *w * keeps - rate * mean / (square.sqrt() + p.epsilon);
                }
            });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_has_the_digits_of_expm1() {
        for exponent in -80..=8 {
            for part in 1..8 {
                let x = -(2f64.powf(f64::from(exponent) / 4.0) * f64::from(part) / 8.0) as f32;
                let (found, expected) = (f64::from(rest_of_exp(x)), -f64::from(x).exp_m1());
                assert!(
                    (found / expected - 1.0).abs() < 3e-7,
                    "{x}: {found}, {expected}"
                );
            }
        }
    }
}
