//! What a run minimises, and how gradients change the weights.

use std::sync::Arc;

use super::context::Context;
use super::section::section;
use crate::Result;
use crate::bounds::{LARGEST_RATE, check, check_rate, positive};
use crate::data::Task;
use crate::error::option::{LR_SCHEDULE, MILESTONES, OPTIMISER};
use crate::loss::CrossEntropy;
use crate::optim::{
    AdamW, Averaged, Cosine, LearningRate, Milestones, Optimiser, OptimiserName, RateName, Sgd,
};

section! {
    /// The loss, the optimiser and its learning rate. Momentum and weight decay of SGD: Heddes et al., arXiv
    /// 2401.06898, CIFAR set-up; those of AdamW: PyTorch.
    pub struct OptimiserConfig in "Optimiser" {
        /// How gradients change the weights [default: sgd, for tables adamw]
        optimiser: Option<OptimiserName> = None,
            NAME, on resume Fixed;
        /// Learning rate after the warm-up [default: 0.1, for adamw 0.001, for tables without --optimiser 0.003]
        lr: Option<f64> = None,
            RATE, on resume Noted;
        /// Momentum of sgd
        momentum: f64 = 0.9,
            FACTOR, on resume Noted, idle is_no_sgd;
        /// Nesterov's form of the momentum
        nesterov: bool = false,
            BOOL, on resume Noted, idle is_no_sgd;
        /// Share of the first moment that adamw keeps per step
        beta1: f64 = 0.9,
            SHARE, on resume Noted, idle is_no_adamw;
        /// Share of the second moment that adamw keeps per step
        beta2: f64 = 0.999,
            SHARE, on resume Noted, idle is_no_adamw;
        /// What adamw adds to the root of the second moment
        epsilon: f64 = 1e-8,
            NUMBER, on resume Noted, idle is_no_adamw;
        /// Correct adamw's moments by a connection's age, instead of by the run's steps as if it had existed from the
        /// first
        ages: bool = true,
            BOOL, on resume Noted, idle is_no_adamw;
        /// Weight decay: for sgd added to the gradient (L2), for adamw subtracted from the weight, times the learning
        /// rate [default: 0.0001, for adamw 0.01]
        weight_decay: Option<f64> = None,
            FACTOR, on resume Noted;
        /// Scale the gradient of all weights together down to this norm if it is larger [default: never]
        clip_norm: Option<f64> = None,
            NORM, on resume Noted;
        /// Test with a moving average of the weights, keeping this share of it per step, as in 0.999; it is saved
        /// beside them, 4 bytes per connection [default: none]
        ema: Option<f64> = None,
            SHARE, on resume Fixed;
        /// Share of the target spread evenly over all classes
        label_smoothing: f64 = 0.0,
            SHARE, on resume Noted, idle is_of_no_class;
        /// Epochs in which the learning rate rises linearly to --lr
        warmup_epochs: f64 = 0.0,
            EPOCHS, on resume Noted;
        /// How the learning rate falls after the warm-up
        lr_schedule: RateName = RateName::Milestones,
            NAME, on resume Noted;
        /// Epochs at which the learning rate is multiplied by --lr-decay, as in 8,12
        milestones: Vec<f64> = Vec::new(),
            EPOCHS, on resume Noted, idle falls_by_none;
        /// Factor of the learning rate at a milestone
        lr_decay: f64 = 0.1,
            FACTOR, on resume Noted, idle has_no_milestones;
        /// Learning rate at the end of a cosine
        lr_end: f64 = 0.0,
            RATE, on resume Noted, idle is_no_cosine;
    }
}

impl OptimiserConfig {
    fn is_of_no_class(&self, context: &Context<'_>) -> Option<String> {
        let other = context.task.filter(|task| *task != Task::Classification);
        other.map(|task| format!("it is for a class a sample, and the task is {task}"))
    }

    fn is_no_sgd(&self, context: &Context<'_>) -> Option<String> {
        self.unless(OptimiserName::Sgd, context)
    }

    fn is_no_adamw(&self, context: &Context<'_>) -> Option<String> {
        self.unless(OptimiserName::AdamW, context)
    }

    fn unless(&self, own: OptimiserName, context: &Context<'_>) -> Option<String> {
        (self.optimiser.unwrap_or(context.usual.optimiser) != own)
            .then(|| format!("it is for {OPTIMISER} {own}"))
    }

