//! The names of tasks and losses, and which follow from which.

use crate::choice::choice;
use crate::data::Task;

choice! {
    /// What a network learns to predict for a sample.
    pub enum TaskName {
        /// As the data's targets are
        Auto = "auto",
        /// Which of several classes it is
        Classification = Task::NAMES[0],
        /// Which of several classes apply, each by itself
        MultiLabel = Task::NAMES[1],
        /// One or several numbers
        Regression = Task::NAMES[2],
    }
}

impl TaskName {
    /// The task that was named, if any.
    pub fn task(self) -> Option<Task> {
        Task::named(self.name())
    }
}

choice! {
    /// What training minimises.
    pub enum LossName {
        /// By the task: cross-entropy, bce or mse
        Auto = "auto",
        /// For one class: cross-entropy of the outputs' softmax
        CrossEntropy = "cross-entropy",
        /// For several classes: binary cross-entropy of each output's sigmoid
        Bce = "bce",
        /// For numbers: mean squared error
        Mse = "mse",
        /// For numbers: half of mse up to an error of huber_delta, linear beyond it
        Huber = "huber",
    }
}

impl LossName {
    /// The task that it is for; `None` for auto.
    pub fn task(self) -> Option<Task> {
        match self {
            LossName::Auto => None,
            LossName::CrossEntropy => Some(Task::Classification),
            LossName::Bce => Some(Task::MultiLabel),
            LossName::Mse | LossName::Huber => Some(Task::Regression),
        }
    }
}
