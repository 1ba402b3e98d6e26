//! Several devices compared: the same cases of several reports.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::plausible::impossible;
use super::plot;
use super::row::{CEILINGS, MEMORY, PRODUCTS, ROUNDS, Row, STEPS};
use crate::bench::BenchReport;
use crate::bench::ceilings::loads::size;
use crate::bench::report::table::{number, percent};
use crate::error::{Error, Result};

/// Reports of several devices with one schema and one code.
pub struct Comparison {
    reports: Vec<(String, BenchReport)>,
}

impl Comparison {
    /// Reads the files of `rootlet bench --json`.
    ///
    /// # Errors
    /// There are fewer than two, a file is not such a report or has impossible figures, or the schema or code versions
    /// differ.
    pub fn read(paths: &[PathBuf]) -> Result<Self> {
        if paths.len() < 2 {
            return Err(Error::Nothing {
                what: "compared: give at least two files of `rootlet bench --json FILE`".to_owned(),
            });
        }
        let mut reports: Vec<(String, BenchReport)> = Vec::new();
        for path in paths {
            let report = BenchReport::read(path)?;
            if let Some((_, first)) = reports.first()
                && first.code != report.code
            {
                return Err(Error::Data {
                    path: path.clone(),
                    reason: format!(
                        "was measured with {}, and {} with {}: differences would be those of the code. Measure again \
                         with one build on every device",
                        report.code,
                        paths[0].display(),
                        first.code
                    ),
                });
            }
            if let Some(reason) = impossible(&report) {
                return Err(Error::Data {
                    path: path.clone(),
                    reason: format!("{reason}: give what `rootlet bench --json` wrote, as it is"),
                });
            }
            reports.push((stem(path), report));
        }
        Ok(Comparison { reports })
    }

    /// The devices' names. Devices with the same name get their files' names added.
    pub fn names(&self) -> Vec<String> {
        let same = |name: &str| self.reports.iter().filter(|r| r.1.name() == name).count();
        (self.reports.iter())
            .map(|(stem, report)| match same(&report.name()) {
                1 => report.name(),
                _ => format!("{} ({stem})", report.name()),
            })
            .collect()
    }

    /// The comparison as text: a legend, then a line for each case in any report.
    pub fn table(&self) -> String {
        let mut text = String::new();
        for (letter, (stem, report)) in letters().zip(&self.reports) {
            let a = &report.adapter;
            let _ = writeln!(
                text,
                "{letter}  {} ({}; {}), {stem}, {}",
                report.name(),
                a.backend,
                a.driver,
                report.date
            );
        }
        let mut section = "";
        for row in self.rows() {
            if row.section != section {
                section = row.section;
                let _ = write!(text, "\n{section:<48}");
                for (letter, _) in letters().zip(&self.reports) {
                    let _ = write!(text, "{letter:>11}");
                }
                for (letter, _) in letters().zip(&self.reports).skip(1) {
                    let _ = write!(text, "{:>14}", format!("{letter} against A"));
                }
                text.push('\n');
            }
            let _ = write!(text, "{:<48}", row.case);
            for value in &row.values {
                let shown = value.map_or_else(|| "–".to_owned(), number);
                let _ = write!(text, "{shown:>11}");
            }
            for value in &row.values[1..] {
                let shown = row.times_as_good(*value);
                let _ = write!(text, "{:>14}", shown.unwrap_or_else(|| "–".to_owned()));
            }
            text.push('\n');
        }
        text.push_str("\n\"B against A\": how many times as fast (or as small) B is.\n");
        self.skips(&mut text);
        text
    }

    fn skips(&self, text: &mut String) {
        for (letter, (_, report)) in letters().zip(&self.reports) {
            for (field, doubt) in report.ceilings.iter().flat_map(|c| &c.doubts) {
                let _ = writeln!(text, "{letter} not measured: ceilings, {field}: {doubt}");
            }
            let doubtful = [
                report.kernels.iter().filter(|f| f.doubt.is_some()).count(),
                report.steps.iter().filter(|f| f.doubt.is_some()).count(),
                report.models.iter().filter(|f| f.doubt.is_some()).count(),
                report.scaling.iter().filter(|f| f.doubt.is_some()).count(),
            ];
            if let count @ 1.. = doubtful.iter().sum::<usize>() {
                let _ = writeln!(
                    text,
                    "{letter} has {count} doubtful figures, which are not compared: the machine was busy"
                );
            }
            for s in &report.skipped {
                let _ = writeln!(text, "{letter} {}", s.text());
            }
        }
    }

    /// Draws the products and the training steps.
    ///
    /// # Errors
    /// There is nothing to draw, or the file cannot be written.
    pub fn plot(&self, path: &Path) -> Result<()> {
        plot::devices(path, &self.names(), &self.rows())
    }

