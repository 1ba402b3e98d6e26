//! What to measure, and on which adapter.

use std::path::PathBuf;
use std::time::Duration;

use super::networks::stepper::CLASSES;
use crate::engine::tune::Tune;
use crate::engine::{Device, DeviceOptions, Precision};
use crate::error::{Error, Refusal, Result};
use crate::model::{Extent, Model, ModelOptions, by_name};
use crate::sparse::{Assignment, Shape, allocate};

/// A part of the benchmark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The adapter's ceilings; some of them are also measured with the products, whose shares refer to them.
    Ceilings,
    /// `W x`.
    Spmm,
    /// `W^T δ`.
    SpmmTransposed,
    /// `δ x^T` at the connections.
    Sddmm,
    /// The same three products of a full layer.
    Dense,
    /// The density above which the dense products are faster; only if it is asked for.
    Crossover,
    /// A training step and a round of 3072-h-h-10.
    Step,
    /// A training step and a round of models by name.
    Model,
    /// A step and a round against the width, at a fixed number of connections per unit.
    Scaling,
}

impl Part {
    /// All parts.
    pub const ALL: [Part; 9] = [
        Part::Ceilings,
        Part::Spmm,
        Part::SpmmTransposed,
        Part::Sddmm,
        Part::Dense,
        Part::Crossover,
        Part::Step,
        Part::Model,
        Part::Scaling,
    ];

    /// The parts that are products of a sparse layer.
    pub(super) const SPARSE: [Part; 3] = [Part::Spmm, Part::SpmmTransposed, Part::Sddmm];

    /// The parts that are products of one layer.
    pub const PRODUCTS: [Part; 4] = [Part::Spmm, Part::SpmmTransposed, Part::Sddmm, Part::Dense];

    /// Its name on the command line and in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Part::Ceilings => "ceilings",
            Part::Spmm => "spmm",
            Part::SpmmTransposed => "spmm_transposed",
            Part::Sddmm => "sddmm",
            Part::Dense => "dense",
            Part::Crossover => "crossover",
            Part::Step => "step",
            Part::Model => "model",
            Part::Scaling => "scaling",
        }
    }
}

/// What to measure, and on which adapter.
#[derive(Clone, Debug)]
pub struct BenchOptions {
    /// The adapter, as [`Device::open`] takes it.
    pub adapter: String,
    /// Threads of the CPU executor; 0 takes every core.
    pub threads: usize,
    /// Whether variants of kernels are measured first, and the fastest is run.
    pub tune: Tune,
    /// The parts.
    pub parts: Vec<Part>,
    /// Sizes in bytes of the buffers from which loads are measured, from a cache's size to beyond the last cache.
    pub working_sets: Vec<u64>,
    /// Widths n of the products' square layers.
    pub sizes: Vec<usize>,
    /// Sparsities of the products' square layers.
    pub sparsities: Vec<f64>,
    /// Files of matrices that the products are also measured on.
    pub matrices: Vec<PathBuf>,
    /// Widths h of the hidden layers of the steps' networks.
    pub hidden: Vec<usize>,
    /// Overall sparsity of the networks of steps and models.
    pub step_sparsity: f64,
    /// Models by name, cheap ones first.
    pub models: Vec<String>,
    /// How activations and their gradients are stored, in products and in steps.
    pub activations: Precision,
    /// Whether the models recompute most activations, to store fewer.
    pub checkpoint_activations: bool,
    /// Widths of the scaling part.
    pub scaling_sizes: Vec<usize>,
    /// Batch size; for models on a software adapter, at most [`SOFTWARE_BATCH`].
    pub batch: usize,
    /// Time for each measurement.
    pub budget: Duration,
    /// Longest time that one case may take, as predicted from a smaller one.
    pub limit: Duration,
    /// Whether figures that other work disturbed are kept and marked instead of withheld.
    pub keep_doubtful: bool,
}

/// Batch size of the models on a software adapter, where a step of 128 images takes seconds.
pub const SOFTWARE_BATCH: usize = 16;

