//! The figures as text, line by line as they are found.

use std::fmt::Write;

use super::Finding;

/// Turns findings into lines, with a heading before the first of each kind.
#[derive(Debug, Default)]
pub struct Table {
    section: Option<&'static str>,
}

impl Table {
    /// The lines of one finding, without a line end after the last.
    pub fn lines(&mut self, finding: Finding<'_>) -> String {
        let mut text = String::new();
        match finding {
            Finding::Adapter(a) => {
                let kind = match a.backend == a.device_type {
                    true => a.backend.clone(),
                    false => format!("{}, {}", a.backend, a.device_type),
                };
                let _ = write!(text, "{} ({kind}; {})", a.name, a.driver);
            }
            Finding::Ceilings(c) => {
                text.push_str("\nceilings");
                for (name, value, unit) in [
                    ("copy", c.copy_gb_s, "GB/s, read and written"),
                    (
                        "vec4 loads",
                        c.vec4_loads_gelem_s,
                        "G elements/s, random rows",
                    ),
                    (
                        "",
                        c.vec4_loads_sequential_gelem_s,
                        "G elements/s, rows in order",
                    ),
                    ("multiply-add", c.multiply_add_gflop_s, "GFLOP/s"),
                    ("dispatch", c.dispatch_us, "µs in a pass"),
                    ("", c.submit_us, "µs alone, submitted and waited for"),
                    ("read-back", c.readback_us, "µs for 16 bytes"),
                ] {
                    let _ = write!(text, "\n  {name:<14}{:>9} {unit}", number(value));
                }
            }
            Finding::Kernel(k) => {
                self.head(
                    &mut text,
                    "kernel                n  batch  sparsity        ms   GFLOP/s  of its ceiling",
                );
                let _ = write!(
                    text,
                    "{:<16}{:>7}{:>7}{:>10}{:>10}{:>10}  {} of {}",
                    k.kernel,
                    k.n,
                    k.batch,
                    percent(k.sparsity),
                    number(k.seconds * 1e3),
                    number(k.gflop_s),
                    percent((k.share_of_ceiling * 100.0).round() / 100.0),
                    k.bound.name()
                );
            }
            Finding::Step(s) => {
                self.head(
                    &mut text,
                    "training step        batch  sparsity  connections   step, ms  round, ms  in steps   peak, MiB",
                );
                let peak: u64 = s.bytes.values().sum();
                let _ = write!(
                    text,
                    "{:<19}{:>7}{:>10}{:>13}{:>11}{:>11}{:>10}{:>12}",
                    s.model,
                    s.batch,
                    percent(s.sparsity),
                    s.connections,
                    number(s.seconds * 1e3),
                    number(s.round_seconds * 1e3),
                    number(s.round_in_steps),
                    mebibytes(peak)
                );
            }
            Finding::Model(m) => {
                let activations = m.bytes.get("activations").copied().unwrap_or(0);
                let _ = write!(
                    text,
                    "\n{}, batch {}, {} sparse, {} connections: {} ms a step, activations {} MiB",
                    m.model,
                    m.batch,
                    percent(m.sparsity),
                    m.connections,
                    number(m.seconds * 1e3),
                    mebibytes(activations)
                );
                let _ = write!(
                    text,
                    "\n  {:<32}{:>6}{:>10}{:>9}{:>9}",
                    "kernel of the step", "calls", "ms", "share", "GB/s"
                );
                for k in m.kernels.iter().filter(|k| k.share >= 0.01) {
                    let _ = write!(
                        text,
                        "\n  {:<32}{:>6}{:>10}{:>9}{:>9}",
                        k.kernel,
                        k.calls,
                        number(k.seconds * 1e3),
                        percent((k.share * 1e3).round() / 1e3),
                        number(k.gb_s)
                    );
                }
            }
            Finding::Scaling(s) => {
                self.head(
                    &mut text,
                    "scaling    n  connections   step, ms  round, ms   peak, MiB",
                );
                let _ = write!(
                    text,
                    "{:>12}{:>13}{:>11}{:>11}{:>12}",
                    s.n,
                    s.connections,
                    number(s.step_seconds * 1e3),
                    number(s.round_seconds * 1e3),
                    mebibytes(s.resident_bytes)
                );
            }
            Finding::Exponents(e) => {
                let _ = write!(
                    text,
                    "growth: step n^{:.2}, round n^{:.2}, bytes n^{:.2}",
                    e.step_seconds, e.round_seconds, e.resident_bytes
                );
            }
        }
        text
    }

    fn head(&mut self, text: &mut String, head: &'static str) {
        if self.section != Some(head) {
            self.section = Some(head);
            let _ = write!(text, "\n{head}\n");
        }
    }
}

/// Three significant digits, never in exponent form.
fn number(value: f64) -> String {
    let whole = value.abs().max(1e-3).log10().floor() as i32;
    format!("{value:.*}", (2 - whole).clamp(0, 4) as usize)
}

fn percent(share: f64) -> String {
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
