//! rootlet for Python: the native half of the package `rootlet`.
//!
//! | file | job |
//! |---|---|
//! | `arrays.rs` | NumPy arrays as samples, read where they are |
//! | `bridge.rs` | trains on a thread of its own, while the caller's thread runs Python: callbacks, Ctrl-C |
//! | `config.rs` | options from Python |
//! | `dataset.rs` | arrays and targets as a data set |
//! | `errors.rs` | errors as Python's exceptions |
//! | `growth.rs` | a growth rule that is a Python function |
//! | `keep.rs` | the best weights, and run folders |
//! | `layers.rs` | a model from a list of layers |
//! | `predictor.rs` | a trained network |
//! | `trainer.rs` | a training |
//! | `weights.rs` | layers as arrays of compressed sparse rows, in both directions |
//!
//! The other half, in `python/rootlet`, checks what users give and has the estimators.

mod arrays;
mod bridge;
mod config;
mod dataset;
mod errors;
mod growth;
mod keep;
mod layers;
mod predictor;
mod trainer;
mod weights;

use pyo3::prelude::*;

/// The names of the adapters that a training can run on, besides `cpu`.
#[pyfunction]
fn adapters(py: Python<'_>) -> Vec<String> {
    let names = || {
        rootlet::low_level::engine::adapter::list()
            .into_iter()
            .map(|one| one.name)
    };
    py.detach(|| names().collect())
}

/// The names of the built-in methods.
#[pyfunction]
fn methods() -> Vec<&'static str> {
    rootlet::low_level::topology::MethodName::NAMES.to_vec()
}

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    rootlet::error::name_options(errors::option_name);
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<trainer::Trainer>()?;
    module.add_class::<predictor::Predictor>()?;
    module.add_function(wrap_pyfunction!(adapters, module)?)?;
    module.add_function(wrap_pyfunction!(methods, module)?)
}
