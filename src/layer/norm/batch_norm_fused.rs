//! Batch norm in few dispatches, for adapters on which a dispatch costs more than work that is done twice.

use super::batch_norm::{BatchNormPass, NormScratch};
use super::batch_norm_merge_apply::{BatchNormMergeApply, BatchNormMergeApplyParams};
use super::batch_norm_merge_backward::{BatchNormMergeBackward, BatchNormMergeBackwardParams};
use super::batch_norm_views::{BatchNormBackwardViews, BatchNormForwardViews};
use super::batch_norm_whole::{BatchNormWhole, BatchNormWholeParams};
use super::batch_norm_whole_backward::{BatchNormWholeBackward, BatchNormWholeBackwardParams};
use super::shared::{EPSILON, MOMENTUM, first};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;
use crate::layer::parameters::LayerParameters;

/// Words of the largest planes that a workgroup each takes whole: 128 KiB, which the caches next to it hold. By a count
/// of loads under way its second and third reading of them then take about as long as the dispatches that they save.
const WHOLE: usize = 32 * 1024;

impl BatchNormPass {
    /// Whether a channel's plane is a workgroup's alone.
    pub(super) fn takes_planes_whole(&self) -> bool {
        self.positions * self.lanes <= WHOLE
    }

    /// The output of a training step, its statistics in `parts` unless planes are [taken
    /// whole](Self::takes_planes_whole).
    pub(super) fn forward_fused(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        parts: &View,
        step: &View,
        views: BatchNormForwardViews,
        update_running: bool,
    ) -> Result<()> {
        let [channels, positions, vectors] =
            [self.channels, self.positions, self.lanes / 4].map(|n| n as u32);
        let [weight, bias] = [first(parameters, "weight")?, first(parameters, "bias")?];
        let mean = first(parameters, "running_mean")?;
        let variance = first(parameters, "running_variance")?;
        let (relu, add) = (u32::from(self.relu), u32::from(views.residual.is_some()));
        let residual = views.residual.unwrap_or_else(|| views.input.clone());
        if self.takes_planes_whole() {
            let kernel = BatchNormWhole {
                params: BatchNormWholeParams {
                    channels,
                    positions,
                    vectors,
                    weight,
                    bias,
                    mean,
                    variance,
                    epsilon: EPSILON,
                    momentum: MOMENTUM,
                    update: u32::from(update_running),
                    relu,
                    add,
                },
                step: step.clone(),
                input: views.input,
                residual,
                values: parameters.values.clone(),
                running: parameters.untrained.clone(),
                saved: views.saved,
                output: views.output,
            };
            return plan.dispatch(kernel, Grid::Groups(self.channels));
        }
        let (sums, maps) = (self.sum_tiles(), self.map_tiles());
        plan.dispatch(
            BatchNormMergeApply {
                params: BatchNormMergeApplyParams {
                    channels,
                    positions,
                    vectors,
                    sum_tile: sums.tile as u32,
                    sum_tiles: sums.tiles as u32,
                    tile: maps.tile as u32,
                    tiles: maps.tiles as u32,
                    weight,
                    bias,
                    mean,
                    variance,
                    epsilon: EPSILON,
                    momentum: MOMENTUM,
                    update: u32::from(update_running),
                    relu,
                    add,
                },
                step: step.clone(),
                parts: parts.clone(),
                input: views.input,
                residual,
                values: parameters.values.clone(),
                running: parameters.untrained.clone(),
                saved: views.saved,
                output: views.output,
            },
            self.grid(maps),
        )
    }

    /// The gradients, from sums in `scratch` unless planes are [taken whole](Self::takes_planes_whole).
    pub(super) fn backward_fused(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        scratch: &NormScratch,
        step: &View,
        views: BatchNormBackwardViews,
        accumulate: bool,
    ) -> Result<()> {
        let [channels, positions, vectors] =
            [self.channels, self.positions, self.lanes / 4].map(|n| n as u32);
        let [weight, bias] = [first(parameters, "weight")?, first(parameters, "bias")?];
        let mask = self.mask(&views)?;
        let activation = views.activation.unwrap_or_else(|| views.input.clone());
        let (residual, residual_mode) = match views.residual {
            // A binding must be something; the kernels leave it alone.
            None => (scratch.sums.clone(), 0),
            Some((view, false)) => (view, 1),
            Some((view, true)) => (view, 2),
        };
        if self.takes_planes_whole() {
            let kernel = BatchNormWholeBackward {
                params: BatchNormWholeBackwardParams {
                    channels,
                    positions,
                    vectors,
                    weight,
                    bias,
                    mask,
                    residual_mode,
                    accumulate: u32::from(accumulate),
                },
                step: step.clone(),
                input: views.input,
                delta: views.delta,
                activation,
                saved: views.saved,
                gradient: parameters.gradient.clone(),
                output: views.output,
                residual,
            };
            return plan.dispatch(kernel, Grid::Groups(self.channels));
        }
        let (sums, maps) = (self.sum_tiles(), self.map_tiles());
        plan.dispatch(
            BatchNormMergeBackward {
                params: BatchNormMergeBackwardParams {
                    channels,
                    positions,
                    vectors,
                    sum_tiles: sums.tiles as u32,
                    tile: maps.tile as u32,
                    tiles: maps.tiles as u32,
                    weight,
                    bias,
                    mask,
                    residual_mode,
                    accumulate: u32::from(accumulate),
                },
                step: step.clone(),
                parts: scratch.parts.clone(),
                input: views.input,
                delta: views.delta,
                activation,
                saved: views.saved,
                gradient: parameters.gradient.clone(),
                output: views.output,
                residual,
            },
            self.grid(maps),
        )
    }
}
