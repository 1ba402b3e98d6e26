//! Weights of all pairs beside a network, for a method that repeatedly chooses the network from them.

use crate::engine::{Class, Device, View};
use crate::error::{Error, Misfit, Result};

/// Weights of all pairs, on the device.
pub(super) struct DenseWeights {
    /// By layer `[n_out][n_in]`: only the weights of a buffer, which is longer if its words are not a multiple of four.
    weights: Vec<View>,
}

impl DenseWeights {
    /// None if there are no such weights.
    pub fn new(device: &Device, weights: &[Vec<f32>]) -> Result<Option<Self>> {
        if weights.is_empty() {
            return Ok(None);
        }
        let view = |w: &Vec<f32>| -> Result<View> {
            let buffer = device.buffer_with("reserve", Class::DenseWeights, w)?;
            Ok(buffer.range(0..w.len()))
        };
        Ok(Some(DenseWeights {
            weights: weights.iter().map(view).collect::<Result<_>>()?,
        }))
    }

    pub fn set(&self, device: &Device, weights: &[Vec<f32>]) -> Result<()> {
        let sizes = self.weights.iter().map(View::words);
        if !sizes.eq(weights.iter().map(Vec::len)) {
            return Err(Error::Shape(Misfit::Unfit {
                found: "the dense weights of the state".to_owned(),
                expected: "this model: it is not one of the method topkast".to_owned(),
            }));
        }
        (self.weights.iter().zip(weights)).try_for_each(|(view, w)| device.upload(view, w))
    }

    pub fn get(&self, device: &Device) -> Result<Vec<Vec<f32>>> {
        (self.weights.iter())
            .map(|view| device.download(view))
            .collect()
    }
}
