//! `rootlet data show`.

use std::path::PathBuf;

use clap::Args;
use rootlet::data::table::{ColumnSummary, Missing, TableSummary, summarise};
use rootlet::error::Fault;
use rootlet::train::TrainConfig;
use rootlet::train::config::{TaskName, real, whole};
use rootlet::{Error, Result};

use super::super::{output, progress};

const EXAMPLES: &str = "\
Examples:
  rootlet data show iris.csv
      Columns with types, ranges and missing values, the target, the parts, the first rows.
  rootlet data show houses.csv --target price --ignore id --missing median
      As `rootlet train` with these flags would take it.";

/// Shows what is understood of a table
///
/// Shows what `rootlet train --data FILE` understands of a CSV, .npy, .npz, safetensors or svmlight file: rows, columns
/// with their types, ranges and missing values, the target and its classes, how rows are divided, and the first rows.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ShowArgs {
    /// The table's file
    file: String,
    /// Column to learn, or several, as in a,b [default: as for `rootlet train`]
    #[arg(long, value_name = "NAMES")]
    target: Option<String>,
    /// What to learn from the target [default: what it looks like]
    #[arg(
        long,
        value_enum,
        value_name = "NAME",
        default_value = "auto",
        hide_default_value = true
    )]
    task: TaskName,
    /// Columns to leave out, as in id,name
    #[arg(long, value_name = "NAMES")]
    ignore: Option<String>,
    /// Column with the weight of each row in training
    #[arg(long, value_name = "NAME")]
    weight: Option<String>,
    /// How to treat cells without a value
    #[arg(long, value_enum, value_name = "NAME", default_value = "refuse")]
    missing: Missing,
    /// File with the rows to test on
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// Share of the rows to hold out for validation [default: 0.2, or nothing with --test]
    #[arg(long, value_name = "SHARE", allow_negative_numbers = true, value_parser = real)]
    val_split: Option<f64>,
    /// Seed that chooses them
    #[arg(long, value_name = "N", default_value = "1", allow_negative_numbers = true, value_parser = whole::<u32>)]
    seed: u32,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// Shows a table.
pub fn run(args: &ShowArgs) -> Result<()> {
    let mut config = TrainConfig::default();
    config.data.name = match rootlet::data::is_path(&args.file) {
        true => args.file.clone(),
        // Here, a name without a dot is a file's, too.
        false => format!("./{}", args.file),
    };
    config.data.target = args.target.clone();
    config.task.name = args.task;
    config.data.ignore = args.ignore.clone();
    config.data.weight = args.weight.clone();
    config.data.missing = args.missing;
    config.data.test = args.test.clone();
    config.data.val_split = args.val_split;
    config.run.seed = args.seed;
    let config = config.resolve()?;
    if config.data.dir.is_some() {
        return Err(Error::Usage(format!(
            "{} is a folder, not a table; `rootlet data check --data image-folder --data-dir {0}` looks at images",
            args.file
        )));
    }
    let summary = summarise(&config.source(), &progress::reading(false))?;
    for note in &summary.notes {
        output::note(note);
    }
    match args.json {
        true => output::print_json(&(json(&summary)? + "\n")),
        false => output::print(&(words(&summary) + "\n")),
    }
}

fn json(summary: &TableSummary) -> Result<String> {
    serde_json::to_string(summary).map_err(|e| {
        Error::Device(Fault::Written {
            what: "the table",
            form: "JSON",
            why: e.to_string(),
        })
    })
}

/// Width of a line in columns.
const WIDTH: usize = 80;
/// Width of a name in columns.
const NAME: usize = 22;
/// Maximum number of classes, and of columns of a table, that are shown one by one.
const MOST: usize = 40;

