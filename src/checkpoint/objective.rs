//! What a network is trained for.

use crate::data::Task;
use crate::loss::{Accuracy, CrossEntropy, Loss, Metric};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The names of the loss and the metric of a network.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Objective {
    /// The loss.
    pub loss: String,
    /// The metric, if there is one.
    pub metric: Option<String>,
    /// What it learns to predict for a sample; `None` if an older version did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

impl Default for Objective {
    fn default() -> Self {
        Objective {
            loss: CrossEntropy::default().name().to_owned(),
            metric: Some(Accuracy.name().to_owned()),
            task: Some(Task::Classification),
        }
    }
}

impl Objective {
    /// Whether a training with one can continue with the other, or be evaluated with it.
    pub fn agrees(&self, other: &Self) -> bool {
        let unlike = self.task.zip(other.task).is_some_and(|(a, b)| a != b);
        self.loss == other.loss && self.metric == other.metric && !unlike
    }

    /// Whether it is the usual one, which files do not record.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl fmt::Display for Objective {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the loss {}", self.loss)?;
        match &self.metric {
            Some(metric) => write!(f, " and the metric {metric}"),
            None => f.write_str(" and no metric"),
        }
    }
}
