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
//!
//! | file or folder | job |
//! |---|---|
//! | `options.rs`, `run.rs` | what to measure; running it |
//! | `ceilings/`, `products/`, `networks/` | what is measured: the parts above |
//! | `measuring/` | how: samples, checks, and figures that are withheld |
//! | `figures/` | the figures |
//! | `report/` | the figures of one adapter: passed on, as text, in a file |
//! | `comparison/` | the reports of several devices: side by side, shared, in a gallery |
//! | `matrix/` | matrices from files |
//! | `kernels.rs` | the list of the kernels here |

mod ceilings;
mod comparison;
mod figures;
mod kernels;
pub(crate) mod matrix;
mod measuring;
mod networks;
mod options;
mod products;
mod report;
mod run;

pub use crate::engine::TimedBy;
pub use ceilings::{
    Ceilings, Copy, CopyParams, Count, CountParams, Exchange, ExchangeParams, Load, LoadParams,
    LoadRate, MultiplyAdd, MultiplyAddParams, Pattern, SumMemory, SumMemoryParams, SumSubgroups,
    SumSubgroupsParams,
};
pub(crate) use comparison::fuzz as fuzz_comparison;
pub use comparison::{Comparison, Gallery, SharedReport, load, pasted};
pub use figures::{
    AtDensity, Bound, CrossoverFigure, Exponents, Identity, KernelFigure, KernelTime, ModelFigure,
    ScalingFigure, Spread, StepFigure,
};
pub use kernels::kernels;
pub use matrix::read as read_matrix;
pub use measuring::guard::Skipped;
pub use networks::{AnswerFigure, Bytes, has_onnxruntime, is_on_cores, time_answers};
pub use options::{BenchOptions, Part, SOFTWARE_BATCH};
pub use report::{BenchReport, Code, Finding, SCHEMA, Table};
pub use run::{run, run_keeping};
