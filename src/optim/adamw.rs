//! AdamW as `torch.optim.AdamW` defines it, except that each number counts its own steps.
//!
//! Adam divides its moments by 1 − βᵗ, as if they had been gathered over t steps. A connection that a round has just
//! grown has gathered none: with the run's t its first steps would be up to 1/√(1 − β₂) times too long or too short. So
//! t is a connection's age: the number of steps since it grew (SMET, arXiv 2606.00888).

use rayon::prelude::*;

use super::adamw_all::{AdamWAll, AdamWAllParams};
use super::array::StateArray;
use super::definition::{Optimiser, Update};
use crate::bounds::{check, check_rate, positive, share};
use crate::engine::{Device, Grid, Plan, StepState};
use crate::error::Result;

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
            .for_each(|((((weights, first), second), age), gradient)| {
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

/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) with an age for each number: the options that stay the same over a
/// run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AdamW {
    betas: [f64; 2],
    epsilon: f64,
    weight_decay: f64,
    by_age: bool,
}

impl AdamW {
    /// Its name in files.
    pub(crate) const NAME: &str = "adamw";

    const FIRST: StateArray = StateArray::f32("first_moment", 0.0);
    const SECOND: StateArray = StateArray::f32("second_moment", 0.0);
    const AGE: StateArray = StateArray::u32("age", 0);

    /// `betas` are the shares of the moments that are kept, `epsilon` is added to the root of the second one, and
    /// `weight_decay` times the learning rate is the share of a weight that is removed in a step.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): a share is outside [0, 1), epsilon is not above 0 and at most 1, or the
    /// decay is below 0 or above 1,000,000.
    pub fn new(betas: [f64; 2], epsilon: f64, weight_decay: f64) -> Result<Self> {
        for (beta, name) in betas.into_iter().zip(["beta1", "beta2"]) {
            check(share(beta), name, "must be at least 0 and below 1", beta)?;
        }
        check(
            positive(epsilon, 1.0) && epsilon as f32 > 0.0,
            "epsilon",
            "must be above 0 (in 32 bits) and at most 1",
            epsilon,
        )?;
        check_rate(weight_decay, "weight_decay")?;
        Ok(AdamW {
            betas,
            epsilon,
            weight_decay,
            by_age: true,
        })
    }

    fn params(&self, vectors: u32) -> AdamWStepParams {
        let [beta1, beta2] = self.betas;
        AdamWStepParams {
            vectors,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            rest1: (1.0 - beta1) as f32,
            rest2: (1.0 - beta2) as f32,
            // For 0 it is -∞, which the shader need not handle: exp is 0 long before that.
            log_beta1: beta1.ln().max(-1e3) as f32,
            log_beta2: beta2.ln().max(-1e3) as f32,
            epsilon: self.epsilon as f32,
            weight_decay: self.weight_decay as f32,
            by_age: u32::from(self.by_age),
        }
    }

    /// The same, except that moments are corrected by the steps of the run, as if every connection had been there from
    /// the start. Other frameworks do this; it is meant for comparisons.
    pub fn without_ages(self) -> Self {
        AdamW {
            by_age: false,
            ..self
        }
    }
}

impl Optimiser for AdamW {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn state(&self) -> Vec<StateArray> {
        vec![Self::FIRST, Self::SECOND, Self::AGE]
    }

    fn step(&self, plan: &mut Plan, update: &Update<'_>) -> Result<()> {
        let vectors = update.vectors();
        plan.dispatch(
            AdamWStep {
                params: self.params(vectors as u32),
                step: update.step.clone(),
                gradient: update.gradient.clone(),
                weights: update.weights.clone(),
                first: update.state(Self::FIRST.name)?,
                second: update.state(Self::SECOND.name)?,
                age: update.state(Self::AGE.name)?,
            },
            Grid::Items(vectors),
        )
    }

    fn step_together(
        &self,
        plan: &mut Plan,
        device: &Device,
        updates: &[Update<'_>; 3],
    ) -> Result<bool> {
        if !device.binds::<AdamWAll>() {
            return Ok(false);
        }
        let [connections, biases, dense] = updates;
        let vectors = updates.each_ref().map(|update| update.vectors());
        let kernel = AdamWAll {
            params: AdamWAllParams::new(vectors.map(|n| n as u32), self.params(0)),
            step: connections.step.clone(),
            gradient: connections.gradient.clone(),
            weights: connections.weights.clone(),
            first: connections.state(Self::FIRST.name)?,
            second: connections.state(Self::SECOND.name)?,
            age: connections.state(Self::AGE.name)?,
            bias_gradient: biases.gradient.clone(),
            bias: biases.weights.clone(),
            bias_first: biases.state(Self::FIRST.name)?,
            bias_second: biases.state(Self::SECOND.name)?,
            bias_age: biases.state(Self::AGE.name)?,
            dense_gradient: dense.gradient.clone(),
            dense: dense.weights.clone(),
            dense_first: dense.state(Self::FIRST.name)?,
            dense_second: dense.state(Self::SECOND.name)?,
            dense_age: dense.state(Self::AGE.name)?,
        };
        plan.dispatch(kernel, Grid::Items(vectors.into_iter().sum()))?;
        Ok(true)
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
