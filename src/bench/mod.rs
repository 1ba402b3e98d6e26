//! The benchmark behind `rootlet bench`: what an adapter can do at most, and how close the sparse products and a
//! training step come to it.
//!
//! | part | measured |
//! |---|---|
//! | ceilings | copy, loads from growing working sets, multiply-add; cost of a dispatch, read-back, barrier, workgroup sum |
//! | products | SpMM, transposed SpMM and SDDMM of n × n layers or matrices from files, full layers, and their ceilings |
//! | step | a training step of 3072-h-h-10, and a prune-and-grow round |
//! | model | the same for models by name, and which kernels take the step's time |
//! | crossover | layers from lists of connections and densely, at rising densities: above which density dense is faster |
//! | scaling | step, round and resident bytes against n at a fixed number of connections per unit |
//!
//! Every result is checked against the host's own before it is timed: a driver that skips work is fast. Kernels are
//! timed by the adapter's timestamps if it has them, and otherwise by many runs in one submission ([`TimedBy`] says
//! which); the cost of a submission is a figure of its own. Times are medians with their quartiles; the first run, in
//! which drivers compile, never counts. A product and its ceiling are measured in turns. Whatever an adapter cannot
//! hold, or would take too long for, is skipped, and whatever other work on the machine disturbed is withheld; the
//! report says why.

mod ceiling;
mod ceilings;
mod compare;
mod copy;
mod count;
mod crossover;
mod crossover_figure;
mod dense;
mod doubt;
mod gallery;
mod guard;
mod identity;
mod kernel_figure;
mod kernels;
mod latency;
mod layer;
mod load;
mod loads;
pub(crate) mod matrix;
mod model_figure;
mod models;
mod multiply_add;
mod observer;
mod one_kernel;
mod options;
mod plausible;
mod plot;
mod products;
mod reference;
mod report;
mod row;
mod run;
mod scaling;
mod scaling_figure;
mod share;
mod spread;
mod step_figure;
mod stepper;
mod steps;
mod table;
mod timing;
mod trained;
mod workgroup;

pub use crate::engine::TimedBy;
pub use ceilings::Ceilings;
pub use compare::Comparison;
pub(crate) use compare::fuzz as fuzz_comparison;
pub use copy::{Copy, CopyParams};
pub use count::{Count, CountParams};
pub use crossover_figure::{AtDensity, CrossoverFigure};
pub use gallery::{Gallery, pasted};
pub use guard::Skipped;
pub use identity::Identity;
pub use kernel_figure::{Bound, KernelFigure};
pub use kernels::kernels;
pub use load::{Load, LoadParams, Pattern};
pub use loads::LoadRate;
pub use matrix::read as read_matrix;
pub use model_figure::{KernelTime, ModelFigure};
pub use multiply_add::{MultiplyAdd, MultiplyAddParams};
pub use observer::Finding;
pub use options::{BenchOptions, Part, SOFTWARE_BATCH};
pub use report::{BenchReport, Code, SCHEMA};
pub use run::{run, run_keeping};
pub use scaling_figure::{Exponents, ScalingFigure};
pub use share::{SharedReport, load};
pub use spread::Spread;
pub use step_figure::StepFigure;
pub use stepper::Bytes;
pub use table::Table;
pub use trained::{AnswerFigure, has_onnxruntime, is_on_cores, time_answers};
pub use workgroup::{
    Exchange, ExchangeParams, SumMemory, SumMemoryParams, SumSubgroups, SumSubgroupsParams,
};
