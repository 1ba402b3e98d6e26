//! A model from a list of layers, which comes as JSON.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rootlet::data::ImageShape;
use rootlet::layer::Sparse;
use rootlet::model::{Builder, Model, Value};
use rootlet::{Error, Result};
use serde::Deserialize;

/// A layer of the list.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "layer", rename_all = "snake_case", deny_unknown_fields)]
enum Described {
    Linear {
        /// None: one for each output.
        units: Option<usize>,
        bias: bool,
        relu: bool,
    },
    Conv {
        channels: usize,
        kernel: usize,
        stride: usize,
        padding: usize,
    },
    BatchNorm {
        relu: bool,
    },
    LayerNorm {},
    Relu {},
    Gelu {},
    Dropout {
        share: f32,
    },
    MaxPool {
        size: usize,
        stride: usize,
        padding: usize,
    },
    AveragePool {
        size: usize,
        stride: usize,
        padding: usize,
    },
    Mean {},
    Flatten {},
    Residual {
        layers: Vec<Described>,
    },
}

/// The model that the list describes.
///
/// # Errors
/// The list is not one of layers, or a layer does not fit the ones before it.
pub fn model(list: &str, shape: ImageShape, outputs: usize) -> PyResult<Model> {
    let layers: Vec<Described> =
        serde_json::from_str(list).map_err(|error| PyValueError::new_err(error.to_string()))?;
    let mut net = Network {
        builder: Builder::new("layers", shape.extent()),
        outputs,
        named: 0,
    };
    let input = net.builder.input();
    net.chain(input, &layers)
        .and_then(|logits| net.builder.finish(logits))
        .and_then(|model| match model.classes() == outputs {
            true => Ok(model),
            false => Err(Error::Model {
                model: model.name().to_owned(),
                why: format!(
                    "ends with {} units, and the targets have {outputs}; let Linear() be the last layer",
                    model.classes()
                ),
            }),
        })
        .map_err(crate::errors::raised)
}

struct Network {
    builder: Builder,
    outputs: usize,
    /// Layers with parameters so far, for their names.
    named: usize,
}

impl Network {
    fn chain(&mut self, first: Value, layers: &[Described]) -> Result<Value> {
        layers.iter().try_fold(first, |x, layer| self.add(x, layer))
    }

    fn name(&mut self, kind: &str) -> String {
        self.named += 1;
        format!("{kind}{}", self.named - 1)
    }

    fn add(&mut self, x: Value, layer: &Described) -> Result<Value> {
        Ok(match layer {
            &Described::Linear { units, bias, relu } => {
                let units = units.unwrap_or(self.outputs);
                let name = self.name("linear");
                let sparse = match bias {
                    true => Sparse {
                        relu,
                        ..Sparse::linear(units)
                    },
                    false => Sparse::convolution(units, 1, 1, 0),
                };
                let y = self.builder.layer(&name, sparse, &[x])?;
                match relu && !bias {
                    true => self.builder.relu(y),
                    false => y,
                }
            }
            &Described::Conv {
                channels,
                kernel,
                stride,
                padding,
            } => {
                let name = self.name("conv");
                (self.builder).conv(&name, x, channels, kernel, stride, padding)?
            }
            &Described::BatchNorm { relu } => {
                let name = self.name("batch_norm");
                match relu {
                    true => self.builder.batch_norm_relu(&name, x),
                    false => self.builder.batch_norm(&name, x),
                }
            }
            Described::LayerNorm {} => {
                let name = self.name("layer_norm");
                self.builder.layer_norm(&name, x)
            }
            Described::Relu {} => self.builder.relu(x),
            Described::Gelu {} => self.builder.gelu(x),
            &Described::Dropout { share } => self.builder.dropout(x, share)?,
            &Described::MaxPool {
                size,
                stride,
                padding,
            } => self.builder.max_pool(x, size, stride, padding)?,
            &Described::AveragePool {
                size,
                stride,
                padding,
            } => self.builder.average_pool(x, size, stride, padding)?,
            Described::Mean {} => self.builder.mean(x),
            Described::Flatten {} => self.builder.flatten(x),
            Described::Residual { layers } => self.residual(x, layers)?,
        })
    }

    /// The layers' value plus their input, which a shortcut without parameters makes as large.
    fn residual(&mut self, x: Value, layers: &[Described]) -> Result<Value> {
        let y = self.chain(x, layers)?;
        let (from, to) = (self.builder.extent(x), self.builder.extent(y));
        let x = match from == to {
            true => x,
            false => {
                let stride = from.height.div_ceil(to.height.max(1));
                self.builder.shortcut(x, to.channels, stride)?
            }
        };
        self.builder.add(y, x)
    }
}
