//! The parameters of a batch norm for its forward kernels.

use super::batch_norm::BatchNormPass;
use super::batch_norm_views::BatchNormForwardViews;
use super::shared::{EPSILON, MOMENTUM, NormParams, first};
use crate::error::Result;
use crate::layer::parameters::LayerParameters;

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
            // A part of a batch leaves its own statistics.
            momentum: match parameters.part_statistics {
                Some(_) => 1.0,
                None => MOMENTUM,
            },
            update: u32::from(update_running),
            relu: u32::from(self.relu),
            add: 0,
        })
    }
}
