//! The rows of `metrics.csv`.

use serde::{Deserialize, Serialize};

use super::content::is_amount;
use super::row::Row;
use crate::train::event::{Epoch, PartResults, Score};

/// The scores of a regression's test, and of one with several classes per sample: a run has all columns of a group or
/// none.
const NUMBERS: &[&str] = &["RMSE", "MAE", "R2"];
const FLAGS: &[&str] = &["P@1", "P@3", "P@5", "exact-match", "macro-F1", "AUC"];
/// Those for which lower is better.
const ERRORS: &[&str] = &["RMSE", "MAE"];

/// A row of `metrics.csv`: an [`Epoch`]. If accuracy is not the metric, there are no columns of accuracies (older
/// versions wrote NaN), and the columns at the end have the metric's name, its means, and the further scores of the
/// test; otherwise there are no such columns.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct EpochRow {
    pub(super) epoch: u32,
    pub(super) step: u64,
    pub(super) lr: f32,
    pub(super) train_loss: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) train_accuracy: Option<f32>,
    pub(super) test_loss: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_accuracy: Option<f32>,
    pub(super) seconds: f64,
    pub(super) images_per_second: f64,
    /// With a validation part; then the columns of the test are NaN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_loss: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_accuracy: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metric: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) higher_is_better: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) train_metric: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_metric: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_metric: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_rmse: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_mae: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_r2: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_p1: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_p3: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_p5: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_exact_match: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_macro_f1: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) test_auc: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_rmse: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_mae: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_r2: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_p1: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_p3: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_p5: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_exact_match: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_macro_f1: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) validation_auc: Option<f32>,
}

impl From<&Epoch> for EpochRow {
    fn from(epoch: &Epoch) -> Self {
        let (train, test) = (epoch.train_metric.as_ref(), epoch.test_metric.as_ref());
        let validation = epoch.validation.as_ref();
        let judged = validation.and_then(|judged| judged.metric.as_ref());
        let either = test.or(judged).or(train);
        // A run has either all of these columns or none.
        let mean =
            |score: Option<&Score>| either.map(|_| score.map_or(f32::NAN, |score| score.value));
        let accuracy = |value: f32| either.is_none().then_some(value);
        let of_part = |scores: &[Score], group: &[&str], name: &str| {
            let score = |name: &str| scores.iter().find(|score| score.name == name);
            let is_told = group.iter().any(|name| score(name).is_some());
            let is_metric = either.is_some_and(|metric| metric.name == name);
            (is_told && !is_metric).then(|| score(name).map_or(f32::NAN, |score| score.value))
        };
        let of = |group: &[&str], name: &str| of_part(&epoch.test_scores, group, name);
        let validated = validation.map_or(&[][..], |judged| &judged.scores);
        let by = |group: &[&str], name: &str| of_part(validated, group, name);
        Self {
            test_rmse: of(NUMBERS, "RMSE"),
            test_mae: of(NUMBERS, "MAE"),
            test_r2: of(NUMBERS, "R2"),
            test_p1: of(FLAGS, "P@1"),
            test_p3: of(FLAGS, "P@3"),
            test_p5: of(FLAGS, "P@5"),
            test_exact_match: of(FLAGS, "exact-match"),
            test_macro_f1: of(FLAGS, "macro-F1"),
            test_auc: of(FLAGS, "AUC"),
            validation_rmse: by(NUMBERS, "RMSE"),
            validation_mae: by(NUMBERS, "MAE"),
            validation_r2: by(NUMBERS, "R2"),
            validation_p1: by(FLAGS, "P@1"),
            validation_p3: by(FLAGS, "P@3"),
            validation_p5: by(FLAGS, "P@5"),
            validation_exact_match: by(FLAGS, "exact-match"),
            validation_macro_f1: by(FLAGS, "macro-F1"),
            validation_auc: by(FLAGS, "AUC"),
            epoch: epoch.epoch,
            step: epoch.step,
            lr: epoch.lr,
            train_loss: epoch.train_loss,
            train_accuracy: accuracy(epoch.train_accuracy),
            test_loss: epoch.test_loss,
            test_accuracy: accuracy(epoch.test_accuracy),
            seconds: epoch.seconds,
            images_per_second: epoch.images_per_second,
            metric: either.map(|score| score.name.clone()),
            higher_is_better: either.map(|score| score.higher_is_better),
            train_metric: mean(train),
            test_metric: mean(test),
            validation_loss: validation.map(|judged| judged.loss),
            validation_accuracy: validation.and_then(|judged| accuracy(judged.accuracy)),
            validation_metric: validation.and_then(|_| mean(judged)),
        }
    }
}

