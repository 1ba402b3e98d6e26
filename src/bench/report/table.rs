//! The figures as text, line by line as they come.

use std::fmt::Write;

use super::Finding;
use crate::bench::ceilings::loads::size;
use crate::bench::{
    Ceilings, CrossoverFigure, Exponents, Identity, KernelFigure, ModelFigure, ScalingFigure,
    Spread, StepFigure,
};

/// Turns findings into lines, with a heading before the first of each kind.
#[derive(Debug, Default)]
pub struct Table {
    section: Option<&'static str>,
    /// The file of the last product's matrix.
    matrix: Option<String>,
}

const KERNELS: &str = "\
kernel                n  batch  sparsity        ms      quartiles     MFLOP   GFLOP/s        MB      GB/s  of its ceiling";
const STEPS: &str = "\
training step        batch  sparsity  connections   step, ms      quartiles  round, ms  in steps   peak, MiB";
const SCALING: &str = "scaling    n  connections   step, ms  round, ms   peak, MiB";

impl Table {
    /// The lines for one finding, without a line end after the last.
    pub fn lines(&mut self, finding: Finding<'_>) -> String {
        match finding {
            Finding::Adapter(a) => adapter(a),
            Finding::Activations(a) => {
                format!("activations and their gradients in {a}: {}", a.about())
            }
            Finding::Ceilings(c) => ceilings(c),
            Finding::Kernel(k) => self.head(KERNELS) + &self.matrix(k) + &kernel(k),
            Finding::Crossover(c) => {
                self.section = None;
                crossover(c)
            }
            Finding::Step(s) => self.head(STEPS) + &step(s),
            Finding::Model(m) => {
                self.section = None;
                model(m)
            }
            Finding::Scaling(s) => self.head(SCALING) + &scaling(s),
            Finding::Exponents(e) => growth(e),
            Finding::Skipped(s) => s.text(),
        }
    }

    /// A line of its own for each matrix, because its name may be long.
    fn matrix(&mut self, k: &KernelFigure) -> String {
        match &k.matrix {
            Some(matrix) if self.matrix != k.matrix => {
                self.matrix = k.matrix.clone();
                format!("{matrix}, {} × {}\n", k.rows, k.cols)
            }
            _ => String::new(),
        }
    }

    fn head(&mut self, head: &'static str) -> String {
        match self.section == Some(head) {
            true => String::new(),
            false => {
                self.section = Some(head);
                format!("\n{head}\n")
            }
        }
    }
}

fn adapter(a: &Identity) -> String {
    let kind = match a.backend == a.device_type {
        true => a.backend.clone(),
        false => format!("{}, {}", a.backend, a.device_type),
    };
    format!("{} ({kind}; {})", a.name, a.driver)
}

fn ceilings(c: &Ceilings) -> String {
    let mut text = "\nceilings                  quartiles".to_owned();
    for (label, field, value, unit) in c.rows() {
        let Some(value) = value else {
            if let Some(doubt) = c.doubts.get(field) {
                let _ = write!(text, "\n  {label:<14}not measured: {doubt} ({unit})");
            }
            continue;
        };
        let spread = c.spread.get(field);
        let quartiles = spread.map_or_else(String::new, |s| quartiles(s, 1.0));
        let _ = write!(
            text,
            "\n  {label:<14}{:>9} {quartiles:>14}  {unit}",
            number(value)
        );
    }
    for (i, rate) in c.loads.iter().enumerate() {
        let label = if i == 0 { "512-byte rows" } else { "" };
        let shown = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), number);
        let _ = write!(
            text,
            "\n  {label:<14}{:>9} {:>14}  GB/s at random and in order, from {}",
            shown(rate.random_gb_s),
            shown(rate.sequential_gb_s),
            size(rate.bytes)
        );
    }
    if let Some(clock) = c.timed_by {
        let _ = write!(text, "\n  timed by {}", clock.words());
    }
    text
}

fn kernel(k: &KernelFigure) -> String {
    let n = k.n.map_or_else(String::new, |n| n.to_string());
    let share = match k.share_of_ceiling {
        Some(share) => format!(
            "{} of {}",
            percent((share * 100.0).round() / 100.0),
            k.bound.name()
        ),
        None => "not measured".to_owned(),
    };
    let mut text = format!(
        "{:<16}{n:>7}{:>7}{:>10}{:>10} {:>14}{:>10}{:>10}{:>10}{:>10}  {share}",
        k.kernel,
        k.batch,
        percent(k.sparsity),
        number(k.seconds * 1e3),
        quartiles(&k.seconds_spread, 1e3),
        number(k.operations as f64 * 1e-6),
        number(k.gflop_s),
        number(k.bytes as f64 * 1e-6),
        number(k.gb_s),
    );
    if let (None, Some(doubt)) = (k.share_of_ceiling, &k.ceiling_doubt) {
        let _ = write!(text, ": {doubt}");
    }
    text + &doubtful(&k.doubt)
}

