//! The parameters that a batch norm's forward kernels share.

use super::batch_norm::BatchNormPass;
use super::batch_norm_views::BatchNormForwardViews;
use super::shared::{EPSILON, MOMENTUM, first};
use crate::error::Result;
use crate::layer::parameters::LayerParameters;

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

impl BatchNormPass {
    /// The parameters of the forward kernels.
    pub(super) fn params(
        &self,
        parameters: &LayerParameters,
        views: &BatchNormForwardViews,
        update_running: bool,
    ) -> Result<NormParams> {
        Ok(NormParams {
            add: u32::from(views.residual.is_some()),
            ..self.statistics_params(parameters, update_running)?
        })
    }

    /// The parameters of kernels that only compute statistics.
    pub(super) fn statistics_params(
        &self,
        parameters: &LayerParameters,
        update_running: bool,
    ) -> Result<NormParams> {
        Ok(NormParams {
            channels: self.channels as u32,
            positions: self.positions as u32,
            vectors: (self.lanes / 4) as u32,
            weight: first(parameters, "weight")?,
            bias: first(parameters, "bias")?,
            mean: first(parameters, "running_mean")?,
            variance: first(parameters, "running_variance")?,
            epsilon: EPSILON,
            momentum: MOMENTUM,
            update: u32::from(update_running),
            relu: u32::from(self.relu),
            add: 0,
        })
    }
}
