//! Benchmarks as figures and tables.

use std::path::Path;

use serde_json::Value;

use super::bench_file::{BenchFile, entries, number, text};
use super::experiment::percent;
use super::section::{Block, Section};
use crate::report::figure::{Axis, Colour, Figure, Format, Part, Plot, Series};
use crate::report::results::TextTable;
use crate::report::text::{grouped, quantity};

/// Most lines or bars of a figure.
const MOST: usize = 16;

/// Joins those of the parts that are not empty: `98 %, llvmpipe`.
fn joined(parts: &[&str]) -> String {
    let parts: Vec<&str> = parts.iter().copied().filter(|p| !p.is_empty()).collect();
    parts.join(", ")
}

fn sparsity(value: &Value) -> String {
    number(value, "sparsity").map_or_else(String::new, |s| format!("{} %", percent(s)))
}

/// The sections of all benchmarks; empty if there are no benchmarks.
pub(super) fn sections(files: &[BenchFile]) -> Vec<Section> {
    if files.is_empty() {
        return Vec::new();
    }
    let mut section = Section::new("Benchmarks");
    section.text("Medians. Lower times and higher rates are better.");
    section.blocks.push(Block::Table(devices(files)));
    products(&mut section, files);
    steps(&mut section, files);
    scaling(&mut section, files);
    skipped(&mut section, files);
    vec![section]
}

fn devices(files: &[BenchFile]) -> TextTable {
    let header = [
        "file",
        "device",
        "driver",
        "code",
        "date",
        "copy GB/s",
        "multiply-add GFLOP/s",
        "dispatch µs",
        "read-back µs",
    ];
    let row = |file: &BenchFile| {
        let ceiling = |key: &str| {
            let ceilings = file.value.get("ceilings");
            shown(ceilings.and_then(|c| number(c, key)), 1)
        };
        let code = file.value.get("code");
        let version = code.and_then(|c| text(c, "version"));
        let version = version.or(text(&file.value, "rootlet")).unwrap_or("–");
        let name = code.and_then(|c| text(c, "name")).unwrap_or("rootlet");
        let adapter = file.value.get("adapter");
        vec![
            file.path.display().to_string(),
            file.device(),
            adapter
                .and_then(|a| text(a, "driver"))
                .unwrap_or("–")
                .to_owned(),
            format!("{name} {version}"),
            text(&file.value, "date").unwrap_or("–").to_owned(),
            ceiling("copy_gb_s"),
            ceiling("multiply_add_gflop_s"),
            ceiling("dispatch_us"),
            ceiling("readback_us"),
        ]
    };
    TextTable {
        header: header.map(str::to_owned).to_vec(),
        rows: files.iter().map(row).collect(),
        words: 5,
    }
}

fn shown(value: Option<f64>, decimals: usize) -> String {
    value.map_or("–".to_owned(), |value| format!("{value:.decimals$}"))
}

/// Seconds, with the range of the middle half of the samples if it is reported: `1.23 ms (1.20 to 1.31)`.
fn time(value: &Value, key: &str, spread: &str) -> String {
    let Some(seconds) = number(value, key) else {
        return "–".to_owned();
    };
    let (factor, unit) = match seconds {
        s if s < 1e-3 => (1e6, "µs"),
        s if s < 1.0 => (1e3, "ms"),
        _ => (1.0, "s"),
    };
    let digits = |seconds: f64| format!("{:.2}", seconds * factor);
    let spread = value.get(spread);
    let quartile = |key: &str| spread.and_then(|s| number(s, key)).map(digits);
    match (quartile("q1"), quartile("q3")) {
        (Some(low), Some(high)) => format!("{} {unit} ({low} to {high})", digits(seconds)),
        _ => format!("{} {unit}", digits(seconds)),
    }
}

