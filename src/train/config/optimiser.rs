//! What a run makes small, and what the gradients do to the weights.

use std::sync::Arc;

use super::check::{LARGEST_RATE, check, epoch, list_text, positive, share};
use super::context::Context;
use super::section::section;
use crate::Result;
use crate::error::option::MILESTONES;
use crate::loss::{CrossEntropy, Loss};
use crate::optim::{LearningRate, Milestones, Optimiser, Sgd};

section! {
    /// The loss, the optimiser and its learning rate. Momentum and weight decay: Heddes et al., arXiv 2401.06898, CIFAR
    /// set-up.
    pub struct OptimiserConfig in "Optimiser" {
        /// Learning rate after the warm-up
        lr: f64 = 0.1,
            RATE, on resume Noted;
        /// Momentum of the gradient descent
        momentum: f64 = 0.9,
            FACTOR, on resume Noted;
        /// Nesterov's form of the momentum
        nesterov: bool = false,
            BOOL, on resume Noted;
        /// Weight decay (L2), added to the gradient
        weight_decay: f64 = 1e-4,
            FACTOR, on resume Noted;
        /// Share of the target spread evenly over all classes
        label_smoothing: f64 = 0.0,
            SHARE, on resume Noted;
        /// Epochs in which the learning rate rises linearly to --lr
        warmup_epochs: f64 = 0.0,
            EPOCHS, on resume Noted;
        /// Epochs at which the learning rate is multiplied by --lr-decay, as in 8,12
        milestones: Vec<f64> = Vec::new(),
            EPOCHS, on resume Noted;
        /// Factor of the learning rate at a milestone
        lr_decay: f64 = 0.1,
            FACTOR, on resume Noted, idle has_no_milestones;
    }
}

impl OptimiserConfig {
    fn has_no_milestones(&self, _: &Context<'_>) -> Option<String> {
        (self.milestones.is_empty())
            .then(|| format!("there are no {MILESTONES} at which it would be applied"))
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first that is not what it must be.
    pub fn validate(&self) -> Result<()> {
        let ascending = self.milestones.windows(2).all(|pair| pair[0] < pair[1]);
        check(
            positive(self.lr, LARGEST_RATE),
            "lr",
            "must be above 0 and at most 1000000",
            self.lr,
        )?;
        check(
            share(self.momentum),
            "momentum",
            "must be at least 0 and below 1",
            self.momentum,
        )?;
        check(
            !self.nesterov || self.momentum > 0.0,
            "nesterov",
            "needs a momentum above 0",
            self.momentum,
        )?;
        check(
            (0.0..=LARGEST_RATE).contains(&self.weight_decay),
            "weight_decay",
            "must be at least 0 and at most 1000000",
            self.weight_decay,
        )?;
        check(
            share(self.label_smoothing),
            "label_smoothing",
            "must be at least 0 and below 1",
            self.label_smoothing,
        )?;
        check(
            epoch(self.warmup_epochs),
            "warmup_epochs",
            "must be a number of epochs from 0 to 4294967295",
            self.warmup_epochs,
        )?;
        check(
            ascending && (self.milestones.iter()).all(|&at| at > 0.0 && epoch(at)),
            "milestones",
            "must list epochs above 0, up to 4294967295, in ascending order, as in 8,12, or be none",
            list_text(&self.milestones),
        )?;
        check(
            positive(self.lr_decay, LARGEST_RATE),
            "lr_decay",
            "must be a factor above 0 and at most 1000000",
            self.lr_decay,
        )
    }

    /// The optimiser.
    pub fn build_optimiser(&self) -> Arc<dyn Optimiser> {
        Arc::new(Sgd {
            momentum: self.momentum as f32,
            weight_decay: self.weight_decay as f32,
            nesterov: self.nesterov,
        })
    }

    /// The learning rate.
    pub fn build_learning_rate(&self) -> Arc<dyn LearningRate> {
        Arc::new(Milestones {
            base: self.lr,
            warmup: self.warmup_epochs,
            milestones: self.milestones.clone(),
            decay: self.lr_decay,
        })
    }

    /// The loss.
    pub fn build_loss(&self) -> Arc<dyn Loss> {
        Arc::new(CrossEntropy {
            smoothing: self.label_smoothing as f32,
        })
    }
}
