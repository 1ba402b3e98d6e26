//! The names of tasks and losses, with what follows from others among them.

use crate::choice::choice;
use crate::data::Task;

choice! {
    /// What a network learns to tell of a sample.
    pub enum TaskName {
        /// As the targets of the data are
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
    /// The task that was said, if one was.
    pub fn task(self) -> Option<Task> {
        Task::named(self.name())
    }
}

choice! {
    /// What training makes small.
    pub enum LossName {
        /// By the task: cross-entropy, bce or mse
        Auto = "auto",
        /// Of a class: cross-entropy of the outputs' softmax
        CrossEntropy = "cross-entropy",
        /// Of several classes: binary cross-entropy of each output's sigmoid
        Bce = "bce",
        /// Of numbers: mean squared error
        Mse = "mse",
        /// Of numbers: half of mse up to an error of huber_delta, a line from there on
        Huber = "huber",
    }
}

impl LossName {
    /// The task that it is for; none of auto.
    pub fn task(self) -> Option<Task> {
        match self {
            LossName::Auto => None,
            LossName::CrossEntropy => Some(Task::Classification),
            LossName::Bce => Some(Task::MultiLabel),
            LossName::Mse | LossName::Huber => Some(Task::Regression),
        }
    }
}
