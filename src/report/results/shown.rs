//! The results as a table for people, and as `results.csv` for programs.

use super::super::text::{grouped, quantity};
use super::{Results, Spread, TextTable, Unit};

impl Results {
    /// The table for people.
    pub fn table(&self) -> TextTable {
        let mut table = TextTable::default();
        let first = self.groups.first();
        for (column, _) in first.iter().flat_map(|g| &g.labels) {
            table.header.push(column.replace('_', " "));
        }
        table.words = table.header.len();
        table.header.push("runs".to_owned());
        for column in &self.columns {
            table.header.push(column.title.clone());
        }
        table.header.push("always sparse".to_owned());
        for group in &self.groups {
            let mut row: Vec<String> = group.labels.iter().map(|(_, text)| text.clone()).collect();
            row.push(group.count_text());
            for (column, spread) in self.columns.iter().zip(&group.spreads) {
                row.push(spread.map_or("–".to_owned(), |s| column.unit.show(&s)));
            }
            row.push(yes_no(group.always_sparse).to_owned());
            table.rows.push(row);
        }
        table
    }

    /// The contents of `results.csv`: every mean and standard deviation in full precision.
    ///
    /// # Errors
    /// None, unless memory runs out.
    pub fn csv(&self) -> std::io::Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let labels = self.groups.first().map(|g| g.labels.as_slice());
        let mut header: Vec<String> = labels
            .unwrap_or_default()
            .iter()
            .map(|l| l.0.clone())
            .collect();
        header.extend(["runs", "finished", "failed", "always_sparse"].map(str::to_owned));
        for column in &self.columns {
            header.push(format!("{}_mean", column.key));
            header.push(format!("{}_std", column.key));
        }
        writer.write_record(&header)?;
        for group in &self.groups {
            let mut row: Vec<String> = group.labels.iter().map(|l| l.1.clone()).collect();
            row.push(group.runs.len().to_string());
            row.push(group.finished.to_string());
            row.push(group.failed.to_string());
            row.push(
                group
                    .always_sparse
                    .map(|yes| yes.to_string())
                    .unwrap_or_default(),
            );
            for spread in &group.spreads {
                let text = |value: Option<f64>| value.map(|v| v.to_string()).unwrap_or_default();
                row.push(text(spread.map(|s| s.mean)));
                row.push(text(spread.and_then(|s| s.deviation)));
            }
            writer.write_record(&row)?;
        }
        writer.into_inner().map_err(|error| error.into_error())
    }
}

impl Unit {
    pub(super) fn one(self, value: f64) -> String {
        match self {
            Unit::Percent => format!("{:.2}", 100.0 * value),
            Unit::Loss => format!("{value:.4}"),
            Unit::Seconds if value < 10.0 => format!("{value:.2}"),
            Unit::Seconds => format!("{value:.1}"),
            Unit::Quantity => quantity(value).trim_end().to_owned(),
            Unit::Count => grouped(value.round() as u64),
        }
    }

    pub(super) fn show(self, spread: &Spread) -> String {
        let mean = self.one(spread.mean);
        match spread.deviation {
            // Counts and bytes that are equal for all seeds need no deviation.
            Some(0.0) if matches!(self, Unit::Quantity | Unit::Count) => mean,
            Some(deviation) => format!("{mean} ± {}", self.one(deviation)),
            None => mean,
        }
    }
}

fn yes_no(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "–",
    }
}
