//! Reads the fixtures.

use rootlet::data::Batch;
use rootlet::sparse::LayerState;
use safetensors::{Dtype, SafeTensors};

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

    /// The layers between `sizes`, with no momentum.
    pub fn layers(&self, sizes: &[usize]) -> Vec<LayerState> {
        (sizes.windows(2).enumerate())
            .map(|(l, n)| {
                let values = self.reals(&format!("layers.{l}.values"));
                LayerState {
                    n_in: n[0],
                    n_out: n[1],
                    crow_indices: self.integers(&format!("layers.{l}.crow_indices")),
                    col_indices: self.integers(&format!("layers.{l}.col_indices")),
                    momentum: vec![0.0; values.len()],
                    values,
                    bias: self.reals(&format!("layers.{l}.bias")),
                    bias_momentum: vec![0.0; n[1]],
                }
            })
            .collect()
    }

    /// A tensor of all layers, one after the other.
    pub fn of_layers(&self, prefix: &str, layers: usize, name: &str) -> Vec<f32> {
        (0..layers)
            .flat_map(|l| self.reals(&format!("{prefix}layers.{l}.{name}")))
            .collect()
    }

    /// Inputs and labels as the network takes them, in rows of `stride` lanes.
    pub fn batch(&self, prefix: &str, stride: usize) -> Batch {
        let mut labels = self.integers(&format!("{prefix}labels"));
        let count = labels.len();
        labels.resize(stride, 0);
        Batch {
            inputs: lanes(&self.reals(&format!("{prefix}x")), count, stride),
            labels,
            count,
            index: 0,
        }
    }
}

/// From PyTorch's `[count][units]` to the device's `[units][stride]`; padding lanes are zero.
pub fn lanes(members: &[f32], count: usize, stride: usize) -> Vec<f32> {
    let units = members.len() / count;
    let mut lanes = vec![0.0; units * stride];
    for (i, member) in members.chunks(units).enumerate() {
        for (u, &value) in member.iter().enumerate() {
            lanes[u * stride + i] = value;
        }
    }
    lanes
}

/// The way back, without the padding.
pub fn members(lanes: &[f32], count: usize, stride: usize) -> Vec<f32> {
    let units = lanes.len() / stride;
    (0..count)
        .flat_map(|i| (0..units).map(move |u| lanes[u * stride + i]))
        .collect()
}