impl Default for BenchOptions {
    /// Everything but the crossover, on `auto`: the paper's Figure 8, and the models of its tables that take images of
    /// 32×32 pixels.
    fn default() -> Self {
        BenchOptions {
            adapter: "auto".to_owned(),
            threads: 0,
            tune: Tune::Auto,
            parts: (Part::ALL.into_iter())
                .filter(|part| *part != Part::Crossover)
                .collect(),
            working_sets: [256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20, 256 << 20].to_vec(),
            sizes: vec![2048, 4096, 8192, 16384],
            sparsities: vec![0.8, 0.9, 0.95, 0.98, 0.99, 0.999],
            matrices: Vec::new(),
            hidden: vec![1024, 4096],
            step_sparsity: 0.98,
            models: ["vgg16-small", "resnet20", "resnet56", "simple-vit-tiny"]
                .map(str::to_owned)
                .to_vec(),
            activations: Precision::F32,
            checkpoint_activations: false,
            scaling_sizes: vec![1024, 2048, 4096, 8192, 16384],
            batch: 128,
            budget: Duration::from_millis(200),
            limit: Duration::from_secs(10),
            keep_doubtful: false,
        }
    }
}

impl BenchOptions {
    /// A first impression within seconds: small layers and one model.
    pub fn quick() -> Self {
        BenchOptions {
            working_sets: vec![256 << 10, 4 << 20, 64 << 20],
            sizes: vec![2048, 4096],
            sparsities: vec![0.9, 0.98, 0.999],
            hidden: vec![1024],
            models: vec!["resnet20".to_owned()],
            scaling_sizes: vec![1024, 2048, 4096],
            budget: Duration::from_millis(50),
            limit: Duration::from_secs(3),
            ..Self::default()
        }
    }

    pub(super) fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    pub(super) fn open(&self) -> Result<Device> {
        Device::open(
            &self.adapter,
            &DeviceOptions {
                threads: self.threads,
                tune: self.tune,
                keep_doubtful: self.keep_doubtful,
                ..DeviceOptions::default()
            },
        )
    }

    pub(super) fn check(&self) -> Result<()> {
        let complain = |why| Err(Error::refused(why));
        if self.parts.is_empty() {
            return complain(Refusal::NothingMeasured);
        }
        let sizes = [&self.sizes, &self.hidden, &self.scaling_sizes];
        if self.batch == 0 || sizes.into_iter().flatten().any(|&n| n == 0) {
            return complain(Refusal::SizeOfZero);
        }
        if self.activations.is_half() && self.has(Part::Crossover) {
            return complain(Refusal::CrossoverInHalf);
        }
        let sparsities = self.sparsities.iter().chain([&self.step_sparsity]);
        for sparsity in sparsities {
            if !(0.0..1.0).contains(sparsity) {
                return Err(Error::OutOfRange {
                    what: "sparsity",
                    value: sparsity.to_string(),
                    must: "it is outside [0, 1): 0 is dense",
                });
            }
        }
        if self.has(Part::Model) {
            for name in &self.models {
                model(name)?;
            }
        }
        self.check_layers()
    }

    /// Refuses sizes and sparsities if no layer can be made of them. If some can, the others are skipped.
    fn check_layers(&self) -> Result<()> {
        if !Part::SPARSE.into_iter().any(|part| self.has(part)) {
            return Ok(());
        }
        let mut refused = Ok(());
        for &n in &self.sizes {
            for &sparsity in &self.sparsities {
                let shape = Shape { n_in: n, n_out: n };
                match allocate(&[shape], sparsity, Assignment::Uniform) {
                    Ok(_) => return Ok(()),
                    Err(error) => refused = Err(error),
                }
            }
        }
        refused
    }
}

/// The model with this name, for the images that it is measured on.
pub(super) fn model(name: &str) -> Result<Model> {
    by_name(
        name,
        &ModelOptions {
            input: Extent {
                channels: 3,
                height: 32,
                width: 32,
            },
            classes: CLASSES,
            width: 1.0,
            hidden: &[1024, 1024],
        },
    )
}
