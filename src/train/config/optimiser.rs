//! What a run makes small, and what the gradients do to the weights.

use std::sync::Arc;

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
        self.build_learning_rate()?;
        self.build_optimiser()?;
        self.build_loss()?;
        Ok(())
    }

    /// The optimiser.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value) names the value that it cannot have.
    pub fn build_optimiser(&self) -> Result<Arc<dyn Optimiser>> {
        let sgd = Sgd::new(self.momentum, self.weight_decay, self.nesterov)?;
        Ok(Arc::new(sgd))
    }

    /// The learning rate.
    ///
    /// # Errors
    /// As [`OptimiserConfig::build_optimiser`].
    pub fn build_learning_rate(&self) -> Result<Arc<dyn LearningRate>> {
        let milestones = self.milestones.clone();
        let rate = Milestones::new(self.lr, self.warmup_epochs, milestones, self.lr_decay)?;
        Ok(Arc::new(rate))
    }

    /// The loss.
    ///
    /// # Errors
    /// As [`OptimiserConfig::build_optimiser`].
    pub fn build_loss(&self) -> Result<Arc<dyn Loss>> {
        Ok(Arc::new(CrossEntropy::new(self.label_smoothing)?))
    }
}
