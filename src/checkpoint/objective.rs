//! What a network is trained for.

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
}

impl Default for Objective {
    fn default() -> Self {
        Objective {
            loss: CrossEntropy::default().name().to_owned(),
            metric: Some(Accuracy.name().to_owned()),
        }
    }
}

impl Objective {
    /// Whether they are those of every run of the command.
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
