//! Epochs as a table of 80 columns at most: a head of two lines, and a row for each epoch.

use super::text::{duration, grouped, percent};
use crate::train::event::{Epoch, Score};

/// Those of a test's further scores that a row shows: the most informative of a task.
const FURTHER: [&str; 3] = ["R2", "macro-F1", "AUC"];

/// A column and its cell in one row.
struct Column {
    /// What it shares with the columns that follow; empty if it continues the group before.
    group: String,
    title: String,
    cell: String,
    width: usize,
}

/// The head of the table in which `event` is a row.
pub(super) fn head(event: &Epoch, epochs: Option<u32>, rows: bool) -> String {
    let columns = columns(event, epochs, rows);
    let groups = line(&columns, |column| &column.group);
    format!("{groups}\n{}", line(&columns, |column| &column.title))
}

/// The row of an epoch. `epochs` is the total number, if known; `rows` whether samples are rows of a table.
pub(super) fn row(event: &Epoch, epochs: Option<u32>, rows: bool) -> String {
    line(&columns(event, epochs, rows), |column| &column.cell)
}

fn line(columns: &[Column], text: fn(&Column) -> &String) -> String {
    let cells: Vec<String> = columns
        .iter()
        .map(|column| format!("{:>1$}", text(column), column.width))
        .collect();
    cells.join("  ").trim_end().to_owned()
}

fn columns(event: &Epoch, epochs: Option<u32>, rows: bool) -> Vec<Column> {
    let (part, judged) = event.monitored();
    let of = epochs.map(|all| format!("/{all}")).unwrap_or_default();
    let digits = epochs.map_or(2, |all| all.to_string().len());
    let mut columns = vec![column(
        "",
        "epoch",
        format!("{}{of}", event.epoch),
        digits + of.len(),
    )];
    columns.push(column("train", "loss", number(event.train_loss), 7));
    columns.extend(score(event.train_accuracy, event.train_metric.as_ref()));
    columns.push(column(part.name(), "loss", number(judged.loss), 7));
    columns.extend(score(judged.accuracy, judged.metric.as_ref()));
    let further = |score: &&Score| FURTHER.contains(&score.name.as_str());
    let further = judged.scores.iter().find(further);
    columns.extend(further.map(|score| column("", &score.name, number(score.value), 7)));
    columns.push(column("", "lr", rate(event.lr), 7));
    // There is no room for both, and the speed of an epoch also follows from its time.
    if further.is_none() {
        let title = if rows { "rows/s" } else { "images/s" };
        let speed = grouped(event.images_per_second.round() as u64);
        columns.push(column("", title, speed, 8));
    }
    columns.push(column("", "time", duration(event.seconds), 11));
    columns
}

fn column(group: &str, title: &str, cell: String, width: usize) -> Column {
    Column {
        width: width.max(group.len()).max(title.len()),
        group: group.to_owned(),
        title: title.to_owned(),
        cell,
    }
}

/// Accuracy, or the metric that takes its place; none if only the loss is reported.
fn score(accuracy: f32, metric: Option<&Score>) -> Option<Column> {
    match metric {
        Some(score) => Some(column("", &score.name, number(score.value), 7)),
        None if accuracy.is_nan() => None,
        None => Some(column("", "accuracy", percent(accuracy.into()), 8)),
    }
}

/// A loss or a score in seven characters, or a few more if it is negative.
fn number(value: f32) -> String {
    match value.abs() {
        size if size < 100.0 || !size.is_finite() => format!("{value:.4}"),
        size if size < 1e5 => format!("{value:.1}"),
        _ => format!("{value:.1e}"),
    }
}

/// A learning rate with three digits that count, or as it was typed if it has fewer.
fn rate(value: f32) -> String {
    let rounded = format!("{value:.2e}").parse().unwrap_or(value);
    match (1e-3..1e5).contains(&rounded) || rounded == 0.0 {
        true => rounded.to_string(),
        false => format!("{rounded:e}"),
    }
}

#[cfg(test)]
mod tests {
    use super::{head, number, rate, row};
    use crate::data::DataPart;
    use crate::train::event::{Epoch, PartResults, Score};

    #[test]
    fn rates_and_numbers_keep_to_their_columns() {
        let texts = [0.1, 0.001, 0.0, 0.09938442, 0.000_994, 1e-7, 1e30].map(rate);
        assert_eq!(
            texts,
            ["0.1", "0.001", "0", "0.0994", "9.94e-4", "1e-7", "1e30"]
        );
        let texts = [0.25, 99.0, 4321.0, 1.5e9, f32::NAN].map(number);
        assert_eq!(texts, ["0.2500", "99.0000", "4321.0", "1.5e9", "NaN"]);
    }

    #[test]
    fn the_widest_table_fits_eighty_columns() {
        let score = |name: &str| Score {
            name: name.to_owned(),
            value: 99.0,
            ..Score::default()
        };
        let judged = |metric: Option<Score>, scores: Vec<Score>| PartResults {
            loss: 99.0,
            accuracy: match metric {
                Some(_) => f32::NAN,
                None => 1.0,
            },
            metric,
            scores,
        };
        let metrics = [
            (None, vec![]),
            (Some(score("macro-F1")), vec![score("AUC")]),
        ];
        for (metric, scores) in metrics {
            let told = judged(metric, scores);
            let event = Epoch {
                epoch: 200,
                train_loss: 99.0,
                train_accuracy: told.accuracy,
                train_metric: told.metric.clone(),
                validation: Some(told),
                lr: 0.000_994,
                images_per_second: 999_999.0,
                seconds: 3599.0,
                ..Epoch::default()
            };
            assert_eq!(event.monitored().0, DataPart::Validation);
            let text = head(&event, Some(200), false) + "\n" + &row(&event, Some(200), false);
            let widths: Vec<usize> = text.lines().map(|line| line.chars().count()).collect();
            assert!(
                widths.iter().all(|&width| width <= 80),
                "{widths:?}\n{text}"
            );
            assert_eq!(widths[1], widths[2], "{text}");
        }
    }
}
