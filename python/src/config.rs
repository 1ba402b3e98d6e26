//! Options from Python.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use rootlet::engine::{Device, DeviceOptions};
use rootlet::optim::OptimiserName;
use rootlet::train::TrainConfig;

use crate::dataset::NAME;
use crate::errors::raised;

/// Options that say where data come from, which here are arrays.
const OF_FILES: [&str; 14] = [
    "data",
    "target",
    "ignore",
    "weight",
    "missing",
    "test",
    "data_dir",
    "limit",
    "image_size",
    "resize",
    "val_split",
    "skip_bad_images",
    "stream",
    "resident",
];
/// The usual learning rate of AdamW for rows of tables, as on the command line.
const RATE_OF_TABLES: f64 = 0.003;

/// The configuration that options describe: JSON with the keys of a `config.toml`.
///
/// # Errors
/// An unknown option is a `TypeError`, a value that cannot be used a `ValueError`.
pub fn config(options: &str, is_table: bool) -> PyResult<TrainConfig> {
    let given: serde_json::Map<String, serde_json::Value> =
        serde_json::from_str(options).map_err(|error| PyValueError::new_err(error.to_string()))?;
    if let Some(name) = given.keys().find(|name| OF_FILES.contains(&name.as_str())) {
        return Err(PyTypeError::new_err(format!(
            "Trainer() has no option `{name}`: its data are arrays"
        )));
    }
    let mut config: TrainConfig = serde_json::from_str(options).map_err(|error| {
        let text = error.to_string();
        // The place in the JSON text says nothing to who wrote keywords.
        let text = text.split(" at line ").next().unwrap_or_default();
        match given.keys().find(|name| text.starts_with(&format!("unknown field `{name}`"))) {
            Some(name) => PyTypeError::new_err(format!(
                "Trainer() has no option `{name}`; its options are the keys of config.toml, as `rootlet train \
                 --print-config` explains them"
            )),
            None => PyValueError::new_err(text.replace("unknown variant", "unknown name")),
        }
    })?;
    config.data.name = NAME.to_owned();
    if !given.contains_key("augment") {
        config.data.augment = "none".to_owned();
    }
    if is_table && config.optimiser.optimiser.is_none() {
        config.optimiser.optimiser = Some(OptimiserName::AdamW);
        config.optimiser.lr.get_or_insert(RATE_OF_TABLES);
    }
    config.validate().map_err(raised)?;
    Ok(config)
}

/// Opens a device.
///
/// # Errors
/// There is none of that name, or it cannot be opened.
pub fn device(adapter: &str, threads: usize) -> PyResult<Device> {
    let options = DeviceOptions {
        threads,
        ..DeviceOptions::default()
    };
    Device::open(adapter, &options).map_err(raised)
}
