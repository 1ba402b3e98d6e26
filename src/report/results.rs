//! The table of results: runs that differ only in their seeds form a row, with means and standard deviations.

mod overview;
mod rows;
mod shown;
mod tested;
mod text_table;

use std::collections::BTreeMap;

use super::recording::RunRecord;
use crate::Result;
use crate::data::DataPart;
use crate::train::event::{Finished, Judged};
pub use overview::Overview;
pub(super) use rows::same_row;
use rows::{SHOWN, decimal, rows, varying};
pub(super) use tested::tested_differently;
pub use text_table::TextTable;

/// A quantity over several seeds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// Number of values.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation, with n − 1; none for a single value.
    pub deviation: Option<f64>,
}

impl Spread {
    /// The spread of some values; none if there are none.
    pub fn of(values: &[f64]) -> Option<Self> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
        Some(Self {
            count,
            mean,
            deviation: (count > 1).then(|| (squares / (count - 1) as f64).sqrt()),
        })
    }
}

/// Runs that differ only in their seeds.
#[derive(Clone, Debug)]
pub struct Group {
    /// The labels of the row: column and text. The first three are model, method and sparsity.
    pub labels: Vec<(String, String)>,
    /// The data set.
    pub data: String,
    /// The model.
    pub model: String,
    /// The method.
    pub method: String,
    /// The sparsity asked for.
    pub sparsity: f64,
    /// Indices of its runs.
    pub runs: Vec<usize>,
    /// The name of its run, if it has only one.
    pub only_run: Option<String>,
    /// Number of runs that reached their end; the others count in no mean.
    pub finished: usize,
    /// Number of runs that ended with an error.
    pub failed: usize,
    /// Whether only active connections were ever resident; none if its runs do not say.
    pub always_sparse: Option<bool>,
    spreads: Vec<Option<Spread>>,
}

/// How a column's numbers are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Percent,
    Loss,
    Seconds,
    Quantity,
    Count,
}

/// A column of numbers.
#[derive(Clone, Debug)]
struct Column {
    /// Its name in `results.csv`.
    key: String,
    /// Its title for people.
    title: String,
    unit: Unit,
}

impl Column {
    /// Whether it is the peak of one class of bytes.
    fn is_of_class(&self) -> bool {
        self.key.starts_with("peak_") && self.key != "peak_total"
    }

    /// Whether it is the loss of a part.
    fn is_loss(&self) -> bool {
        self.key.ends_with("_loss")
    }
}

/// The rows of results, in the order in which their first runs were given.
#[derive(Clone, Debug)]
pub struct Results {
    /// The rows.
    pub groups: Vec<Group>,
    columns: Vec<Column>,
}

impl Results {
    /// Groups the runs.
    ///
    /// # Errors
    /// A configuration that cannot be printed.
    pub fn of(records: &[RunRecord]) -> Result<Self> {
        let rows = rows(records)?;
        let keys: Vec<BTreeMap<String, String>> = rows.iter().map(|row| row.key.clone()).collect();
        let groups = rows.into_iter().map(|row| Group::new(records, row.runs));
        let mut groups: Vec<Group> = groups.collect();
        let varying = varying(&keys);
        let columns = columns(records);
        for (group, key) in groups.iter_mut().zip(&keys) {
            group.label(key, &varying);
            group.summarise(records, &columns);
        }
        Ok(Self { groups, columns })
    }

    /// Whether there is such a column.
    pub(super) fn tell(&self, column: &str) -> bool {
        self.columns.iter().any(|c| c.key == column)
    }
}

impl Group {
    fn new(records: &[RunRecord], runs: Vec<usize>) -> Self {
        // A run that lost its summary says less than the others of its row.
        let telling = |&&run: &&usize| records[run].summary.is_some();
        let record = &records[*runs.iter().find(telling).unwrap_or(&runs[0])];
        Self {
            labels: Vec::new(),
            data: record.config.data.title().to_owned(),
            model: record.config.model_name().to_owned(),
            method: record.method(),
            sparsity: record.sparsity(),
            only_run: (runs.len() == 1).then(|| record.name()),
            runs,
            finished: 0,
            failed: 0,
            always_sparse: record.always_sparse(),
            spreads: Vec::new(),
        }
    }

    /// The labels of the row in words.
    fn name(&self) -> String {
        let labels: Vec<&str> = self.labels.iter().map(|(_, text)| text.as_str()).collect();
        labels.join(" ")
    }

    /// Its spread in a column of `results.csv`, such as `test_accuracy`; `results` is where it belongs.
    pub fn spread(&self, results: &Results, key: &str) -> Option<Spread> {
        let at = results.columns.iter().position(|c| c.key == key)?;
        self.spreads.get(at).copied().flatten()
    }

    /// Its mean in a column, as the table shows it.
    pub(super) fn mean_text(&self, results: &Results, key: &str) -> Option<String> {
        let column = results.columns.iter().find(|c| c.key == key)?;
        let spread = self.spread(results, key)?;
        Some(column.unit.one(spread.mean))
    }

    /// Its mean and deviation in a column, as the table shows them.
    pub(super) fn spread_text(&self, results: &Results, key: &str) -> Option<String> {
        let column = results.columns.iter().find(|c| c.key == key)?;
        Some(column.unit.show(&self.spread(results, key)?))
    }

