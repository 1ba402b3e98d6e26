//! The benchmark behind `rootlet bench`: what an adapter can do at most, and how near the sparse products and a
//! training step come to it.
//!
//! | part | measured |
//! |---|---|
//! | ceilings | copy, vec4 loads, multiply-add, cost of a dispatch and of a read-back, by kernels of their own |
//! | products | SpMM, transposed SpMM and SDDMM of an n × n layer, and the ceiling that bounds them |
//! | step | one training step of 3072-h-h-10 and one prune-and-grow round |
//! | scaling | step, round and resident bytes against n at a fixed number of connections per unit |
//!
//! Every result is checked against the host's own before it is timed: a driver that skips work is a
//! fast one. Times are medians; the first run, in which drivers compile, never counts.

mod ceilings;
mod copy;
mod count;
mod identity;
mod load;
mod models;
mod multiply_add;
mod products;
mod reference;
mod steps;
mod table;
mod timing;

use std::time::Duration;

pub use ceilings::Ceilings;
pub use copy::{Copy, CopyParams};
pub use count::{Count, CountParams};
pub use identity::Identity;
pub use load::{Load, LoadParams};
pub use models::{KernelTime, ModelFigure};
pub use multiply_add::{MultiplyAdd, MultiplyAddParams};
pub use products::{Bound, KernelFigure};
pub use steps::{Exponents, ScalingFigure, StepFigure};
pub use table::Table;

use crate::engine::{Device, DeviceOptions, Grid, Kernel, KernelInfo, Plan};
use crate::error::{Error, Result};

/// The kernels of this module.
pub fn kernels() -> Vec<&'static KernelInfo> {
    vec![Copy::INFO, Count::INFO, Load::INFO, MultiplyAdd::INFO]
}

/// A part of the benchmark.
#[derive(Clone, std::marker::Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The adapter's ceilings; measured too where products are, whose shares refer to them.
    Ceilings,
    /// `W x`.
    Spmm,
    /// `W^T δ`.
    SpmmTransposed,
    /// `δ x^T` at the connections.
    Sddmm,
    /// A training step and a round of 3072-h-h-10.
    Step,
    /// The same against the width, at a fixed number of connections per unit.
    Scaling,
}

impl Part {
    /// All parts.
    pub const ALL: [Part; 6] = [
        Part::Ceilings,
        Part::Spmm,
        Part::SpmmTransposed,
        Part::Sddmm,
        Part::Step,
        Part::Scaling,
    ];

    /// Its name on the command line and in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Part::Ceilings => "ceilings",
            Part::Spmm => "spmm",
            Part::SpmmTransposed => "spmm_transposed",
            Part::Sddmm => "sddmm",
            Part::Step => "step",
            Part::Scaling => "scaling",
        }
    }
}

/// What to measure, and on what.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// As [`Device::open`] takes it.
    pub adapter: String,
    /// Threads of the CPU executor; 0 takes every core.
    pub threads: usize,
    /// The parts.
    pub parts: Vec<Part>,
    /// Widths n of the products' layers, and h of the steps' hidden layers.
    pub sizes: Vec<usize>,
    /// Sparsities of the products' layers.
    pub sparsities: Vec<f64>,
    /// Overall sparsity of the steps' networks.
    pub step_sparsity: f64,
    /// Widths of the scaling part.
    pub scaling_sizes: Vec<usize>,
    /// Members of the batch.
    pub batch: usize,
    /// Models by name whose step is measured too, kernel by kernel.
    pub models: Vec<String>,
    /// Whether those compute most activations twice to hold fewer.
    pub checkpoint_activations: bool,
    /// Time for each measurement.
    pub budget: Duration,
}

