//! Reads the fixtures.

use rootlet::checkpoint::NormKind;
use rootlet::data::Batch;
use rootlet::layer::ParameterState;
use rootlet::model::Model;
use rootlet::network::NetworkState;
use rootlet::optim::OptimiserState;
use rootlet::sparse::{LayerState, Shape};
use safetensors::{Dtype, SafeTensors};

use crate::norms;

pub struct Fixture(Vec<u8>);

impl Fixture {
    pub fn open(name: &str) -> Self {
        let path = format!("{}/tests/parity/{name}", env!("CARGO_MANIFEST_DIR"));
        Fixture(std::fs::read(path).unwrap())
    }

    fn words(&self, name: &str, dtype: Dtype) -> Vec<[u8; 4]> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        let tensor = tensors.tensor(name).unwrap();
        assert_eq!(tensor.dtype(), dtype, "{name}");
        tensor.data().as_chunks().0.to_vec()
    }

    pub fn reals(&self, name: &str) -> Vec<f32> {
        let words = self.words(name, Dtype::F32);
        words.into_iter().map(f32::from_le_bytes).collect()
    }

    pub fn integers(&self, name: &str) -> Vec<u32> {
        let words = self.words(name, Dtype::I32);
        words.into_iter().map(u32::from_le_bytes).collect()
    }

    pub fn has(&self, name: &str) -> bool {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        tensors.tensor(name).is_ok()
    }

    pub fn shape(&self, name: &str) -> Vec<usize> {
        let tensors = SafeTensors::deserialize(&self.0).unwrap();
        tensors.tensor(name).unwrap().shape().to_vec()
    }

    /// An activation as `[batch][units]`, units in the device's order: channels, then positions. PyTorch has an image's
    /// in that order, but of tokens the features last.
    pub fn activation(&self, name: &str) -> Vec<f32> {
        let numbers = self.reals(name);
        let [_, tokens, features] = self.shape(name)[..] else {
            return numbers;
        };
        let member = |member: &[f32]| -> Vec<f32> {
            (0..features)
                .flat_map(|f| member[f..].iter().step_by(features))
                .copied()
                .collect()
        };
        numbers.chunks(tokens * features).flat_map(member).collect()
    }

    /// The layer whose tensors start with `prefix`, with no momentum; without a bias it is zero.
    pub fn layer(&self, prefix: &str, shape: Shape) -> LayerState {
        let values = self.reals(&format!("{prefix}.values"));
        let bias = format!("{prefix}.bias");
        LayerState {
            n_in: shape.n_in,
            n_out: shape.n_out,
            crow_indices: self.integers(&format!("{prefix}.crow_indices")),
            col_indices: self.integers(&format!("{prefix}.col_indices")),
            state: OptimiserState::default(),
            values,
            bias: match self.has(&bias) {
                true => self.reals(&bias),
                false => vec![0.0; shape.n_out],
            },
            bias_state: OptimiserState::default(),
        }
    }

    /// The norm whose tensors start with `prefix`, with no momentum.
    pub fn norm(&self, prefix: &str, kind: NormKind) -> ParameterState {
        let reals = |name: &str| self.reals(&format!("{prefix}.{name}"));
        let mut state = norms::norm(kind, reals("weight").len());
        for array in &mut state.arrays {
            array.values = reals(&array.name);
        }
        state
    }

    /// The layers between `sizes`.
    pub fn layers(&self, sizes: &[usize]) -> Vec<LayerState> {
        (sizes.windows(2).enumerate())
            .map(|(l, n)| {
                let shape = Shape {
                    n_in: n[0],
                    n_out: n[1],
                };
                self.layer(&format!("layers.{l}"), shape)
            })
            .collect()
    }

    /// The state of `model`.
    pub fn state(&self, model: &Model) -> NetworkState {
        let layers = model.sparse().into_iter().enumerate();
        let kinds = model.parameters().into_iter().map(|(kind, _)| match kind {
            "batch-norm" => NormKind::Batch,
            _ => NormKind::Layer,
        });
        NetworkState {
            layers: layers
                .map(|(l, node)| {
                    let prefix = format!("layers.{l}");
                    assert_eq!(self.has(&format!("{prefix}.bias")), node.bias, "{prefix}");
                    self.layer(&prefix, node.shape)
                })
                .collect(),
            parameters: (kinds.enumerate())
                .map(|(i, kind)| self.norm(&format!("norms.{i}"), kind))
                .collect(),
            ..NetworkState::default()
        }
    }

    /// A tensor of all layers, one after the other.
    pub fn of_layers(&self, prefix: &str, layers: usize, name: &str) -> Vec<f32> {
        (0..layers)
            .flat_map(|l| self.reals(&format!("{prefix}layers.{l}.{name}")))
            .collect()
    }

    /// Inputs and labels as the network takes them, in rows of `lanes`.
    pub fn batch(&self, prefix: &str, lanes: usize) -> Batch {
        self.parts(prefix, lanes, lanes).remove(0)
    }

    /// A batch in parts of at most `most` samples.
    pub fn parts(&self, prefix: &str, most: usize, lanes: usize) -> Vec<Batch> {
        let labels = self.integers(&format!("{prefix}labels"));
        let inputs = self.reals(&format!("{prefix}x"));
        let size = inputs.len() / labels.len();
        (inputs.chunks(most * size).zip(labels.chunks(most)).zip(0..))
            .map(|((inputs, labels), index)| {
                let count = labels.len();
                let mut labels = labels.to_vec();
                labels.resize(lanes, 0);
                Batch {
                    inputs: in_lanes(inputs, count, lanes),
                    targets: labels.into(),
                    count,
                    weights: Vec::new(),
                    index,
                }
            })
            .collect()
    }
}

/// From PyTorch's `[count][units]` to the device's `[units][lanes]`; padding lanes are zero.
pub fn in_lanes(members: &[f32], count: usize, lanes: usize) -> Vec<f32> {
    let units = members.len() / count;
    let mut values = vec![0.0; units * lanes];
    for (i, member) in members.chunks(units).enumerate() {
        for (u, &value) in member.iter().enumerate() {
            values[u * lanes + i] = value;
        }
    }
    values
}

/// The way back, without the padding.
pub fn members(values: &[f32], count: usize, lanes: usize) -> Vec<f32> {
    let units = values.len() / lanes;
    (0..count)
        .flat_map(|i| (0..units).map(move |u| values[u * lanes + i]))
        .collect()
}
