//! Layers as arrays of compressed sparse rows, in both directions.

use numpy::IntoPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use rootlet::checkpoint::LayerState;
use rootlet::model::Model;

use crate::arrays::list;

/// The layers, as dictionaries of arrays. Nothing is copied: the arrays take the vectors over.
pub fn layers<'py>(
    py: Python<'py>,
    names: &[String],
    layers: Vec<LayerState>,
) -> PyResult<Bound<'py, PyList>> {
    let all = PyList::empty(py);
    for (number, layer) in layers.into_iter().enumerate() {
        let own = PyDict::new(py);
        own.set_item("name", names.get(number).map_or("", String::as_str))?;
        own.set_item("shape", (layer.n_out, layer.n_in))?;
        own.set_item("indptr", signed(layer.crow_indices).into_pyarray(py))?;
        own.set_item("indices", signed(layer.col_indices).into_pyarray(py))?;
        own.set_item("data", layer.values.into_pyarray(py))?;
        own.set_item("bias", layer.bias.into_pyarray(py))?;
        all.append(own)?;
    }
    Ok(all)
}

/// Indices as SciPy and torch take them. They are below 2^31, as there are fewer connections than that.
fn signed(indices: Vec<u32>) -> Vec<i32> {
    // The compiler does this in place.
    indices.into_iter().map(|index| index as i32).collect()
}

/// The names of a model's sparse layers.
pub fn names(model: &Model) -> Vec<String> {
    model.sparse().into_iter().map(|layer| layer.name).collect()
}

/// The arrays of a layer.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct Arrays<'py> {
    shape: (usize, usize),
    indptr: Bound<'py, PyAny>,
    indices: Bound<'py, PyAny>,
    data: Bound<'py, PyAny>,
    bias: Option<Bound<'py, PyAny>>,
}

impl Arrays<'_> {
    /// The layer, whose optimiser has not begun.
    ///
    /// # Errors
    /// The arrays are not those of compressed sparse rows.
    pub fn layer(&self) -> PyResult<LayerState> {
        let (n_out, n_in) = self.shape;
        let unsigned = |array: &Bound<'_, PyAny>| -> PyResult<Vec<u32>> {
            let all: Vec<i64> = list(array)?;
            (all.into_iter())
                .map(|index| {
                    u32::try_from(index)
                        .map_err(|_| PyValueError::new_err(format!("{index} is not an index")))
                })
                .collect()
        };
        let layer = LayerState {
            n_in,
            n_out,
            crow_indices: unsigned(&self.indptr)?,
            col_indices: unsigned(&self.indices)?,
            values: list(&self.data)?,
            bias: match &self.bias {
                Some(bias) => list(bias)?,
                None => vec![0.0; n_out],
            },
            ..LayerState::default()
        };
        layer.check().map_err(crate::errors::raised)?;
        Ok(layer)
    }
}
