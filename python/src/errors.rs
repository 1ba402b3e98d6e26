//! Errors of the library as Python's exceptions.

use std::io::ErrorKind;

use pyo3::exceptions::{
    PyFileNotFoundError, PyFloatingPointError, PyInterruptedError, PyMemoryError,
    PyNotImplementedError, PyOSError, PyPermissionError, PyRuntimeError, PyValueError,
};
use pyo3::prelude::*;
use rootlet::Error;

/// The exception for an error.
pub fn raised(error: Error) -> PyErr {
    let text = error.to_string();
    match &error {
        Error::Io { source, .. } => match source.kind() {
            ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
            ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
            _ => PyOSError::new_err(text),
        },
        Error::Data { path, .. } | Error::Checkpoint { path, .. } | Error::Run { path, .. } => {
            let is_missing = !path.as_os_str().is_empty() && !path.exists();
            match is_missing && !path.starts_with("(in memory)") {
                true => PyFileNotFoundError::new_err(text),
                false => PyValueError::new_err(text),
            }
        }
        Error::Limit { .. } | Error::Memory { .. } => PyMemoryError::new_err(text),
        Error::Diverged { .. } => PyFloatingPointError::new_err(text),
        Error::LeftOut { .. } => PyNotImplementedError::new_err(text),
        Error::Stopped => PyInterruptedError::new_err(text),
        Error::Shape(_) | Error::DamagedRow { .. } => PyValueError::new_err(text),
        Error::NoAdapter { .. } => PyValueError::new_err(text),
        other if other.is_usage() => PyValueError::new_err(text),
        _ => PyRuntimeError::new_err(text),
    }
}

/// What messages call an option: its keyword of `Trainer`, and that of the estimators if it is another.
pub fn option_name(name: &str) -> String {
    let of_estimators = match name {
        "adapter" => return "`device`".to_owned(),
        "batch" => "batch_size",
        "hidden" => "hidden_layer_sizes",
        "lr" => "learning_rate",
        "optimiser" => "optimizer",
        "seed" => "random_state",
        name => return format!("`{name}`"),
    };
    format!("`{name}` (`{of_estimators}` of an estimator)")
}