/// The remark after a figure that was kept although it cannot be trusted.
fn doubtful(doubt: &Option<String>) -> String {
    doubt
        .as_ref()
        .map_or_else(String::new, |d| format!("  doubtful: {d}"))
}

fn crossover(c: &CrossoverFigure) -> String {
    let tie = match c.tie {
        Some(tie) => format!(
            "dense from a density of {} on",
            percent((tie * 1e3).round() / 1e3)
        ),
        None => "dense at no density".to_owned(),
    };
    let mut text = format!("\n{}, batch {}: {tie}", c.layer, c.batch) + &doubtful(&c.doubt);
    for at in &c.densities {
        let _ = write!(
            text,
            "\n  {:>6}  sparse {:>9} ms  dense {:>9} ms",
            percent(at.density),
            number(at.sparse_seconds * 1e3),
            number(at.dense_seconds * 1e3)
        );
    }
    text
}

fn step(s: &StepFigure) -> String {
    format!(
        "{:<19}{:>7}{:>10}{:>13}{:>11} {:>14}{:>11}{:>10}{:>12}",
        s.model,
        s.batch,
        percent(s.sparsity),
        s.connections,
        number(s.seconds * 1e3),
        quartiles(&s.seconds_spread, 1e3),
        number(s.round_seconds * 1e3),
        number(s.round_in_steps),
        mebibytes(s.bytes.values().sum())
    ) + &doubtful(&s.doubt)
}

fn model(m: &ModelFigure) -> String {
    let activations = m.bytes.get("activations").copied().unwrap_or(0);
    let mut text = format!(
        "\n{}, batch {}, {} sparse, {} connections: {} ms a step ({}), {} ms a round, activations {} MiB",
        m.model,
        m.batch,
        percent(m.sparsity),
        m.connections,
        number(m.seconds * 1e3),
        quartiles(&m.seconds_spread, 1e3),
        number(m.round_seconds * 1e3),
        mebibytes(activations)
    );
    text += &doubtful(&m.doubt);
    if m.kernels.is_empty() {
        return text;
    }
    let _ = write!(
        text,
        "\n  {:<32}{:>6}{:>10}{:>9}{:>9}{:>9}",
        "kernel of the step", "calls", "ms", "share", "MB", "GB/s"
    );
    for k in m.kernels.iter().filter(|k| k.share >= 0.02) {
        let _ = write!(
            text,
            "\n  {:<32}{:>6}{:>10}{:>9}{:>9}{:>9}",
            k.kernel,
            k.calls,
            number(k.seconds * 1e3),
            percent((k.share * 1e3).round() / 1e3),
            number(k.bytes as f64 * 1e-6),
            number(k.gb_s)
        );
    }
    text
}

fn scaling(s: &ScalingFigure) -> String {
    format!(
        "{:>12}{:>13}{:>11}{:>11}{:>12}",
        s.n,
        s.connections,
        number(s.step_seconds * 1e3),
        number(s.round_seconds * 1e3),
        mebibytes(s.resident_bytes)
    ) + &doubtful(&s.doubt)
}

fn growth(e: &Exponents) -> String {
    format!(
        "growth: step n^{:.2}, round n^{:.2}, bytes n^{:.2}",
        e.step_seconds, e.round_seconds, e.resident_bytes
    )
}

/// "1.2–1.4", in a unit of which `scale` make a second.
fn quartiles(spread: &Spread, scale: f64) -> String {
    format!(
        "{}–{}",
        number(spread.q1 * scale),
        number(spread.q3 * scale)
    )
}

/// Three significant digits, never in exponent form.
pub(in crate::bench) fn number(value: f64) -> String {
    let whole = value.abs().max(1e-3).log10().floor() as i32;
    format!("{value:.*}", (2 - whole).clamp(0, 4) as usize)
}

pub(in crate::bench) fn percent(share: f64) -> String {
    format!("{} %", (share * 1e5).round() / 1e3)
}

fn mebibytes(bytes: u64) -> String {
    number(bytes as f64 / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_digits() {
        for (value, text) in [
            (0.0, "0.0000"),
            (0.012_345, "0.0123"),
            (1.234, "1.23"),
            (12.34, "12.3"),
            (123.4, "123"),
            (12_345.6, "12346"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!(percent(0.98), "98 %");
        assert_eq!(percent(0.995), "99.5 %");
        assert_eq!(percent(0.999), "99.9 %");
    }
}