impl EpochRow {
    /// The event that the row records.
    pub(super) fn into_event(self) -> Epoch {
        let (name, higher_is_better) = (self.metric, self.higher_is_better.unwrap_or(false));
        let score = |value: Option<f32>| {
            Some(Score {
                name: name.clone()?,
                value: value?,
                higher_is_better,
            })
        };
        let further = |values: [Option<f32>; 9]| {
            let named = NUMBERS.iter().chain(FLAGS).zip(values);
            let told = named.filter_map(|(&name, value)| {
                Some(Score {
                    name: name.to_owned(),
                    value: value.filter(|value| !value.is_nan())?,
                    higher_is_better: !ERRORS.contains(&name),
                })
            });
            told.collect()
        };
        let tested = [
            self.test_rmse,
            self.test_mae,
            self.test_r2,
            self.test_p1,
            self.test_p3,
            self.test_p5,
            self.test_exact_match,
            self.test_macro_f1,
            self.test_auc,
        ];
        let validated = [
            self.validation_rmse,
            self.validation_mae,
            self.validation_r2,
            self.validation_p1,
            self.validation_p3,
            self.validation_p5,
            self.validation_exact_match,
            self.validation_macro_f1,
            self.validation_auc,
        ];
        Epoch {
            test_scores: further(tested),
            train_metric: score(self.train_metric),
            test_metric: score(self.test_metric).filter(|score| !score.value.is_nan()),
            validation: self
                .validation_loss
                .filter(|loss| !loss.is_nan())
                .map(|loss| PartResults {
                    loss,
                    accuracy: self.validation_accuracy.unwrap_or(f32::NAN),
                    metric: score(self.validation_metric),
                    scores: further(validated),
                }),
            epoch: self.epoch,
            step: self.step,
            lr: self.lr,
            train_loss: self.train_loss,
            train_accuracy: self.train_accuracy.unwrap_or(f32::NAN),
            test_loss: self.test_loss,
            test_accuracy: self.test_accuracy.unwrap_or(f32::NAN),
            seconds: self.seconds,
            images_per_second: self.images_per_second,
        }
    }
}

impl EpochRow {
    /// This with the columns of a validation part, even if its epoch had none.
    pub(super) fn with_validation(mut self) -> Self {
        self.validation_loss.get_or_insert(f32::NAN);
        if self.train_accuracy.is_some() {
            self.validation_accuracy.get_or_insert(f32::NAN);
        }
        self
    }
}

impl Row for EpochRow {
    fn place(&self) -> (u64, usize) {
        (self.step, 0)
    }

    fn forms() -> Vec<Self> {
        let of_classes = Self {
            train_accuracy: Some(0.0),
            test_accuracy: Some(0.0),
            ..Self::default()
        };
        vec![of_classes, Self::default()]
    }

    fn epoch(&self) -> Option<u32> {
        Some(self.epoch)
    }

    fn align(rows: &mut [Self], wide: bool) -> bool {
        // Older versions wrote accuracies of other metrics, as NaN.
        for row in rows.iter_mut().filter(|row| row.metric.is_some()) {
            (
                row.train_accuracy,
                row.test_accuracy,
                row.validation_accuracy,
            ) = (None, None, None);
        }
        let is_wide = wide || rows.iter().any(|row| row.validation_loss.is_some());
        for row in rows.iter_mut().filter(|_| is_wide) {
            *row = std::mem::take(row).with_validation();
        }
        is_wide
    }

    fn is_possible(&self) -> bool {
        // If the metric is not accuracy, there is none.
        let share = |value: Option<f32>| {
            value.is_none_or(|value| value.is_nan() || (0.0..=1.0).contains(&value))
        };
        // With a validation part the test part is left for the end.
        let validation = self.validation_loss.filter(|loss| !loss.is_nan());
        let evaluated = validation.unwrap_or(self.test_loss);
        // A program may train without a part to evaluate on: then there is no result at all.
        let no_result = |value: Option<f32>| value.is_none_or(f32::is_nan);
        let is_unevaluated = evaluated.is_nan()
            && no_result(self.test_accuracy)
            && no_result(self.validation_accuracy);
        is_amount(self.lr.into())
            && self.train_loss.is_finite()
            && (evaluated.is_finite() || is_unevaluated)
            && share(self.train_accuracy)
            && share(self.test_accuracy)
            && share(self.validation_accuracy)
            && is_amount(self.seconds)
            && is_amount(self.images_per_second)
    }
}
