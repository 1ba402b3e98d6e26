//! What both norms share: their constants, their parameters, the check of their views.

use crate::engine::View;
use crate::error::{Error, Misfit, Result};
use crate::layer::parameter_state::Parameter;
use crate::layer::parameters::LayerParameters;

/// Added to a variance before taking its root.
pub const EPSILON: f32 = 1e-5;

/// Share of the running statistics that each batch replaces.
pub const MOMENTUM: f32 = 0.1;

/// How a batch norm's backward kernels know what the ReLU after it let through.
pub(super) mod mask {
    pub const NONE: u32 = 0;
    /// The sign of the normalised input.
    pub const INPUT: u32 = 1;
    /// The sign of the activation.
    pub const ACTIVATION: u32 = 2;
}

/// Refuses a view of fewer than `words` words.
pub(super) fn holds(what: &str, view: &View, words: usize) -> Result<()> {
    if view.words() >= words {
        return Ok(());
    }
    Err(Error::Shape(Misfit::Words {
        what: format!("the {what} of a norm, buffer `{}`,", view.buffer.label()),
        found: view.words(),
        needed: words,
    }))
}

/// The trained parameters of both norms: a scale and a shift per channel, initially the identity.
pub(super) fn scale_and_shift(channels: usize) -> Vec<Parameter> {
    vec![
        Parameter::trained("weight", channels, 1.0),
        Parameter::trained("bias", channels, 0.0),
    ]
}

crate::uniform! {
    /// What a batch norm's forward kernels know of it: its sizes, and where its parameters are. It comes first in their
    /// parameters and has 48 bytes, because a struct in a uniform begins and ends at multiples of 16.
    #[doc(hidden)]
    pub struct NormParams {
        /// Channels.
        channels: u32,
        /// Positions of a channel's plane.
        positions: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Start of the channels' weights.
        weight: u32,
        /// Start of their biases.
        bias: u32,
        /// Start of their running means.
        mean: u32,
        /// Start of their running variances.
        variance: u32,
        /// Added to the variance.
        epsilon: f32,
        /// Share of the running statistics that the batch replaces.
        momentum: f32,
        /// 1: update the running statistics.
        update: u32,
        /// 1: negative results become zero.
        relu: u32,
        /// 1: add `residual`.
        add: u32,
    }
}

/// The start of an array, for a kernel's parameters.
pub(super) fn first(parameters: &LayerParameters, name: &str) -> Result<u32> {
    Ok(parameters.first(name)? as u32)
}

/// Behind a batch's statistics in `saved`, the weights and biases that start there in `values`.
pub(super) fn keep_parameters(
    saved: &mut [f32],
    values: &[f32],
    channels: u32,
    [weight, bias]: [u32; 2],
) {
    let channels = channels as usize;
    for (row, first) in [(2, weight), (3, bias)] {
        saved[row * channels..][..channels].copy_from_slice(&values[first as usize..][..channels]);
    }
}