    /// All cases, grouped by section.
    pub(super) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        self.ceilings(&mut rows);
        self.collect(&mut rows, PRODUCTS, true, |r| {
            let figures = r.kernels.iter();
            let of = |k: &crate::bench::KernelFigure| match (&k.matrix, k.n) {
                (Some(matrix), _) => format!("{} {matrix}, batch {}", k.kernel, k.batch),
                (None, n) => format!(
                    "{} n = {}, batch {}, {}",
                    k.kernel,
                    n.unwrap_or(k.rows),
                    k.batch,
                    percent(k.sparsity)
                ),
            };
            figures
                .map(|k| (of(k), trusted(k.gflop_s, &k.doubt)))
                .collect()
        });
        let case = |model: &str, batch: usize, sparsity: f64| {
            format!("{model}, batch {batch}, {}", percent(sparsity))
        };
        type Pick = fn(f64, f64, f64) -> f64;
        let parts: [(&'static str, Pick); 3] = [
            (STEPS, |step, _, _| step * 1e3),
            (ROUNDS, |_, round, _| round * 1e3),
            (MEMORY, |_, _, bytes| bytes / f64::from(1 << 20)),
        ];
        for (section, pick) in parts {
            self.collect(&mut rows, section, false, |r| {
                let total =
                    |bytes: &crate::bench::Bytes| bytes.values().map(|&b| b as f64).sum::<f64>();
                let steps = r.steps.iter().map(|s| {
                    let value = pick(s.seconds, s.round_seconds, total(&s.bytes));
                    (
                        case(&s.model, s.batch, s.sparsity),
                        trusted(value, &s.doubt),
                    )
                });
                let models = r.models.iter().map(|m| {
                    let value = pick(m.seconds, m.round_seconds, total(&m.bytes));
                    (
                        case(&m.model, m.batch, m.sparsity),
                        trusted(value, &m.doubt),
                    )
                });
                let scaling = r.scaling.iter().map(|s| {
                    let n = s.n;
                    let value = pick(s.step_seconds, s.round_seconds, s.resident_bytes as f64);
                    let case = format!("{n}-{n}-{n}-10, 32 connections a unit");
                    (case, trusted(value, &s.doubt))
                });
                steps.chain(models).chain(scaling).collect()
            });
        }
        rows
    }

    fn ceilings(&self, rows: &mut Vec<Row>) {
        let tables: Vec<_> = (self.reports.iter())
            .map(|(_, r)| r.ceilings.as_ref().map(|c| c.rows()))
            .collect();
        let Some(template) = tables.iter().flatten().next() else {
            return;
        };
        let mut label = "";
        for (i, (name, field, _, unit)) in template.iter().enumerate() {
            if !name.is_empty() {
                label = name;
            }
            rows.push(Row {
                section: CEILINGS,
                case: format!("{label}, {unit}"),
                values: tables
                    .iter()
                    .map(|t| t.as_ref().and_then(|t| t[i].2))
                    .collect(),
                more_is_better: field.ends_with("_s"),
            });
        }
        self.collect(rows, CEILINGS, true, |report| {
            let rates = report.ceilings.iter().flat_map(|c| &c.loads);
            let both = rates.flat_map(|rate| {
                let case = |order| format!("512-byte rows {order}, GB/s, {}", size(rate.bytes));
                [
                    (case("at random"), rate.random_gb_s),
                    (case("in order"), rate.sequential_gb_s),
                ]
            });
            both.collect()
        });
    }

    /// Adds the cases that `of` finds in any report, in order of appearance.
    fn collect(
        &self,
        rows: &mut Vec<Row>,
        section: &'static str,
        more_is_better: bool,
        of: impl Fn(&BenchReport) -> Vec<(String, Option<f64>)>,
    ) {
        let first = rows.len();
        for (i, (_, report)) in self.reports.iter().enumerate() {
            for (case, value) in of(report) {
                let at = match rows[first..].iter().position(|r| r.case == case) {
                    Some(at) => first + at,
                    None => {
                        rows.push(Row {
                            section,
                            case,
                            values: vec![None; self.reports.len()],
                            more_is_better,
                        });
                        rows.len() - 1
                    }
                };
                rows[at].values[i] = value;
            }
        }
    }
}

impl Row {
    /// By what factor a value is better than the first report's.
    fn times_as_good(&self, value: Option<f64>) -> Option<String> {
        let (first, value) = (self.values[0]?, value?);
        let ratio = match self.more_is_better {
            true => value / first,
            false => first / value,
        };
        ratio.is_finite().then(|| format!("{}×", number(ratio)))
    }
}

/// A figure to compare; none if it was kept although the machine was busy.
fn trusted(value: f64, doubt: &Option<String>) -> Option<f64> {
    doubt.is_none().then_some(value)
}

fn letters() -> impl Iterator<Item = String> {
    (0..).map(|i: u32| match char::from_digit(10 + i, 36) {
        Some(letter) => letter.to_ascii_uppercase().to_string(),
        None => format!("#{i}"),
    })
}

fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}

/// For the fuzzer: compares a report with itself.
pub(crate) fn fuzz(report: BenchReport) {
    let reports = ["a", "b"].map(|stem| (stem.to_owned(), report.clone()));
    let comparison = Comparison {
        reports: reports.to_vec(),
    };
    let _ = comparison.table();
    let _ = plot::text(&comparison.names(), &comparison.rows());
}
