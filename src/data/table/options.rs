//! How to read a table.

use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::Task;

use super::preprocessing::{Missing, Preprocessing};

/// How to read a table; other data sets ignore it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TableOptions {
    /// Name of the column to learn, or of several, separated by commas. `None` is the array `y`, `target`, `targets`,
    /// `label` or `labels` of a file of arrays, svmlight's labels, or otherwise the last column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// Names of columns that are left out, separated by commas.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore: Option<String>,
    /// Name of the column with the weight of each row in training. `None`: all count the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// The task, if it was named: a class, labels or numbers. `None` is what the target looks like.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// How cells without a value are treated.
    pub missing: Missing,
    /// The file with the rows to test on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<PathBuf>,
    /// Whether the rows stay in the file, or in another one, and are read when they are needed. `None`: if they would
    /// take more than half of the free memory.
    #[serde(skip)]
    pub stream: Option<bool>,
    /// The rules of an earlier training: they are applied, and nothing is fitted.
    #[serde(skip)]
    pub prepared: Option<Arc<Preprocessing>>,
    /// Whether all rows are for testing, and none for training.
    #[serde(skip)]
    pub tests_all: bool,
}

impl Default for TableOptions {
    fn default() -> Self {
        Self {
            target: None,
            ignore: None,
            weight: None,
            task: None,
            missing: Missing::Refuse,
            test: None,
            stream: None,
            prepared: None,
            tests_all: false,
        }
    }
}
