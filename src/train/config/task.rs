//! What a run learns to predict, with which loss, and how much its samples and classes count.

use std::sync::Arc;

use super::class_weights::{ClassWeights, NONE};
use super::context::Context;
use super::names::{LossName, TaskName};
use super::section::section;
use crate::data::{Dataset, TargetKind, Task};
use crate::error::Refusal;
use crate::error::option::{LOSS, TASK};
use crate::loss::{
    AbsoluteError, Accuracy, BinaryCrossEntropy, CrossEntropy, Huber, Loss, MeanSquaredError,
    Metric, PrecisionAt,
};
use crate::{Error, Result};

section! {
    /// What a run learns to predict, with which loss, and how much its samples count.
    pub struct TaskConfig in "Task" {
        /// What to learn for a sample: classification (a class), multi-label (classes that apply or not) or regression
        /// (numbers); auto: as the data's targets are
        name as "task": TaskName = TaskName::Auto,
            NAME, on resume Fixed;
        /// What training minimises: cross-entropy for classification, bce for multi-label, mse or huber for regression;
        /// auto: the first one for the task
        loss: LossName = LossName::Auto,
            NAME, on resume Fixed;
        /// Error from which the loss huber is linear, in deviations if the targets are scaled
        huber_delta: f64 = 1.0,
            ERROR, on resume Noted, idle is_not_huber;
        /// How much a class counts in the loss: none, balanced (as if each had as many samples), a number for each, as
        /// in 1,2.5,1, or a file with lines such as "cat 2.5"; for multi-label, how much it counts where it applies.
        /// Metrics ignore it
        class_weights: String = NONE.to_owned(),
            WEIGHTS, on resume Noted, idle weighs_no_classes;
        /// Draw each class equally often: an epoch has as many samples as before, those of small classes several times
        balance: bool = false,
            BOOL, on resume Noted, idle balances_nothing;
    }
}

impl TaskConfig {
    /// The task, as far as the configuration determines it.
    pub(super) fn task(&self) -> Option<Task> {
        self.name.task().or(self.loss.task())
    }

    fn is_not_huber(&self, _: &Context<'_>) -> Option<String> {
        (self.loss != LossName::Huber).then(|| format!("it is for {LOSS} huber"))
    }

    fn weighs_no_classes(&self, _: &Context<'_>) -> Option<String> {
        let is_idle = self.class_weights != NONE && self.task() == Some(Task::Regression);
        is_idle.then(|| "a regression has no classes".to_owned())
    }

    fn balances_nothing(&self, _: &Context<'_>) -> Option<String> {
        let other = self.task().filter(|task| *task != Task::Classification);
        let other = other.filter(|_| self.balance);
        other.map(|task| format!("in a {task} no sample has a single class"))
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<()> {
        if let (Some(task), Some(of_loss)) = (self.name.task(), self.loss.task())
            && task != of_loss
        {
            return Err(Error::refused(Refusal::LossOfOtherTask {
                loss: self.loss.to_string(),
                of_loss: of_loss.to_string(),
                task: task.to_string(),
            }));
        }
        Huber::new(self.huber_delta)?;
        self.class_weights()?;
        Ok(())
    }

    pub(crate) fn class_weights(&self) -> Result<ClassWeights> {
        ClassWeights::parse(&self.class_weights)
    }

    /// Checks that the configuration is meant for such data.
    ///
    /// # Errors
    /// [`Error::Refused`] names what does not fit.
    pub(crate) fn check(&self, data: &Dataset) -> Result<()> {
        self.validate()?;
        let found = Task::of(data.train.targets());
        let unfit = |option, value: String, task: Task, way_out: String| {
            Err(Error::refused(Refusal::Targets {
                option,
                value,
                needs: task.targets().to_owned(),
                data: data.name.clone(),
                has: data.train.targets().to_string(),
                task: found.to_string(),
                way_out,
            }))
        };
        match (self.name.task(), self.loss.task()) {
            (Some(task), _) if task != found => unfit(
                TASK,
                task.to_string(),
                task,
                format!("leave {TASK} out, or give other data"),
            ),
            (_, Some(task)) if task != found => unfit(
                LOSS,
                self.loss.to_string(),
                task,
                format!("use {LOSS} auto"),
            ),
            _ => Ok(()),
        }?;
        let has_no_classes = found == Task::Regression;
        if has_no_classes && self.class_weights()? != ClassWeights::None {
            return Err(Error::refused(Refusal::NoClasses {
                weights: self.class_weights.clone(),
                data: data.name.clone(),
                has: data.train.targets().to_string(),
            }));
        }
        if self.balance && found != Task::Classification {
            return Err(Error::refused(Refusal::NoSingleClass {
                data: data.name.clone(),
                has: data.train.targets().to_string(),
            }));
        }
        Ok(())
    }

    /// The loss and the metric for such targets, in `units` if values were divided by them.
    ///
    /// # Errors
    /// [`Error::Value`] names a value that they cannot have.
    pub(crate) fn objective(
        &self,
        targets: TargetKind,
        label_smoothing: f64,
        units: Vec<f32>,
    ) -> Result<(Arc<dyn Loss>, Arc<dyn Metric>)> {
        let task = Task::of(targets);
        if task != Task::Classification && label_smoothing != 0.0 {
            return Err(Error::refused(Refusal::Smoothing {
                smoothing: label_smoothing,
                task: task.to_string(),
            }));
        }
        Ok(match task {
            Task::Classification => (
                Arc::new(CrossEntropy::new(label_smoothing)?),
                Arc::new(Accuracy),
            ),
            Task::MultiLabel => (
                Arc::new(BinaryCrossEntropy::default()),
                Arc::new(PrecisionAt::new(1)),
            ),
            Task::Regression => (
                match self.loss {
                    LossName::Huber => Arc::new(Huber::new(self.huber_delta)?),
                    _ => Arc::new(MeanSquaredError),
                },
                match units.is_empty() {
                    true => Arc::new(AbsoluteError::default()),
                    false => Arc::new(AbsoluteError::in_units(units)),
                },
            ),
        })
    }

    /// Targets of this many outputs, as far as the configuration determines them: classes if it does not.
    pub(crate) fn targets(&self, outputs: usize) -> TargetKind {
        match self.task() {
            None | Some(Task::Classification) => TargetKind::Labels,
            Some(Task::MultiLabel) => TargetKind::Flags(outputs),
            Some(Task::Regression) => TargetKind::Values(outputs),
        }
    }
}
