//! A trained network.

use std::path::PathBuf;
use std::sync::Mutex;

use numpy::{IntoPyArray, PyArray2, PyArrayMethods, PyUntypedArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};
use rootlet::checkpoint::{self, Checkpoint};
use rootlet::data::table::Rule;
use rootlet::data::{DataRecord, Task};
use rootlet::low_level::explain::{Explainer, Smoothing, column_strengths, input_strengths};
use rootlet::train::{Predictions, TrainConfig};

use crate::arrays::{Samples, Scaling, Table};
use crate::bridge::locked;
use crate::errors::raised;
use crate::keep::LAYERS;
use crate::{config, layers, weights};

/// A trained network: what it predicts, and its weights.
#[pyclass(frozen, module = "rootlet._native")]
pub struct Predictor {
    /// One caller at a time: a prediction uses the network's memory.
    inner: Mutex<rootlet::train::Predictor>,
    checkpoint: Checkpoint,
    data: DataRecord,
    names: Vec<String>,
    /// The layers of a program's own model.
    layers: Option<String>,
    /// The adapter and its threads.
    device: (String, usize),
    /// The same network for gradients, once they have been asked for.
    explainer: Mutex<Option<Explainer>>,
}

impl Predictor {
    /// The network of a checkpoint, with a model of its own if `layers` describe one.
    ///
    /// # Errors
    /// The checkpoint is of another model, or the device is too small.
    pub fn of(
        py: Python<'_>,
        checkpoint: Checkpoint,
        layers: Option<String>,
        adapter: &str,
        threads: usize,
    ) -> PyResult<Self> {
        let Some(data) = checkpoint.snapshot.data.clone() else {
            return Err(PyValueError::new_err(format!(
                "checkpoint {}: it is of an older rootlet and does not tell of its data",
                checkpoint.path.display()
            )));
        };
        let outputs = checkpoint.snapshot.state.layers.last();
        let outputs = outputs.map_or(0, |layer| layer.n_out);
        let text = &checkpoint.manifest.config;
        let own = TrainConfig::from_toml(text, &checkpoint.path).map_err(raised)?;
        let model = match &layers {
            Some(list) => layers::model(list, data.shape, outputs)?,
            None => own.build_model(data.shape, outputs).map_err(raised)?,
        };
        let names = weights::names(&model);
        let inner = py.detach(|| {
            let device = config::device(adapter, threads)?;
            rootlet::train::Predictor::new(device, &checkpoint, &data, &model).map_err(raised)
        })?;
        Ok(Predictor {
            inner: Mutex::new(inner),
            checkpoint,
            data,
            names,
            layers,
            device: (adapter.to_owned(), threads),
            explainer: Mutex::new(None),
        })
    }

