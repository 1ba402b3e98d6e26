//! Findings are passed on as they come, and collected in a report.

use super::bench_report::BenchReport;
use crate::bench::{
    Ceilings, CrossoverFigure, Exponents, Identity, KernelFigure, ModelFigure, ScalingFigure,
    Skipped, StepFigure,
};
use crate::engine::Precision;

/// Something found, for a caller that shows it.
#[derive(Clone, Copy, Debug)]
pub enum Finding<'a> {
    /// The adapter's identity.
    Adapter(&'a Identity),
    /// How activations are stored, if not in f32.
    Activations(Precision),
    /// Its ceilings.
    Ceilings(&'a Ceilings),
    /// One product.
    Kernel(&'a KernelFigure),
    /// One layer, run in both ways.
    Crossover(&'a CrossoverFigure),
    /// One training step.
    Step(&'a StepFigure),
    /// One model's training step.
    Model(&'a ModelFigure),
    /// One width of the scaling part.
    Scaling(&'a ScalingFigure),
    /// How the scaling part's figures grow.
    Exponents(&'a Exponents),
    /// Something that was not measured.
    Skipped(&'a Skipped),
}

/// Passes findings on, and keeps them.
pub(in crate::bench) struct Observer<'a> {
    pub sink: &'a mut dyn FnMut(Finding<'_>),
    pub report: BenchReport,
}

impl Observer<'_> {
    pub fn tell(&mut self, finding: Finding<'_>) {
        (self.sink)(finding);
        let report = &mut self.report;
        match finding {
            Finding::Adapter(identity) => report.adapter = identity.clone(),
            Finding::Activations(activations) => report.activations = activations,
            Finding::Ceilings(ceilings) => report.ceilings = Some(ceilings.clone()),
            Finding::Kernel(figure) => report.kernels.push(figure.clone()),
            Finding::Crossover(figure) => report.crossover.push(figure.clone()),
            Finding::Step(figure) => report.steps.push(figure.clone()),
            Finding::Model(figure) => report.models.push(figure.clone()),
            Finding::Scaling(figure) => report.scaling.push(figure.clone()),
            Finding::Exponents(exponents) => report.exponents = Some(exponents.clone()),
            Finding::Skipped(skipped) => report.skipped.push(skipped.clone()),
        }
    }

    /// Withholds a figure that cannot be trusted; says whether it did.
    pub fn withholds(&mut self, keep: bool, part: &str, case: &str, doubt: Option<&str>) -> bool {
        let Some(doubt) = doubt.filter(|_| !keep) else {
            return false;
        };
        self.skip(Skipped {
            part: part.to_owned(),
            case: case.to_owned(),
            reason: doubt.to_owned(),
            busy: true,
        });
        true
    }

    pub fn skip(&mut self, skipped: Skipped) {
        self.tell(Finding::Skipped(&skipped));
    }
}
