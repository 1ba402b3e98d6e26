//! What `rootlet eval` prints: a line, a table of the classes, JSON.

use rootlet::checkpoint::Which;
use rootlet::data::{DataPart, Dataset, TestPart};
use rootlet::loss::{OfClass, Outcomes};
use rootlet::report::counted;
use rootlet::train::Evaluation;
use serde::Serialize;

use super::confusion::Confused;

/// The results for one class.
#[derive(Serialize)]
pub(super) struct Class {
    name: String,
    /// Number of samples to which it applies.
    samples: u64,
    precision: Option<f64>,
    recall: Option<f64>,
    f1: Option<f64>,
}

/// The results for each class; a class without a name has its number.
pub(super) fn by_class(names: &[String], outcomes: &Outcomes) -> Vec<Class> {
    let classes = outcomes.classes().iter().enumerate();
    let of_class = |(number, class): (usize, &OfClass)| Class {
        name: names.get(number).cloned().unwrap_or(number.to_string()),
        samples: class.samples,
        precision: class.precision(),
        recall: class.recall(),
        f1: class.f1(),
    };
    classes.map(of_class).collect()
}

/// The result as JSON.
#[derive(Serialize)]
pub(super) struct Shown<'a> {
    #[serde(flatten)]
    pub(super) result: Evaluation,
    /// The data set.
    pub(super) data: &'a str,
    /// The run or checkpoint, as it was named.
    pub(super) network: String,
    /// The part of the data that they are.
    pub(super) part: DataPart,
    /// Where the images come from.
    pub(super) test_part: &'a TestPart,
    /// Which checkpoint it was; `None` if the checkpoint itself was named.
    pub(super) checkpoint: Option<Which>,
    /// Epochs and steps for which the network was trained.
    pub(super) epoch: u32,
    pub(super) step: u64,
    /// How many of them the network was trained on; null if that is not known.
    pub(super) trained_on: Option<u64>,
    /// The results for each class, if requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) classes: Option<Vec<Class>>,
    /// How many samples of a class got which answer, if requested and samples have one class each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) confusion: Option<Vec<Confused>>,
    /// Whether the checkpoint identifies JPEG files by their bytes.
    #[serde(skip)]
    pub(super) by_bytes: bool,
}

impl Shown<'_> {
    /// The result in one line. `own`: whether the images are those that the network's training used for testing.
    pub(super) fn line(&self, data: &Dataset, own: bool) -> String {
        let (set, sample) = (&data.name, data.sample());
        let images = match own && TestPart::is_test(Some(self.test_part), self.trained_on) {
            true => format!("{} {sample}", self.part),
            false => sample.to_owned(),
        };
        let of_others = match (own || self.test_part.trained_on(), self.trained_on) {
            (false, Some(0)) => {
                let by = match self.by_bytes {
                    true => "pixels, of JPEG files by their bytes",
                    false => "pixels",
                };
                Some(format!(
                    "by their {by}, the network was trained on none of them"
                ))
            }
            (false, None) => {
                Some("it is not known whether the network was trained on some of them".to_owned())
            }
            _ => None,
        };
        let about = TestPart::about(Some(self.test_part), self.trained_on);
        let best = (self.checkpoint == Some(Which::Best))
            .then(|| format!("the best checkpoint, of epoch {}", self.epoch));
        let about: Vec<String> = about.into_iter().chain(of_others).chain(best).collect();
        let about = match about.is_empty() {
            true => String::new(),
            false => format!(" ({})", about.join("; ")),
        };
        let Evaluation {
            loss,
            accuracy,
            metric,
            scores,
            ..
        } = &self.result;
        let told = match metric {
            Some(metric) => {
                let all = [metric].into_iter().chain(scores);
                let all = all.map(|score| format!("{} {:.4}", score.name, score.value));
                all.collect::<Vec<_>>().join(", ")
            }
            None => format!("accuracy {:.2} %", accuracy * 100.0),
        };
        format!(
            "{} of {set}{about}: {told}, loss {loss:.4}",
            counted(self.result.images as u64, &images)
        )
    }

    /// A table of the results for each class, and of those over all.
    pub(super) fn table(&self, classes: &[Class]) -> String {
        let lengths = classes.iter().map(|class| class.name.chars().count());
        let wide = lengths.max().unwrap_or(0).max(5);
        let share = |share: Option<f64>| share.map_or("-".to_owned(), |s| format!("{s:.4}"));
        let mut text = format!("\n\n{:<wide$}  samples  precision  recall      F1", "class");
        for class in classes {
            let [precision, recall, f1] = [class.precision, class.recall, class.f1].map(share);
            text += &format!(
                "\n{:<wide$}  {:>7}  {precision:>9}  {recall:>6}  {f1:>6}",
                class.name, class.samples
            );
        }
        let whole = self.result.scores.iter();
        let whole = whole.map(|score| format!("{} {:.4}", score.name, score.value));
        text + "\n\n" + &whole.collect::<Vec<_>>().join(", ")
    }
}
