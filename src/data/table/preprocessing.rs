//! What is done with a table's columns, as determined from its training rows: part of a checkpoint.

use serde::{Deserialize, Serialize};

use crate::choice::choice;
use crate::error::{Error, Misfit, Refusal, Result};

choice! {
    /// How cells without a value are treated.
    pub enum Missing {
        /// They are an error, by row and column
        Refuse = "refuse",
        /// Numbers become the mean of the training rows, categories the most frequent one
        Mean = "mean",
        /// Numbers become the median of the training rows, categories the most frequent one
        Median = "median",
        /// They are a separate category; numbers become the mean, and an additional input says that they are missing
        Category = "category",
        /// Their rows are left out
        Drop = "drop",
    }
}

/// What is done with the columns of a table before a network sees them, and with its outputs afterwards. It is fitted
/// to the training rows alone, stored in the checkpoint, and applied unchanged to all rows to be predicted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The columns that become inputs, in the order of the inputs.
    pub columns: Vec<ColumnRule>,
    /// What the network predicts.
    pub target: TargetRule,
    /// How cells without a value are treated.
    pub missing: Missing,
    /// Columns that were left out, and may be present.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<String>,
    /// The column with the weights of the training rows, which is no input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
}

/// What is done with a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnRule {
    /// Its name.
    pub name: String,
    /// What is done with it.
    pub rule: Rule,
}

/// What is done with the cells of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// A number becomes `(number - mean) / deviation`: one input.
    Number {
        /// The mean of the training rows; 0 in sparse tables.
        mean: f64,
        /// Their standard deviation; 1 if it would be 0, and in sparse tables.
        deviation: f64,
        /// The number that replaces a missing one, in the column's unit; `None` if none may be missing.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fill: Option<f64>,
        /// Whether a second input is 1 if the number is missing and 0 otherwise.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        missing_input: bool,
    },
    /// A category becomes one input per name: 1 for its own, 0 for the others. An unknown category has all zeros.
    Category {
        /// The categories of the training rows.
        names: Vec<String>,
        /// The name that replaces a missing one; `None` if none may be missing, or if missing is a separate category.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        fill: Option<usize>,
        /// Whether a last input is 1 if the value is missing.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        missing_input: bool,
    },
}

impl Rule {
    /// The inputs for a number, with NaN for a missing one; `None` if it must not be missing, is infinite, or texts are
    /// expected.
    pub(super) fn of_number(&self, x: f32) -> Option<impl Iterator<Item = f32> + use<>> {
        let Rule::Number {
            mean,
            deviation,
            fill,
            missing_input,
        } = self
        else {
            return None;
        };
        let (is_missing, x) = match (x.is_nan(), fill) {
            (true, None) => return None,
            (true, Some(fill)) => (true, *fill),
            (false, _) if x.is_infinite() => return None,
            (false, _) => (false, f64::from(x)),
        };
        let first = ((x - mean) / deviation) as f32;
        let second = missing_input.then_some(f32::from(u8::from(is_missing)));
        Some(std::iter::once(first).chain(second))
    }

    /// Number of inputs that it makes.
    pub fn inputs(&self) -> usize {
        match self {
            Rule::Number { missing_input, .. } => 1 + usize::from(*missing_input),
            Rule::Category {
                names,
                missing_input,
                ..
            } => names.len() + usize::from(*missing_input),
        }
    }
}

/// What the network predicts for a row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetRule {
    /// A class: the value of a column.
    Classes {
        /// Its name.
        column: String,
        /// The values, in the order of the classes.
        names: Vec<String>,
    },
    /// Numbers: each is `(number - mean) / deviation` in training, and predicted in its own unit.
    Values {
        /// Their columns.
        columns: Vec<String>,
        /// The mean of the training rows, for each column.
        mean: Vec<f64>,
        /// Their standard deviation, for each column; 1 if it would be 0.
        deviation: Vec<f64>,
    },
    /// Several labels, each present (1) or absent (0).
    Labels {
        /// Their columns.
        columns: Vec<String>,
    },
}

impl TargetRule {
    /// The names of its columns.
    pub fn columns(&self) -> &[String] {
        match self {
            TargetRule::Classes { column, .. } => std::slice::from_ref(column),
            TargetRule::Values { columns, .. } | TargetRule::Labels { columns } => columns,
        }
    }
}

impl Preprocessing {
    /// Number of inputs of the network.
    pub fn inputs(&self) -> usize {
        self.columns.iter().map(|column| column.rule.inputs()).sum()
    }

    /// The network's inputs for rows `[row][column]` of numbers, with NaN for a missing one.
    ///
    /// # Errors
    /// The numbers are not a whole number of rows, a number is infinite or missing where it must not be, or there are
    /// columns of texts.
    pub fn inputs_of(&self, numbers: &[f32]) -> Result<Vec<f32>> {
        let width = self.columns.len();
        let texts = self
            .columns
            .iter()
            .find(|c| matches!(c.rule, Rule::Category { .. }));
        if let Some(column) = texts {
            return Err(Error::refused(Refusal::TextColumn {
                column: column.name.clone(),
            }));
        }
        if width == 0 || !numbers.len().is_multiple_of(width) {
            return Err(Error::Shape(Misfit::Unfit {
                found: format!("{} numbers", numbers.len()),
                expected: format!("rows of {width} columns"),
            }));
        }
        let mut inputs = Vec::with_capacity(numbers.len() / width * self.inputs());
        for (at, &x) in numbers.iter().enumerate() {
            let ColumnRule { name, rule } = &self.columns[at % width];
            let Some(own) = rule.of_number(x) else {
                return Err(Error::refused(Refusal::NewNumber {
                    row: at / width + 1,
                    column: name.clone(),
                    number: x,
                }));
            };
            inputs.extend(own);
        }
        Ok(inputs)
    }

    /// Columns whose cells are texts, and the target if its classes have names that are not numbers: a file with other
    /// rows is read accordingly.
    pub(super) fn text_columns(&self) -> Vec<String> {
        let category = |column: &&ColumnRule| matches!(column.rule, Rule::Category { .. });
        let columns = self.columns.iter().filter(category);
        let mut texts: Vec<String> = columns.map(|column| column.name.clone()).collect();
        if let TargetRule::Classes { column, names } = &self.target
            && names.iter().any(|name| name.parse::<f64>().is_err())
        {
            texts.push(column.clone());
        }
        texts
    }

    /// Whether a row can have several labels.
    pub(super) fn has_labels(&self) -> bool {
        matches!(self.target, TargetRule::Labels { .. })
    }

    /// What each value of the target was divided by; empty for classes and labels.
    pub fn units(&self) -> Vec<f32> {
        match &self.target {
            TargetRule::Values { deviation, .. } => deviation.iter().map(|&x| x as f32).collect(),
            TargetRule::Classes { .. } | TargetRule::Labels { .. } => Vec::new(),
        }
    }

    /// Converts outputs `[sample][output]` of the network to the target's own unit, in place; those of classes and
    /// labels stay.
    pub fn to_own_unit(&self, outputs: &mut [f32]) {
        let TargetRule::Values {
            mean, deviation, ..
        } = &self.target
        else {
            return;
        };
        for row in outputs.chunks_exact_mut(mean.len().max(1)) {
            for ((output, mean), deviation) in row.iter_mut().zip(mean).zip(deviation) {
                *output = (f64::from(*output) * deviation + mean) as f32;
            }
        }
    }
}
