//! SGD with momentum, as `torch.optim.SGD` defines it.

use super::array::StateArray;
use super::definition::{Optimiser, Update};
use super::sgd_all::{SgdAll, SgdAllParams};
use super::sgd_step::{SgdStep, SgdStepParams};
use crate::bounds::{check, check_rate, share};
use crate::engine::{Device, Grid, Plan};
use crate::error::Result;

/// SGD with momentum, weight decay and Nesterov's form: the options that stay the same over a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sgd {
    pub(crate) momentum: f32,
    pub(crate) weight_decay: f32,
    pub(crate) nesterov: bool,
}

impl Sgd {
    /// Its name in files; files that name no optimiser are from SGD.
    pub(crate) const NAME: &str = "sgd";
    /// The velocity.
    pub(crate) const STATE: StateArray = StateArray::f32("momentum", 0.0);

    /// Without momentum and penalty.
    pub const PLAIN: Sgd = Sgd {
        momentum: 0.0,
        weight_decay: 0.0,
        nesterov: false,
    };

    /// `momentum` is the share of the velocity that is kept, `weight_decay` the L2 penalty, which is added to the
    /// gradients of weights and biases alike.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): the momentum is outside [0, 1), the penalty is below 0 or above
    /// 1,000,000, or Nesterov's form has no momentum.
    pub fn new(momentum: f64, weight_decay: f64, nesterov: bool) -> Result<Self> {
        check(
            share(momentum),
            "momentum",
            "must be at least 0 and below 1",
            momentum,
        )?;
        check(
            !nesterov || momentum > 0.0,
            "nesterov",
            "needs a momentum above 0",
            momentum,
        )?;
        check_rate(weight_decay, "weight_decay")?;
        Ok(Sgd {
            momentum: momentum as f32,
            weight_decay: weight_decay as f32,
            nesterov,
        })
    }
}

impl Optimiser for Sgd {
    fn name(&self) -> &'static str {
        Self::NAME
    }

    fn state(&self) -> Vec<StateArray> {
        vec![Self::STATE]
    }

    fn step(&self, plan: &mut Plan, update: &Update<'_>) -> Result<()> {
        let vectors = update.vectors();
        plan.dispatch(
            SgdStep {
                params: SgdStepParams {
                    vectors: vectors as u32,
                    momentum: self.momentum,
                    weight_decay: self.weight_decay,
                    nesterov: u32::from(self.nesterov),
                },
                step: update.step.clone(),
                gradient: update.gradient.clone(),
                weights: update.weights.clone(),
                velocity: update.state(Self::STATE.name)?,
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
        if !device.binds::<SgdAll>() {
            return Ok(false);
        }
        let [connections, biases, dense] = updates;
        let kernel = SgdAll {
            params: SgdAllParams {
                connections: connections.vectors() as u32,
                biases: biases.vectors() as u32,
                dense: dense.vectors() as u32,
                momentum: self.momentum,
                weight_decay: self.weight_decay,
                nesterov: u32::from(self.nesterov),
            },
            step: connections.step.clone(),
            gradient: connections.gradient.clone(),
            weights: connections.weights.clone(),
            velocity: connections.state(Self::STATE.name)?,
            bias_gradient: biases.gradient.clone(),
            bias: biases.weights.clone(),
            bias_velocity: biases.state(Self::STATE.name)?,
            dense_gradient: dense.gradient.clone(),
            dense: dense.weights.clone(),
            dense_velocity: dense.state(Self::STATE.name)?,
        };
        plan.dispatch(
            kernel,
            Grid::Items(updates.iter().map(Update::vectors).sum()),
        )?;
        Ok(true)
    }
}
