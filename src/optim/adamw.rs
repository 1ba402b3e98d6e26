//! AdamW as `torch.optim.AdamW` defines it, except that each number counts its own steps.
//!
//! Adam divides its moments by 1 − βᵗ, as if they had been gathered over t steps. A connection that a round has just
//! grown has gathered none: with the run's t its first steps would be up to 1/√(1 − β₂) times too long or too short. So
//! t is a connection's age: the number of steps since it grew (SMET, arXiv 2606.00888).

use super::adamw_all::{AdamWAll, AdamWAllParams};
use super::adamw_step::{AdamWStep, AdamWStepParams};
use super::array::StateArray;
use super::definition::{Optimiser, Update};
use crate::bounds::{check, check_rate, positive, share};
use crate::engine::{Device, Grid, Plan};
use crate::error::Result;

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