/// What a product was measured on: the name of a matrix file, or nothing for a random layer.
fn matrix(value: &Value) -> String {
    let path = Path::new(text(value, "matrix").unwrap_or_default());
    path.file_name()
        .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

fn products(section: &mut Section, files: &[BenchFile]) {
    let all = entries(files, "kernels");
    let mut table = TextTable {
        header: [
            "product",
            "matrix",
            "device",
            "n",
            "batch",
            "sparsity",
            "time (middle half)",
            "GFLOP/s",
            "of the ceiling",
            "bound",
        ]
        .map(str::to_owned)
        .to_vec(),
        words: 3,
        rows: Vec::new(),
    };
    let mut kernels: Vec<&str> = Vec::new();
    for (device, value) in &all {
        let kernel = text(value, "kernel").unwrap_or("–");
        if !kernels.contains(&kernel) {
            kernels.push(kernel);
        }
        let size = number(value, "n").or(number(value, "rows"));
        table.rows.push(vec![
            kernel.to_owned(),
            matrix(value),
            device.clone(),
            shown(size, 0),
            shown(number(value, "batch"), 0),
            sparsity(value),
            time(value, "seconds", "seconds_spread"),
            shown(number(value, "gflop_s"), 1),
            number(value, "share_of_ceiling")
                .map_or("–".to_owned(), |s| format!("{:.0} %", 100.0 * s)),
            text(value, "bound").unwrap_or("–").to_owned(),
        ]);
    }
    for kernel in kernels {
        let of_kernel = all
            .iter()
            .filter(|(_, v)| text(v, "kernel") == Some(kernel));
        let mut lines: Vec<Series> = Vec::new();
        for (device, value) in of_kernel.filter(|(_, v)| matrix(v).is_empty()) {
            let (Some(n), Some(rate)) = (number(value, "n"), number(value, "gflop_s")) else {
                continue;
            };
            let name = joined(&[&sparsity(value), device]);
            let known = lines.iter_mut().find(|line| line.name == name);
            match known {
                Some(line) => line.points.push((n, rate)),
                None => lines.push(Series {
                    colour: Colour::Series(lines.len()),
                    name,
                    points: vec![(n, rate)],
                    band: Vec::new(),
                    marked: true,
                }),
            }
        }
        for line in &mut lines {
            line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        let note = left_out(lines.len());
        lines.truncate(MOST);
        section.figure(
            Figure {
                id: format!("bench-{kernel}"),
                title: format!("Product {kernel}"),
                note,
                plot: Plot::Lines {
                    x: Axis::new("units on either side of the layer, n").log(),
                    y: Axis::new("GFLOP/s").log(),
                    series: lines,
                },
            },
            "its sizes or rates are not in the files.",
        );
    }
    if table.rows.is_empty() {
        section
            .blocks
            .push(Block::Missing("No products were measured.".to_owned()));
    } else {
        section
            .blocks
            .push(Block::Table(table.without_empty_columns()));
    }
}

fn left_out(count: usize) -> String {
    match count > MOST {
        true => format!("The first {MOST} of {count}; the table has all."),
        false => String::new(),
    }
}

fn steps(section: &mut Section, files: &[BenchFile]) {
    let mut table = TextTable {
        header: [
            "model",
            "device",
            "sparsity",
            "batch",
            "connections",
            "step (middle half)",
            "round (middle half)",
            "bytes",
        ]
        .map(str::to_owned)
        .to_vec(),
        words: 2,
        rows: Vec::new(),
    };
    let (mut bars, mut step, mut round) = (Vec::new(), Vec::new(), Vec::new());
    let all = [entries(files, "steps"), entries(files, "models")].concat();
    for (device, value) in &all {
        let model = text(value, "model").unwrap_or("–");
        let bytes = value.get("bytes").and_then(Value::as_object);
        let bytes: Option<f64> = bytes.map(|b| b.values().filter_map(Value::as_f64).sum());
        table.rows.push(vec![
            model.to_owned(),
            device.clone(),
            sparsity(value),
            shown(number(value, "batch"), 0),
            number(value, "connections").map_or("–".to_owned(), |n| grouped(n as u64)),
            time(value, "seconds", "seconds_spread"),
            time(value, "round_seconds", "round_spread"),
            bytes.map_or("–".to_owned(), |b| quantity(b).trim_end().to_owned()),
        ]);
        if let Some(seconds) = number(value, "seconds") {
            bars.push(joined(&[model, &sparsity(value), device]));
            step.push(1e3 * seconds);
            round.push(1e3 * number(value, "round_seconds").unwrap_or(0.0));
        }
    }
    if table.rows.is_empty() {
        section.blocks.push(Block::Missing(
            "No training steps were measured.".to_owned(),
        ));
        return;
    }
    let note = left_out(bars.len());
    for list in [&mut step, &mut round] {
        list.truncate(MOST);
    }
    bars.truncate(MOST);
    let sums = step.iter().zip(&round).map(|(step, round)| step + round);
    let totals = sums.map(|ms| quantity(ms).trim_end().to_owned()).collect();
    let part = |name: &str, index: usize, values: Vec<f64>| Part {
        name: name.to_owned(),
        colour: Colour::Ramp(index, 3),
        values,
    };
    let mut parts = vec![part("training step", 1, step)];
    if round.iter().any(|r| *r > 0.0) {
        parts.push(part("what a round adds", 2, round));
    }
    section.figure(
        Figure {
            id: "bench-steps".to_owned(),
            title: "A training step, and a round".to_owned(),
            note,
            plot: Plot::Bars {
                x: Axis::new("milliseconds").format(Format::Prefixed),
                bars,
                totals,
                parts,
            },
        },
        "their times are not in the files.",
    );
    section
        .blocks
        .push(Block::Table(table.without_empty_columns()));
}

fn scaling(section: &mut Section, files: &[BenchFile]) {
    let all = entries(files, "scaling");
    if all.is_empty() {
        return;
    }
    let kinds = [
        (
            "step_seconds",
            "Training step by width",
            "milliseconds",
            1e3,
        ),
        ("round_seconds", "Round by width", "milliseconds", 1e3),
        ("resident_bytes", "Memory by width", "bytes", 1.0),
    ];
    for (key, title, label, factor) in kinds {
        let mut lines: Vec<Series> = Vec::new();
        for (device, value) in &all {
            let (Some(n), Some(y)) = (number(value, "n"), number(value, key)) else {
                continue;
            };
            match lines.iter_mut().find(|line| line.name == *device) {
                Some(line) => line.points.push((n, y * factor)),
                None => lines.push(Series {
                    name: device.clone(),
                    colour: Colour::Series(lines.len()),
                    points: vec![(n, y * factor)],
                    band: Vec::new(),
                    marked: true,
                }),
            }
        }
        section.figure(
            Figure {
                id: format!("bench-scaling-{key}"),
                title: title.to_owned(),
                note: "At a fixed number of connections per unit.".to_owned(),
                plot: Plot::Lines {
                    x: Axis::new("width n").log(),
                    y: Axis::new(label).log().format(Format::Prefixed),
                    series: lines,
                },
            },
            "its numbers are not in the files.",
        );
    }
}

/// Lists what the benchmarks left out, with their reasons.
fn skipped(section: &mut Section, files: &[BenchFile]) {
    for (device, value) in entries(files, "skipped") {
        let part = text(value, "part").unwrap_or_default();
        let case = text(value, "case").unwrap_or_default();
        let reason = text(value, "reason").unwrap_or("no reason given");
        section.blocks.push(Block::Missing(format!(
            "Not measured{}: {}: {reason}",
            if device.is_empty() {
                String::new()
            } else {
                format!(" on {device}")
            },
            joined(&[part, case])
        )));
    }
}