    /// The same network for gradients.
    fn new_explainer(&self) -> PyResult<Explainer> {
        let (checkpoint, data) = (&self.checkpoint, &self.data);
        let outputs = locked(&self.inner).outputs();
        let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path);
        let model = match &self.layers {
            Some(list) => layers::model(list, data.shape, outputs)?,
            None => (config.map_err(raised)?)
                .build_model(data.shape, outputs)
                .map_err(raised)?,
        };
        let device = config::device(&self.device.0, self.device.1)?;
        Explainer::new(device, checkpoint, data, &model).map_err(raised)
    }

    /// The samples of an array as the network takes them.
    fn samples(&self, py: Python<'_>, inputs: &Bound<'_, PyUntypedArray>) -> PyResult<Samples> {
        let table = Table::new(inputs, self.data.preprocessing.is_none())?;
        let expected = match &self.data.preprocessing {
            Some(rules) => rules.columns.len(),
            None => self.data.shape.features(),
        };
        if table.columns != expected {
            return Err(PyValueError::new_err(format!(
                "samples have {} features, and the network takes {expected}",
                table.columns
            )));
        }
        if let Some((sample, feature)) = py.detach(|| table.not_finite()) {
            return Err(PyValueError::new_err(format!(
                "sample {sample} (counted from 0): feature {feature} is NaN or infinite"
            )));
        }
        Ok(Samples::to_predict(table, self.scaling()?))
    }

    /// The scaling of the features, if the network was trained on rows of numbers alone.
    fn scaling(&self) -> PyResult<Option<Scaling>> {
        let Some(rules) = &self.data.preprocessing else {
            return Ok(None);
        };
        let of = |rule: &Rule| match rule {
            Rule::Number {
                mean,
                deviation,
                fill: None,
                missing_input: false,
            } => Some((*mean, *deviation)),
            _ => None,
        };
        let all: Option<Vec<_>> = rules
            .columns
            .iter()
            .map(|column| of(&column.rule))
            .collect();
        all.map(|all| Some(Scaling(all))).ok_or_else(|| {
            PyValueError::new_err(
                "the network was trained on a table with texts or missing values; give its rows as a file, \
                 predict_file()",
            )
        })
    }

    fn array<'py>(
        &self,
        py: Python<'py>,
        told: Predictions,
        probabilities: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let rows = told.len();
        let outputs = match rows {
            0 => locked(&self.inner).outputs(),
            _ => told.values().len() / rows,
        };
        let values = match probabilities && self.task() != "regression" {
            true => told.probabilities(),
            false => told.values().to_vec(),
        };
        values.into_pyarray(py).reshape([rows, outputs])
    }
}

#[pymethods]
impl Predictor {
    /// Loads a run or a checkpoint.
    #[staticmethod]
    #[pyo3(signature = (path, layers = None, adapter = "cpu", threads = 0))]
    fn load(
        py: Python<'_>,
        path: PathBuf,
        layers: Option<String>,
        adapter: &str,
        threads: usize,
    ) -> PyResult<Self> {
        let loaded = py.detach(|| checkpoint::load_which(&path, None));
        let (checkpoint, _) = loaded.map_err(raised)?;
        // A checkpoint is two folders below its run.
        let mut folders = checkpoint
            .path
            .ancestors()
            .take(3)
            .map(|folder| folder.join(LAYERS));
        let file = folders.find(|file| file.is_file());
        let layers = match (layers, file) {
            (None, Some(file)) => Some(std::fs::read_to_string(file)?),
            (given, _) => given,
        };
        Self::of(py, checkpoint, layers, adapter, threads)
    }

    /// The network of a checkpoint that `to_bytes` made.
    #[staticmethod]
    fn from_bytes(
        py: Python<'_>,
        model: &[u8],
        manifest: &[u8],
        layers: Option<String>,
        adapter: &str,
        threads: usize,
    ) -> PyResult<Self> {
        let checkpoint = checkpoint::from_bytes([model, manifest]).map_err(raised)?;
        Self::of(py, checkpoint, layers, adapter, threads)
    }

