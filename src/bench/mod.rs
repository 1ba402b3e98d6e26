//! The benchmark behind `rootlet bench`: what an adapter can do at most, and how near the sparse products and a
//! training step come to it.
//!
//! | part | measured |
//! |---|---|
//! | ceilings | copy, vec4 loads, multiply-add, cost of a dispatch, a read-back, a barrier, a sum over a workgroup |
//! | products | SpMM, transposed SpMM and SDDMM of n × n layers or of matrices from files, full layers beside them, and the ceilings that bound them |
//! | step | one training step of 3072-h-h-10 and one prune-and-grow round |
//! | model | the same of models by name, and which kernels take the step's time |
//! | scaling | step, round and resident bytes against n at a fixed number of connections per unit |
//!
//! Every result is checked against the host's own before it is timed: a driver that skips work is a
//! fast one. Times are medians with their quartiles; the first run, in which drivers compile, never counts. A product and its
//! ceiling are measured in turns. What an adapter cannot hold, or would take too long for, is skipped, and what other work on the
//! machine disturbed is withheld; the report says why.

mod busy;
mod ceilings;
mod compare;
mod copy;
mod count;
mod dense;
mod guard;
mod identity;
mod kernel_figure;
mod latency;
mod layer;
mod load;
pub(crate) mod matrix;
mod models;
mod multiply_add;
mod options;
mod plot;
mod products;
mod reference;
mod report;
mod row;
mod scaling;
mod spread;
mod stepper;
mod steps;
mod table;
mod timing;
mod workgroup;

pub use ceilings::Ceilings;
pub use compare::Comparison;
pub(crate) use compare::fuzz as fuzz_comparison;
pub use copy::{Copy, CopyParams};
pub use count::{Count, CountParams};
pub use guard::Skipped;
pub use identity::Identity;
pub use kernel_figure::{Bound, KernelFigure};
pub use load::{Load, LoadParams};
pub use matrix::read as read_matrix;
pub use models::{KernelTime, ModelFigure};
pub use multiply_add::{MultiplyAdd, MultiplyAddParams};
pub use options::{BenchOptions, Part, SOFTWARE_BATCH};
pub use report::{BenchReport, Code, SCHEMA};
pub use scaling::{Exponents, ScalingFigure};
pub use spread::Spread;
pub use stepper::Bytes;
pub use steps::StepFigure;
pub use table::Table;
pub use workgroup::{
    Exchange, ExchangeParams, SumMemory, SumMemoryParams, SumSubgroups, SumSubgroupsParams,
};

use crate::engine::{Device, Grid, Kernel, KernelInfo, Plan};
use crate::error::{Error, Result};
use crate::sparse::LayerState;

/// The kernels of this module.
pub fn kernels() -> Vec<&'static KernelInfo> {
    vec![
        Copy::INFO,
        Count::INFO,
        Exchange::INFO,
        Load::INFO,
        MultiplyAdd::INFO,
        SumMemory::INFO,
        SumSubgroups::INFO,
    ]
}

/// What was found so far, for a caller that shows it.
#[derive(Clone, std::marker::Copy, Debug)]
pub enum Finding<'a> {
    /// Who is measured.
    Adapter(&'a Identity),
    /// Its ceilings.
    Ceilings(&'a Ceilings),
    /// One product.
    Kernel(&'a KernelFigure),
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

/// Hands findings on, and keeps them.
struct Observer<'a> {
    sink: &'a mut dyn FnMut(Finding<'_>),
    report: BenchReport,
}

impl Observer<'_> {
    fn tell(&mut self, finding: Finding<'_>) {
        (self.sink)(finding);
        let report = &mut self.report;
        match finding {
            Finding::Adapter(identity) => report.adapter = identity.clone(),
            Finding::Ceilings(ceilings) => report.ceilings = Some(ceilings.clone()),
            Finding::Kernel(figure) => report.kernels.push(figure.clone()),
            Finding::Step(figure) => report.steps.push(figure.clone()),
            Finding::Model(figure) => report.models.push(figure.clone()),
            Finding::Scaling(figure) => report.scaling.push(figure.clone()),
            Finding::Exponents(exponents) => report.exponents = Some(exponents.clone()),
            Finding::Skipped(skipped) => report.skipped.push(skipped.clone()),
        }
    }

    /// Withholds what cannot be trusted; says whether it did.
    fn withholds(&mut self, keep: bool, part: &str, case: &str, doubt: Option<&str>) -> bool {
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

    fn skip(&mut self, skipped: Skipped) {
        self.tell(Finding::Skipped(&skipped));
    }
}

/// Measures, and tells `observe` of each figure as it is found.
///
/// # Errors
/// Options that cannot be used, an adapter that cannot be opened, or a wrong result.
pub fn run(options: &BenchOptions, observe: &mut dyn FnMut(Finding<'_>)) -> Result<BenchReport> {
    let (report, end) = run_keeping(options, observe)?;
    end.map(|()| report)
}

/// As [`run`]; what was measured before an error comes beside it.
///
/// # Errors
/// Those that come before anything is measured: options that cannot be used, or an adapter that cannot be opened.
pub fn run_keeping(
    options: &BenchOptions,
    observe: &mut dyn FnMut(Finding<'_>),
) -> Result<(BenchReport, Result<()>)> {
    options.check()?;
    // Before anything is measured: a wrong file should not cost a minute.
    let matrices = matrix::read_all(&options.matrices)?;
    let device = options.open()?;
    let identity = Identity::of(&device, &options.adapter);
    let mut observer = Observer {
        sink: observe,
        report: BenchReport::new(identity.clone()),
    };
    observer.tell(Finding::Adapter(&identity));
    let end = measure(options, device, matrices, &mut observer);
    if let Err(error) = &end {
        // Nobody is to take it for all that was asked for.
        observer.report.skipped.push(Skipped {
            part: "all".to_owned(),
            case: "what would have come next".to_owned(),
            reason: error.to_string(),
            busy: false,
        });
    }
    Ok((observer.report, end))
}

/// Measures the parts one after the other.
fn measure(
    options: &BenchOptions,
    device: Device,
    matrices: Vec<(String, LayerState)>,
    observer: &mut Observer<'_>,
) -> Result<()> {
    let products = Part::PRODUCTS.into_iter().any(|part| options.has(part));
    if options.has(Part::Ceilings) || products {
        let (ceilings, left_out) = ceilings::measure(&device, options)?;
        observer.tell(Finding::Ceilings(&ceilings));
        for (case, reason) in left_out {
            observer.skip(Skipped::new(Part::Ceilings, case, reason));
        }
        products::measure(&device, &ceilings, options, matrices, observer)?;
    }
    // The steps have devices of their own, whose ledgers count nothing else.
    drop(device);
    if options.has(Part::Step) {
        steps::measure(options, observer)?;
    }
    if options.has(Part::Model) {
        models::measure(options, observer)?;
    }
    if options.has(Part::Scaling) {
        scaling::measure(options, observer)?;
    }
    Ok(())
}

/// The error for a kernel of this module that computes something else.
fn wrong(device: &Device, kernel: &str, what: &str) -> Error {
    Error::Device(format!(
        "{} computes kernel `{kernel}` wrongly: {what}. No figure measured on it could be trusted; update its driver, or \
         choose another --adapter",
        device.name()
    ))
}

/// A plan of one dispatch.
fn plan_of<K: Kernel>(kernel: K, grid: Grid) -> Result<Plan> {
    let mut plan = Plan::new(K::INFO.name);
    plan.dispatch(kernel, grid)?;
    Ok(plan)
}