    fn falls_by_none(&self, _: &Context<'_>) -> Option<String> {
        let other = self.lr_schedule != RateName::Milestones;
        other.then(|| format!("it is for {LR_SCHEDULE} {}", RateName::Milestones))
    }

    fn has_no_milestones(&self, context: &Context<'_>) -> Option<String> {
        let none = self.milestones.is_empty();
        let why = || format!("there are no {MILESTONES} at which it would be applied");
        self.falls_by_none(context).or_else(|| none.then(why))
    }

    fn is_no_cosine(&self, _: &Context<'_>) -> Option<String> {
        let other = self.lr_schedule != RateName::Cosine;
        other.then(|| format!("it is for {LR_SCHEDULE} {}", RateName::Cosine))
    }

    /// The optimiser: as given, or SGD. For what is usual for the data, see
    /// [`TrainConfig::usual_optimiser`](super::TrainConfig::usual_optimiser).
    pub fn name(&self) -> OptimiserName {
        self.optimiser.unwrap_or(OptimiserName::Sgd)
    }

    /// The learning rate after the warm-up: as given, or the optimiser's usual one.
    pub fn lr(&self) -> f64 {
        self.lr.unwrap_or(match self.name() {
            OptimiserName::Sgd => 0.1,
            OptimiserName::AdamW => 1e-3,
        })
    }

    /// The weight decay: as given, or the optimiser's usual one.
    pub fn weight_decay(&self) -> f64 {
        self.weight_decay.unwrap_or(match self.name() {
            OptimiserName::Sgd => 1e-4,
            OptimiserName::AdamW => 1e-2,
        })
    }

    /// Whether the learning rate of a step depends on the total number of steps.
    pub(super) fn looks_ahead(&self) -> bool {
        self.lr_schedule == RateName::Cosine
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<()> {
        // This includes the values of the other optimiser and schedule: an impossible number is wrong wherever it is.
        self.sgd()?;
        self.adamw()?;
        self.milestones()?;
        check_rate(self.lr_end, "lr_end")?;
        self.build_optimiser()?;
        self.build_learning_rate()?;
        self.build_clip()?;
        CrossEntropy::new(self.label_smoothing)?;
        Ok(())
    }

    fn sgd(&self) -> Result<Sgd> {
        Sgd::new(self.momentum, self.weight_decay(), self.nesterov)
    }

    fn adamw(&self) -> Result<AdamW> {
        let adamw = AdamW::new([self.beta1, self.beta2], self.epsilon, self.weight_decay())?;
        Ok(if self.ages {
            adamw
        } else {
            adamw.without_ages()
        })
    }

    fn milestones(&self) -> Result<Milestones> {
        let milestones = self.milestones.clone();
        Milestones::new(self.lr(), self.warmup_epochs, milestones, self.lr_decay)
    }

    /// The optimiser.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value) names the value that is not allowed.
    pub fn build_optimiser(&self) -> Result<Arc<dyn Optimiser>> {
        let optimiser: Arc<dyn Optimiser> = match self.name() {
            OptimiserName::Sgd => Arc::new(self.sgd()?),
            OptimiserName::AdamW => Arc::new(self.adamw()?),
        };
        Ok(match self.ema {
            Some(decay) => Arc::new(Averaged::new(optimiser, decay)?),
            None => optimiser,
        })
    }

    /// The learning rate.
    ///
    /// # Errors
    /// As [`OptimiserConfig::build_optimiser`].
    pub fn build_learning_rate(&self) -> Result<Arc<dyn LearningRate>> {
        Ok(match self.lr_schedule {
            RateName::Milestones => Arc::new(self.milestones()?),
            RateName::Cosine => Arc::new(Cosine::new(self.lr(), self.warmup_epochs, self.lr_end)?),
        })
    }

    /// The norm to which gradients are scaled down.
    ///
    /// # Errors
    /// As [`OptimiserConfig::build_optimiser`].
    pub fn build_clip(&self) -> Result<Option<f32>> {
        let norm = self.clip_norm.unwrap_or(1.0);
        check(
            positive(norm, LARGEST_RATE),
            "clip_norm",
            "must be above 0 and at most 1000000",
            norm,
        )?;
        Ok(self.clip_norm.map(|norm| norm as f32))
    }
}
