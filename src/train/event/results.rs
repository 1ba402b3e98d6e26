//! The results on a part of the data.

use serde::{Deserialize, Deserializer, Serialize};

/// The mean of a metric that is not accuracy.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Score {
    /// Its name.
    pub name: String,
    /// The mean over the samples.
    #[serde(deserialize_with = "number")]
    pub value: f32,
    /// Whether higher is better.
    pub higher_is_better: bool,
}

/// The results of a network on a part that nothing is learned from.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PartResults {
    /// Mean loss.
    #[serde(deserialize_with = "number")]
    pub loss: f32,
    /// Accuracy, 0 to 1; NaN, in JSON null, if accuracy is not the metric.
    #[serde(deserialize_with = "number")]
    pub accuracy: f32,
    /// Another metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<Score>,
    /// Further scores of the whole part.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
}

impl PartResults {
    /// The metric, if it is not accuracy, and the further scores.
    pub fn all_scores(&self) -> impl Iterator<Item = &Score> {
        self.metric.iter().chain(&self.scores)
    }
}

/// A number that JSON may have left out: it has neither NaN nor infinity, but `null` instead.
pub(super) fn number<'de, D: Deserializer<'de>, T: Deserialize<'de> + From<f32>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let value = Option::<T>::deserialize(deserializer)?;
    Ok(value.unwrap_or_else(|| T::from(f32::NAN)))
}