    fn label(&mut self, key: &BTreeMap<String, String>, varying: &[String]) {
        let fixed = [
            self.model.clone(),
            self.method.clone(),
            decimal(self.sparsity),
        ];
        self.labels = SHOWN.map(str::to_owned).into_iter().zip(fixed).collect();
        for name in varying {
            let text = key.get(name).cloned().unwrap_or_default();
            self.labels.push((name.clone(), text));
        }
    }

    fn summarise(&mut self, records: &[RunRecord], columns: &[Column]) {
        let mut ends = Vec::new();
        for &run in &self.runs {
            match records[run].finished() {
                Some(finished) => ends.push((&records[run], finished)),
                None => self.failed += usize::from(records[run].failure().is_some()),
            }
        }
        self.finished = ends.len();
        self.spreads = columns
            .iter()
            .map(|column| {
                let values: Vec<f64> = ends
                    .iter()
                    .filter_map(|(record, end)| Results::value(record, end, &column.key))
                    .collect();
                Spread::of(&values)
            })
            .collect();
    }

    fn count_text(&self) -> String {
        let mut text = self.runs.len().to_string();
        let unfinished = self.runs.len() - self.finished - self.failed;
        if self.failed > 0 {
            text += &format!(", {} failed", self.failed);
        }
        if unfinished > 0 {
            text += &format!(", {unfinished} unfinished");
        }
        text
    }
}

/// The results of a part at a run's end; `None` if it was not evaluated.
fn of_part(end: &Finished, part: DataPart) -> Option<Judged> {
    match part {
        DataPart::Validation => end.validation.clone(),
        DataPart::Test => Some(end.tested()).filter(|told| !told.loss.is_nan()),
    }
}

/// The number of a part in the column with this key: `test_loss`, `validation_accuracy`, or that of a score.
fn judged(end: &Finished, key: &str) -> Option<f64> {
    let mut parts = DataPart::ALL.into_iter();
    let of_key = |part: DataPart| Some((part, key.strip_prefix(part.name())?.strip_prefix('_')?));
    let (part, name) = parts.find_map(of_key)?;
    let told = of_part(end, part)?;
    Some(f64::from(match name {
        "loss" => told.loss,
        "accuracy" => told.accuracy,
        name => told.all_scores().find(|score| score.name == name)?.value,
    }))
}

fn columns(records: &[RunRecord]) -> Vec<Column> {
    let column = |key: &str, title: &str, unit| Column {
        key: key.to_owned(),
        title: title.to_owned(),
        unit,
    };
    let ends: Vec<Finished> = records.iter().filter_map(RunRecord::finished).collect();
    let mut columns = Vec::new();
    for part in [DataPart::Test, DataPart::Validation] {
        let told: Vec<Judged> = ends.iter().filter_map(|end| of_part(end, part)).collect();
        // Without a validation part there are the columns of the test, even if no result was reported yet.
        let is_usual = part == DataPart::Test && ends.iter().all(|end| end.validation.is_none());
        let is_told = !told.is_empty() || is_usual;
        let by_others = |told: &Judged| told.accuracy.is_nan() && told.metric.is_some();
        if is_told && (told.is_empty() || !told.iter().all(by_others)) {
            let title = format!("{part} accuracy, %");
            columns.push(column(&format!("{part}_accuracy"), &title, Unit::Percent));
        }
        for name in told
            .iter()
            .flat_map(Judged::all_scores)
            .map(|score| &score.name)
        {
            let key = format!("{part}_{name}");
            if !columns.iter().any(|c: &Column| c.key == key) {
                columns.push(column(&key, &format!("{part} {name}"), Unit::Loss));
            }
        }
        if is_told {
            columns.push(column(
                &format!("{part}_loss"),
                &format!("{part} loss"),
                Unit::Loss,
            ));
        }
    }
    columns.extend([
        column("seconds", "seconds", Unit::Seconds),
        column("train_flops", "training FLOPs", Unit::Quantity),
        column("connections", "connections", Unit::Count),
        column("peak_total", "most bytes", Unit::Quantity),
    ]);
    for record in records {
        let finished = record.finished().unwrap_or_default();
        for (class, _) in finished.peak {
            let key = format!("peak_{class}");
            if !columns.iter().any(|c| c.key == key) {
                columns.push(column(
                    &key,
                    &format!("most {} bytes", class.replace('_', " ")),
                    Unit::Quantity,
                ));
            }
        }
    }
    columns
}

impl Results {
    /// The number in a column of `results.csv` for a run with this end; none if it does not say. Tables and figures
    /// both get their numbers here.
    pub(super) fn value(record: &RunRecord, end: &Finished, column: &str) -> Option<f64> {
        let reported = |value: f64| (value > 0.0).then_some(value);
        let value = match column {
            "seconds" => Some(end.seconds),
            "train_flops" => reported(end.train_flops),
            "connections" => reported(record.layers().iter().map(|l| l.active as f64).sum()),
            "peak_total" => reported(end.peak_total as f64),
            key => judged(end, key).or_else(|| {
                let of_key = |(class, _): &&(String, u64)| key.strip_prefix("peak_") == Some(class);
                (end.peak.iter().find(of_key)).map(|(_, bytes)| *bytes as f64)
            }),
        };
        value.filter(|value| value.is_finite())
    }
}
