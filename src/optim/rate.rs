//! The learning rate: a trait, and warm-up with steps down at milestones.

use std::fmt::Debug;

use crate::bounds::{LARGEST_RATE, check, epoch, list_text, positive};
use crate::error::Result;

/// The point of a run that determines the learning rate. A method of several stages begins each one with a new moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Optimiser steps before this one.
    pub step: u64,
    /// Optimiser steps in an epoch.
    pub steps_per_epoch: u64,
    /// Optimiser steps of all epochs.
    pub steps: u64,
}

impl Moment {
    /// Epochs before this step, including the fraction of the current one.
    pub fn epoch(&self) -> f64 {
        self.step as f64 / self.steps_per_epoch.max(1) as f64
    }

    /// Share of the steps that is done: 0 to 1.
    pub fn progress(&self) -> f64 {
        self.step as f64 / self.steps.max(1) as f64
    }
}

/// The learning rate of every step: a function of the run's progress, so that a resumed run continues it.
///
/// A closure `Fn(Moment) -> f32` is one.
pub trait LearningRate: Send + Sync {
    /// The rate of the next step: finite and not below 0.
    fn at(&self, moment: Moment) -> f32;
}

impl<F: Fn(Moment) -> f32 + Send + Sync> LearningRate for F {
    fn at(&self, moment: Moment) -> f32 {
        self(moment)
    }
}

/// A rate, and the linear rise to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct WarmUp {
    pub lr: f64,
    pub epochs: f64,
}

impl WarmUp {
    /// Checks both.
    pub fn new(lr: f64, epochs: f64) -> Result<Self> {
        check(
            positive(lr, LARGEST_RATE),
            "lr",
            "must be above 0 and at most 1000000",
            lr,
        )?;
        check(
            epoch(epochs),
            "warmup_epochs",
            "must be a number of epochs from 0 to 4294967295",
            epochs,
        )?;
        Ok(WarmUp { lr, epochs })
    }

    /// The rate, or the part of it reached so far: it rises in equal parts, of which the first step has one.
    pub fn at(&self, moment: Moment) -> f64 {
        let steps = self.epochs * moment.steps_per_epoch as f64;
        self.lr * ((moment.step as f64 + 1.0) / steps.max(1.0)).min(1.0)
    }
}

/// A linear warm-up, then steps down at milestones.
#[derive(Clone, Debug, PartialEq)]
pub struct Milestones {
    warmup: WarmUp,
    milestones: Vec<f64>,
    decay: f64,
}

impl Milestones {
    /// `lr` is the rate after the warm-up. During the epochs of the warm-up it rises in equal parts, of which the first
    /// step has one (the rate does not start at zero). At each of the `milestones`, epochs in ascending order, it is
    /// multiplied by `decay`.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value): the rate or the factor is not above 0 and at most 1,000,000, an epoch is
    /// invalid, or the milestones are out of order.
    pub fn new(lr: f64, warmup_epochs: f64, milestones: Vec<f64>, decay: f64) -> Result<Self> {
        let warmup = WarmUp::new(lr, warmup_epochs)?;
        let ascending = milestones.windows(2).all(|pair| pair[0] < pair[1]);
        check(
            ascending && milestones.iter().all(|&at| at > 0.0 && epoch(at)),
            "milestones",
            "must list epochs above 0, up to 4294967295, in ascending order, as in 8,12, or be none",
            list_text(&milestones),
        )?;
        check(
            positive(decay, LARGEST_RATE),
            "lr_decay",
            "must be a factor above 0 and at most 1000000",
            decay,
        )?;
        Ok(Milestones {
            warmup,
            milestones,
            decay,
        })
    }
}

impl LearningRate for Milestones {
    fn at(&self, moment: Moment) -> f32 {
        let (step, epoch) = (moment.step as f64, moment.steps_per_epoch as f64);
        let passed = self.milestones.iter().filter(|m| step >= **m * epoch);
        (self.warmup.at(moment) * self.decay.powi(passed.count() as i32)) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(rate: &dyn LearningRate, step: u64) -> f32 {
        rate.at(Moment {
            step,
            steps_per_epoch: 2,
            steps: 20,
        })
    }

    #[test]
    fn warms_up_and_steps_down() {
        let rate = Milestones::new(0.1, 2.0, vec![4.0, 6.0], 0.1).unwrap();
        let expected = [
            (0, 0.025),
            (1, 0.05),
            (3, 0.1),
            (7, 0.1),
            (8, 0.01),
            (11, 0.01),
            (12, 0.001),
        ];
        for (step, value) in expected {
            let found = at(&rate, step);
            assert!((found - value).abs() < 1e-8, "step {step}: {found}");
        }
    }

    #[test]
    fn without_a_warm_up_the_first_step_has_the_full_rate() {
        let rate = Milestones::new(0.5, 0.0, vec![], 0.1).unwrap();
        assert_eq!(at(&rate, 0), 0.5);
    }
}