impl Default for BenchOptions {
    /// Everything but the scaling part, on `auto`.
    fn default() -> Self {
        BenchOptions {
            adapter: "auto".to_owned(),
            threads: 0,
            parts: Part::ALL
                .into_iter()
                .filter(|p| *p != Part::Scaling)
                .collect(),
            sizes: vec![1024, 4096],
            sparsities: vec![0.9, 0.98, 0.99],
            step_sparsity: 0.98,
            scaling_sizes: vec![1024, 2048, 4096, 8192, 16384],
            batch: 128,
            models: Vec::new(),
            checkpoint_activations: false,
            budget: Duration::from_secs(1),
        }
    }
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
}

/// All figures; `benches/peers/README.md` describes the JSON.
#[derive(Clone, Debug, serde::Serialize)]
pub struct BenchReport {
    /// Version of rootlet.
    pub rootlet: &'static str,
    /// Who was measured.
    pub adapter: Identity,
    /// Absent where only steps were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ceilings: Option<Ceilings>,
    /// The products.
    pub kernels: Vec<KernelFigure>,
    /// The training steps.
    pub steps: Vec<StepFigure>,
    /// The models' training steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<ModelFigure>,
    /// The scaling part.
    pub scaling: Vec<ScalingFigure>,
    /// How the scaling part's figures grow with n.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exponents: Option<Exponents>,
}

/// Measures, and tells `observe` of each figure as it is found.
///
/// # Errors
/// Options that cannot be used, an adapter that cannot be opened, buffers that it refuses, or a wrong result.
pub fn run(options: &BenchOptions, observe: &mut dyn FnMut(Finding<'_>)) -> Result<BenchReport> {
    options.check()?;
    let device = options.open()?;
    let mut report = BenchReport {
        rootlet: env!("CARGO_PKG_VERSION"),
        adapter: Identity::of(&device, &options.adapter),
        ceilings: None,
        kernels: Vec::new(),
        steps: Vec::new(),
        models: Vec::new(),
        scaling: Vec::new(),
        exponents: None,
    };
    observe(Finding::Adapter(&report.adapter));
    let has = |part| options.parts.contains(&part);
    let products = [Part::Spmm, Part::SpmmTransposed, Part::Sddmm]
        .into_iter()
        .any(has);
    if has(Part::Ceilings) || products {
        let ceilings = ceilings::measure(&device, options.budget)?;
        observe(Finding::Ceilings(&ceilings));
        report.kernels = products::measure(&device, &ceilings, options, observe)?;
        report.ceilings = Some(ceilings);
    }
    // The steps have devices of their own, whose ledgers count nothing else.
    drop(device);
    if has(Part::Step) {
        report.steps = steps::measure(options, observe)?;
    }
    report.models = models::measure(options, observe)?;
    if has(Part::Scaling) {
        let (figures, exponents) = steps::scaling(options, observe)?;
        report.scaling = figures;
        report.exponents = exponents;
    }
    Ok(report)
}

impl BenchOptions {
    fn open(&self) -> Result<Device> {
        Device::open(
            &self.adapter,
            &DeviceOptions {
                threads: self.threads,
                ..DeviceOptions::default()
            },
        )
    }

    fn check(&self) -> Result<()> {
        let complain = |what: &str| Err(Error::Usage(what.to_owned()));
        if self.parts.is_empty() && self.models.is_empty() {
            return complain("there is nothing to measure: name a part");
        }
        if self.batch == 0 || self.sizes.contains(&0) || self.scaling_sizes.contains(&0) {
            return complain("batch and sizes start at 1");
        }
        let sparsities = self.sparsities.iter().chain([&self.step_sparsity]);
        for sparsity in sparsities {
            if !(0.0..1.0).contains(sparsity) {
                return complain(&format!(
                    "sparsity {sparsity} is outside [0, 1): 0 is dense"
                ));
            }
        }
        Ok(())
    }
}

/// A plan of one dispatch.
fn plan_of<K: Kernel>(kernel: K, grid: Grid) -> Result<Plan> {
    let mut plan = Plan::new(K::INFO.name);
    plan.dispatch(kernel, grid)?;
    Ok(plan)
}
