//! The result of a verification, as JSON and as text that a user can paste into a bug report.

use super::steps::{StepsResult, TOLERANCE};
use super::tally::Tally;
use crate::engine::{AdapterSummary, KernelCheck};
use crate::error::{Error, Fault, Result};
use crate::words::counted;

/// The result of a verification.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Report {
    /// Version of rootlet.
    pub rootlet: &'static str,
    /// Hash of its kernels' sources.
    pub sources: &'static str,
    /// The adapter.
    pub adapter: AdapterSummary,
    /// The workgroup shapes that were run.
    pub shapes: Vec<String>,
    /// Number of problems run, over all shapes.
    pub problems: usize,
    /// Results by kernel.
    pub kernels: Tally,
    /// Results of whole steps.
    pub steps: Vec<StepsResult>,
    /// What could not be run, and why.
    pub errors: Vec<String>,
    /// Seconds that the verification took.
    pub seconds: f64,
}

impl Report {
    /// An empty report for an adapter.
    pub fn new(adapter: &AdapterSummary) -> Self {
        Report {
            rootlet: env!("CARGO_PKG_VERSION"),
            sources: env!("ROOTLET_SOURCES"),
            adapter: adapter.clone(),
            shapes: Vec::new(),
            problems: 0,
            kernels: Tally::default(),
            steps: Vec::new(),
            errors: Vec::new(),
            seconds: 0.0,
        }
    }

    /// One line for each thing that is wrong.
    pub fn failures(&self) -> Vec<String> {
        let kernels = self.kernels.failed().map(|(name, kernel)| {
            format!(
                "kernel {name}: {} of {} comparisons differ, worst in {}: relative error {:.1e}",
                kernel.failed, kernel.comparisons, kernel.at, kernel.error
            )
        });
        let steps = self.steps.iter().filter(|s| !s.passes()).map(|s| {
            format!(
                "steps of a {}: relative error {:.1e} in {}, {:.2} % of the connections alike",
                s.network,
                s.error,
                if s.at.is_empty() { "nothing" } else { &s.at },
                100.0 * s.common
            )
        });
        kernels
            .chain(steps)
            .chain(self.errors.iter().cloned())
            .collect()
    }

    /// An error that summarises what is wrong, if anything is.
    ///
    /// # Errors
    /// A kernel differs from its twin, steps differ from the CPU executor's, or something could not be run.
    pub fn verdict(&self) -> Result<()> {
        let failures = self.failures();
        let Some(first) = failures.first() else {
            return Ok(());
        };
        Err(Error::Device(Fault::Verification {
            adapter: self.adapter.name.clone(),
            first: first.to_string(),
            more: failures.len() - 1,
        }))
    }
}

impl std::fmt::Display for Report {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let AdapterSummary {
            name,
            kind,
            backend,
            driver,
            ..
        } = &self.adapter;
        writeln!(f, "rootlet    {}, sources {}", self.rootlet, self.sources)?;
        writeln!(f, "adapter    {name}, {kind}, {backend}")?;
        writeln!(f, "driver     {driver}")?;
        writeln!(f, "shapes     {}", self.shapes.join(", "))?;
        writeln!(
            f,
            "tolerance  {:.0e} of a buffer's largest number, integers equal; {TOLERANCE:.0e} after a step",
            KernelCheck::TOLERANCE
        )?;
        let kernels = &self.kernels;
        write!(
            f,
            "kernels    {} in {}, {}, {:.1} million words, {:.2} % of them in other bits",
            kernels.0.len(),
            counted(self.problems as u64, "problem"),
            counted(kernels.sum(|k| k.comparisons as u64), "comparison"),
            kernels.sum(|k| k.words) as f64 / 1e6,
            100.0 * kernels.sum(|k| k.different) as f64 / kernels.sum(|k| k.words).max(1) as f64,
        )?;
        if let Some((name, worst)) = kernels.worst() {
            write!(f, "\nlargest    {:.1e}: {name}, {}", worst.error, worst.at)?;
        }
        for s in &self.steps {
            write!(
                f,
                "\nsteps      {} of a {}: largest error {:.1e}{}",
                s.steps,
                s.network,
                s.error,
                match s.at.is_empty() {
                    true => String::new(),
                    false => format!(", in {}", s.at),
                }
            )?;
        }
        let failures = self.failures();
        for failure in &failures {
            write!(f, "\nFAILED     {failure}")?;
        }
        let result = match failures.len() {
            0 => "every kernel computes what its CPU twin computes".to_owned(),
            n => format!("{n} FAILED"),
        };
        write!(f, "\nresult     {result}, {:.0} s", self.seconds)
    }
}
