//! Sizes of a layer's connections, as the manifest stores them.

use super::checked::Checked;
use crate::sparse::LayerState;
use serde::{Deserialize, Serialize};

/// A layer's sizes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerShape {
    /// Input units.
    pub n_in: usize,
    /// Output units.
    pub n_out: usize,
    /// Active connections.
    pub active: usize,
}

impl LayerShape {
    /// The sizes of a layer.
    pub(super) fn of(layer: &LayerState) -> Self {
        Self {
            n_in: layer.n_in,
            n_out: layer.n_out,
            active: layer.col_indices.len(),
        }
    }

    /// Bytes of the layer's tensors, if the optimiser keeps `state` bytes for each number; or what makes the sizes
    /// impossible.
    pub(super) fn bytes(&self, l: usize, state: u64) -> Checked<u64> {
        let Self {
            n_in,
            n_out,
            active,
        } = *self;
        if n_in > MAX_INDEX || n_out >= MAX_INDEX || active > MAX_INDEX {
            return Err(format!(
                "layer {l} ({n_in} inputs, {n_out} outputs, {active} connections) passes the {MAX_INDEX} that 32-bit \
                 indices reach"
            ));
        }
        // Each is below 2^31, as just checked, so the products fit.
        if active as u64 > n_in as u64 * n_out as u64 {
            return Err(format!(
                "layer {l} has {active} connections, more than {n_in} inputs and {n_out} outputs allow"
            ));
        }
        let (rows, active) = (n_out as u64, active as u64);
        // The limits on file sizes keep a state's bytes small, so no sum overflows.
        Ok((4 + state) * rows + 4 * (rows + 1) + (8 + state) * active)
    }
}

/// Tensors are indexed by signed 32-bit integers, as in PyTorch and SciPy.
pub(super) const MAX_INDEX: usize = i32::MAX as usize;
