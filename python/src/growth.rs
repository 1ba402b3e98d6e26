//! A growth rule that is a Python function.

use std::sync::Arc;

use numpy::IntoPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rootlet::Result;
use rootlet::low_level::topology::{CandidateScores, Candidates, Distribution, Growth, Method};

use crate::arrays::list;
use crate::bridge::Bridge;

/// A method whose candidates a Python function scores: it takes the layer's number, the candidates' output and input
/// units and their gradients, and returns a score for each; those with the largest are grown.
pub struct PythonGrowth {
    pub function: Py<PyAny>,
    /// The function's name.
    pub name: String,
    pub distribution: Distribution,
    pub bridge: Arc<Bridge>,
}

/// How candidates are drawn.
pub fn distribution(name: &str) -> PyResult<Distribution> {
    match name {
        "uniform" => Ok(Distribution::Uniform),
        "grabo" => Ok(Distribution::GraBo),
        "graest" => Ok(Distribution::GraEst),
        other => Err(PyValueError::new_err(format!(
            "`candidates` must be uniform, grabo or graest, not {other}"
        ))),
    }
}

/// The method that owns the rule.
pub struct PythonMethod(pub Arc<PythonGrowth>);

impl Method for PythonMethod {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn growth(&self) -> Arc<dyn Growth> {
        self.0.clone()
    }
}

impl Growth for PythonGrowth {
    fn candidates(&self) -> Candidates {
        Candidates::Sampled(self.distribution)
    }

    fn rescores_on_host(&self) -> bool {
        true
    }

    fn rescore(&self, found: &mut CandidateScores<'_>) -> Result<()> {
        let function = Python::attach(|py| self.function.clone_ref(py));
        let (layer, rows, cols) = (found.layer, found.rows.to_vec(), found.cols.to_vec());
        let gradients = found.scores.to_vec();
        let scores = self.bridge.call(move |py| {
            let count = gradients.len();
            let arrays = (
                layer,
                rows.into_pyarray(py),
                cols.into_pyarray(py),
                gradients.into_pyarray(py),
            );
            let told = function.bind(py).call1(arrays)?;
            let scores: Vec<f32> = list(&told)?;
            match scores.len() == count && scores.iter().all(|score| score.is_finite()) {
                true => Ok(scores),
                false => Err(PyValueError::new_err(format!(
                    "the growth function returned {} scores for the {count} candidates of layer {layer}; it has to \
                     return one finite number for each",
                    scores.len()
                ))),
            }
        })?;
        found.scores.copy_from_slice(&scores);
        Ok(())
    }
}