    /// The checkpoint as bytes: tensors, manifest, and the layers of a program's own model.
    fn to_bytes<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyBytes>, Bound<'py, PyBytes>, Option<&str>)> {
        let Checkpoint {
            snapshot, manifest, ..
        } = &self.checkpoint;
        let bytes = py.detach(|| checkpoint::to_bytes(snapshot, &manifest.config));
        let [model, manifest] = bytes.map_err(raised)?;
        let layers = self.layers.as_deref();
        Ok((
            PyBytes::new(py, &model),
            PyBytes::new(py, &manifest),
            layers,
        ))
    }

    /// Saves it as the checkpoint of a run folder.
    fn save(&self, py: Python<'_>, run: PathBuf) -> PyResult<PathBuf> {
        let config = &self.checkpoint.manifest.config;
        crate::keep::begin(&run, config, self.layers.as_deref(), false).map_err(raised)?;
        let saved = py.detach(|| checkpoint::save(&run, &self.checkpoint.snapshot, config));
        saved.map_err(raised)
    }

    /// The outputs for samples, `[sample][output]`: probabilities, logits or values in their own unit.
    fn outputs<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyUntypedArray>,
        probabilities: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let samples = self.samples(py, inputs)?.into();
        let told = py.detach(|| locked(&self.inner).predict_all(&samples));
        self.array(py, told.map_err(raised)?, probabilities)
    }

    /// The same for the rows of a file.
    fn outputs_of_file<'py>(
        &self,
        py: Python<'py>,
        path: PathBuf,
        probabilities: bool,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let told = py.detach(|| locked(&self.inner).predict_file(&path));
        self.array(py, told.map_err(raised)?, probabilities)
    }

    /// The gradient of an output by each feature, `[sample][feature]`; without `output` of each sample's largest one. With
    /// `copies` it is a mean over noisy copies of the sample.
    #[pyo3(signature = (inputs, output, copies, noise, seed))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        inputs: &Bound<'py, PyUntypedArray>,
        output: Option<usize>,
        copies: usize,
        noise: f32,
        seed: u32,
    ) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let samples = self.samples(py, inputs)?;
        let (rows, columns) = (samples.table.rows, samples.table.columns);
        let scaling = samples.scaling.clone();
        let smoothing = (copies > 0).then_some(Smoothing {
            copies,
            noise,
            seed,
        });
        let told = py.detach(|| {
            let mut explainer = locked(&self.explainer);
            let explainer = match &mut *explainer {
                Some(made) => made,
                none => none.insert(self.new_explainer()?),
            };
            (explainer.explain(&samples.into(), output, smoothing)).map_err(raised)
        })?;
        let mut gradients = Vec::with_capacity(rows * columns);
        for mut own in told {
            if let Some(Scaling(of_features)) = &scaling {
                for (g, (_, deviation)) in own.gradient.iter_mut().zip(of_features) {
                    *g = (f64::from(*g) / deviation) as f32;
                }
            }
            gradients.extend(own.gradient);
        }
        gradients.into_pyarray(py).reshape([rows, columns])
    }

    /// For each feature, the sum of |w| over its connections in the first layer.
    fn strengths(&self) -> PyResult<Vec<f64>> {
        if let Some(rules) = &self.data.preprocessing {
            let columns = column_strengths(&self.checkpoint, rules).map_err(raised)?;
            return Ok(columns.iter().map(|column| column.all.strength).collect());
        }
        let state = &self.checkpoint.snapshot.state;
        let averaged = state.averaged();
        let first = averaged.as_ref().unwrap_or(state).layers.first();
        match first.filter(|layer| layer.n_in == self.data.shape.features()) {
            Some(layer) => Ok(input_strengths(layer).iter().map(|own| own.strength).collect()),
            None => Err(PyValueError::new_err(
                "the first layer is a convolution or sees patches, and so has no connections of a single feature",
            )),
        }
    }

    /// The sparse layers, first to last.
    fn layers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let state = &self.checkpoint.snapshot.state;
        let state = state.averaged();
        let layers = state.as_ref().unwrap_or(&self.checkpoint.snapshot.state);
        weights::layers(py, &self.names, layers.layers.clone())
    }

    /// What it predicts: classification, multi-label or regression.
    #[getter]
    fn task(&self) -> &'static str {
        Task::name(locked(&self.inner).task())
    }

    /// The names of the outputs.
    #[getter]
    fn output_names(&self) -> Vec<String> {
        locked(&self.inner).output_names().to_vec()
    }

    /// The names of the features; empty for images.
    #[getter]
    fn feature_names(&self) -> Vec<String> {
        let rules = self.data.preprocessing.iter();
        (rules.flat_map(|rules| &rules.columns))
            .map(|column| column.name.clone())
            .collect()
    }

    /// Channels, rows and columns of a sample.
    #[getter]
    fn shape(&self) -> (usize, usize, usize) {
        let shape = self.data.shape;
        (shape.channels, shape.height, shape.width)
    }

    /// The configuration as the text of a config.toml.
    #[getter]
    fn config(&self) -> &str {
        &self.checkpoint.manifest.config
    }

    /// Optimiser steps that were trained.
    #[getter]
    fn step(&self) -> u64 {
        self.checkpoint.snapshot.progress.step
    }
}
