//! What a network is trained for.

use crate::loss::{Accuracy, CrossEntropy, Loss, Metric};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a network is trained and evaluated by, by their names.
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
    /// Whether it is that of a run of the command.
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