fn words(summary: &TableSummary) -> String {
    let (rows, target) = (summary.rows as u64, &summary.target);
    let mut lines = vec![
        format!("data      {} ({})", summary.name, summary.format),
        match summary.bytes {
            0 => format!(
                "rows      {}, read from a file as they are needed",
                rootlet::report::counted(rows, "row")
            ),
            cells => format!(
                "rows      {}, {} in memory",
                rootlet::report::counted(rows, "row"),
                bytes(cells)
            ),
        },
    ];
    if !summary.ignored.is_empty() {
        lines.push(format!("ignored   {}", summary.ignored.join(", ")));
    }
    let names: Vec<&str> = target.columns.iter().map(|c| c.name.as_str()).collect();
    let classes = match target.kind.as_str() {
        "values" => String::new(),
        kind => format!("{} ", target.classes.len()) + kind + ": ",
    };
    let kind = classes + &names.join(", ");
    lines.push(format!(
        "target    {}",
        if target.kind == "values" {
            format!("values: {kind}")
        } else {
            kind
        }
    ));
    for (name, count) in target.classes.iter().take(MOST) {
        lines.push(format!("  {}  {count}", padded(name, NAME)));
    }
    more(&mut lines, target.classes.len(), "classes");
    lines.push(match (&summary.parts, &summary.refused) {
        (Some(parts), _) => format!(
            "parts     {} to train{}, {}\ninputs    {}",
            parts.train,
            match (parts.validation, &parts.validation_part) {
                (Some(rows), Some(part)) => format!(", {rows} to validate ({part})"),
                _ => String::new(),
            },
            match parts.test {
                0 => "none to test".to_owned(),
                rows => format!("{rows} to test ({})", parts.test_part),
            },
            parts.inputs
        ),
        (None, reason) => format!("parts     none: {}", reason.as_deref().unwrap_or("")),
    });
    lines.push(format!(
        "\n{}  {:<8}  {:>10}  {:>10}  {:>10}  {:>7}",
        padded("column", NAME),
        "type",
        "least",
        "mean",
        "most",
        "missing"
    ));
    let values: &[ColumnSummary] = match target.kind.as_str() {
        "values" => &target.columns,
        _ => &[],
    };
    let all = summary.columns.iter().chain(values);
    lines.extend(all.take(MOST).map(column));
    more(&mut lines, summary.columns.len() + values.len(), "columns");
    lines.push("\nfirst rows".to_owned());
    let header = summary.columns.iter().map(|c| c.name.clone());
    let header: Vec<String> = header.chain(names.iter().map(|&n| n.to_owned())).collect();
    lines.extend(
        std::iter::once(&header)
            .chain(&summary.first)
            .map(|row| cells(row)),
    );
    let lines: Vec<String> = lines
        .iter()
        .flat_map(|line| line.split('\n'))
        .map(|line| cut(line, WIDTH))
        .collect();
    lines.join("\n")
}

/// Adds that there are more than are shown.
fn more(lines: &mut Vec<String>, all: usize, what: &str) {
    if all > MOST {
        lines.push(format!("  and {} {what} more (--json has all)", all - MOST));
    }
}

/// The line for a column.
fn column(column: &ColumnSummary) -> String {
    let name = padded(&column.name, NAME);
    match (&column.categories, column.range) {
        (Some(categories), _) => {
            let shown = categories
                .iter()
                .take(3)
                .map(|(name, count)| format!("{name} {count}"));
            let mut shown = shown.collect::<Vec<_>>().join(", ");
            if categories.len() > 3 {
                shown += &format!(" and {} more", categories.len() - 3);
            }
            format!(
                "{name}  category  {}  {:>7}",
                padded(&shown, 34),
                column.missing
            )
        }
        (None, Some(range)) => {
            let [least, mean, most] = range.map(number);
            format!(
                "{name}  number    {least:>10}  {mean:>10}  {most:>10}  {:>7}",
                column.missing
            )
        }
        (None, None) => format!(
            "{name}  number    {}  {:>7}",
            padded("nothing", 34),
            column.missing
        ),
    }
}

/// The cells of a row, as many as fit on a line.
fn cells(row: &[String]) -> String {
    let cells = row.iter().map(|cell| padded(cell, 12));
    cells.collect::<Vec<_>>().join(" ").trim_end().to_owned()
}

/// A number with a readable number of digits.
fn number(x: f64) -> String {
    match x.abs() {
        0.0 => "0".to_owned(),
        1e-3..1e7 => {
            let digits = (3 - x.abs().log10().floor() as i32).clamp(0, 6) as usize;
            let text = format!("{x:.digits$}");
            match text.contains('.') {
                true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => text,
            }
        }
        _ => format!("{x:.3e}"),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000_000 => format!("{} kB", bytes.div_ceil(1000)),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.1} GB", bytes as f64 / 1e9),
    }
}

/// A text padded to `width` columns, or its beginning.
fn padded(text: &str, width: usize) -> String {
    format!("{:<width$}", cut(text, width))
}

fn cut(text: &str, width: usize) -> String {
    match text.chars().count() > width {
        true => text.chars().take(width - 1).chain(['…']).collect(),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_texts_are_cut() {
        let texts = [0.0, 5.843333, 150.0, -0.25, 1234567.8, 1e-9, 123456789.0].map(number);
        assert_eq!(
            texts,
            [
                "0", "5.843", "150", "-0.25", "1234568", "1.000e-9", "1.235e8"
            ]
        );
        assert_eq!(
            (cut("abcdef", 4), padded("ab", 4)),
            ("abc…".to_owned(), "ab  ".to_owned())
        );
    }
}
