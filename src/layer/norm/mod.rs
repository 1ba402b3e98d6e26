//! Normalisation: batch norm and layer norm, forward and backward, and their parameters.
//!
//! | | forward | backward |
//! |---|---|---|
//! | [`BatchNormPass`] | [`BatchNormStatistics`] of tiles, [`BatchNormMerge`] (in an evaluation [`BatchNormRunning`]), [`BatchNormApply`] | [`BatchNormSums`] of tiles, [`BatchNormGradients`], [`BatchNormBackward`] |
//! | [`LayerNormPass`] | [`LayerNormForward`] | [`LayerNormGradients`], [`LayerNormBackward`] |
//!
//! What a batch norm adds up over a channel is added up over tiles of its plane first, since a few channels alone would
//! leave a GPU idle, and then over the tiles, in order. Both norms write zero to an output's padding lanes: what lies in their
//! input there could grow from layer to layer until it is no number.

mod batch_norm;
mod batch_norm_apply;
mod batch_norm_backward;
mod batch_norm_gradients;
mod batch_norm_layer;
mod batch_norm_merge;
mod batch_norm_running;
mod batch_norm_statistics;
mod batch_norm_sums;
mod lanes;
mod layer_norm;
mod layer_norm_backward;
mod layer_norm_forward;
mod layer_norm_gradients;

pub use batch_norm::{BatchNormBackwardViews, BatchNormForwardViews, BatchNormPass, NormScratch};
pub use batch_norm_apply::{BatchNormApply, BatchNormApplyParams};
pub use batch_norm_backward::{BatchNormBackward, BatchNormBackwardParams};
pub use batch_norm_gradients::{BatchNormGradients, BatchNormGradientsParams};
pub use batch_norm_layer::BatchNorm;
pub use batch_norm_merge::{BatchNormMerge, BatchNormMergeParams};
pub use batch_norm_running::{BatchNormRunning, BatchNormRunningParams};
pub use batch_norm_statistics::{BatchNormStatistics, BatchNormStatisticsParams};
pub use batch_norm_sums::{BatchNormSums, BatchNormSumsParams};
pub use layer_norm::{LayerNorm, LayerNormBackwardViews, LayerNormPass};
pub use layer_norm_backward::{LayerNormBackward, LayerNormBackwardParams};
pub use layer_norm_forward::{LayerNormForward, LayerNormForwardParams};
pub use layer_norm_gradients::{LayerNormGradients, LayerNormGradientsParams};

use crate::engine::{Kernel, KernelInfo, View};
use crate::error::{Error, Result};
use crate::layer::parameters::{LayerParameters, Parameter};

/// Added to a variance before its root is taken.
pub const EPSILON: f32 = 1e-5;

/// Share of the running statistics that each batch replaces.
pub const MOMENTUM: f32 = 0.1;

/// How a batch norm's backward kernels know what the ReLU behind it let through.
mod mask {
    pub const NONE: u32 = 0;
    /// The sign of the normalised input.
    pub const INPUT: u32 = 1;
    /// The sign of the activation.
    pub const ACTIVATION: u32 = 2;
}

/// The kernel pairs of this module.
pub fn kernels() -> Vec<&'static KernelInfo> {
    vec![
        BatchNormStatistics::INFO,
        BatchNormMerge::INFO,
        BatchNormRunning::INFO,
        BatchNormApply::INFO,
        BatchNormSums::INFO,
        BatchNormGradients::INFO,
        BatchNormBackward::INFO,
        LayerNormForward::INFO,
        LayerNormBackward::INFO,
        LayerNormGradients::INFO,
    ]
}

/// Refuses a view of fewer than `words` words.
fn holds(what: &str, view: &View, words: usize) -> Result<()> {
    if view.words() >= words {
        return Ok(());
    }
    Err(Error::Shape(format!(
        "the {what} of a norm needs {words} words, buffer `{}` offers {}",
        view.buffer.label(),
        view.words()
    )))
}

/// What both norms train: a scale and a shift a channel, at first the identity.
fn scale_and_shift(channels: usize) -> Vec<Parameter> {
    vec![
        Parameter::trained("weight", channels, 1.0),
        Parameter::trained("bias", channels, 0.0),
    ]
}

/// Where an array begins, for a kernel's parameters.
fn first(parameters: &LayerParameters, name: &str) -> Result<u32> {
    Ok(parameters.first(name)? as u32)
}
