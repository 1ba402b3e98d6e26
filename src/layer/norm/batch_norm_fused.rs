//! Batch norm in few dispatches, for adapters on which a dispatch costs more than work that is done twice.

use super::batch_norm::{BatchNormPass, NormScratch};
use super::batch_norm_merge_apply::{BatchNormMergeApply, BatchNormMergeApplyParams};
use super::batch_norm_merge_backward::{BatchNormMergeBackward, BatchNormMergeBackwardParams};
use super::batch_norm_merge_counted::{BatchNormMergeCounted, BatchNormMergeCountedParams};
use super::batch_norm_views::{BatchNormBackwardViews, BatchNormForwardViews};
use super::batch_norm_whole::{BatchNormWhole, BatchNormWholeParams};
use super::batch_norm_whole_backward::{BatchNormWholeBackward, BatchNormWholeBackwardParams};
use super::shared::first;
use crate::engine::{Grid, Plan, View};
use crate::error::Result;
use crate::layer::parameters::LayerParameters;
use crate::sparse::{STATISTICS, SUMS};

/// Number of words in the largest planes that one workgroup takes whole: 128 KiB, which the nearest caches hold. By a
/// count of loads in flight, reading it a second and third time then takes about as long as the saved dispatches.
const WHOLE: usize = 32 * 1024;

/// The sums that a backward pass needs.
struct Sums<'a> {
    /// `[channels][tiles][2]`.
    parts: &'a View,
    tiles: usize,
    /// Words of another buffer, bound in place of a missing residual.
    spare: &'a View,
}

impl BatchNormPass {
    /// Whether one workgroup takes a channel's whole plane.
    pub(super) fn takes_planes_whole(&self) -> bool {
        self.positions * self.lanes <= WHOLE
    }

    /// The output of a training step, with its statistics in `parts` unless planes are [taken
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
        if !self.takes_planes_whole() {
            let sums = self.sum_tiles();
            let parts = (parts, [sums.tile, sums.tiles]);
            return self.merge_apply(plan, parameters, parts, step, views, update_running);
        }
        let kernel = BatchNormWhole {
            params: BatchNormWholeParams {
                norm: self.params(parameters, &views, update_running)?,
            },
            step: step.clone(),
            residual: views.residual.unwrap_or_else(|| views.input.clone()),
            input: views.input,
            values: parameters.values.clone(),
            running: parameters.running(),
            saved: views.saved,
            output: views.output,
        };
        plan.dispatch(kernel, Grid::Groups(self.channels))
    }

    /// The output of a training step, from the statistics that [`ConvStatistics`](crate::sparse::ConvStatistics) left.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward_from(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        statistics: &View,
        step: &View,
        views: BatchNormForwardViews,
        update_running: bool,
    ) -> Result<()> {
        self.check_forward(&views)?;
        let parts = statistics.words() / (STATISTICS * self.channels);
        self.merge_apply(
            plan,
            parameters,
            (statistics, [0, parts]),
            step,
            views,
            update_running,
        )
    }

    /// Only the statistics of a training step, from those that the convolution before it left: its output is not
    /// written.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn statistics_from(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        statistics: View,
        saved: View,
        update_running: bool,
    ) -> Result<()> {
        let kernel = BatchNormMergeCounted {
            params: BatchNormMergeCountedParams {
                norm: self.statistics_params(parameters, update_running)?,
                parts: (statistics.words() / (STATISTICS * self.channels)) as u32,
            },
            parts: statistics,
            values: parameters.values.clone(),
            running: parameters.running(),
            saved,
        };
        plan.dispatch(kernel, Grid::Items(self.channels))
    }

    /// `sum_tile`: positions per tile of the statistics, and their number; 0 if they state their number of samples.
    fn merge_apply(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        (parts, [sum_tile, sum_tiles]): (&View, [usize; 2]),
        step: &View,
        views: BatchNormForwardViews,
        update_running: bool,
    ) -> Result<()> {
        let maps = self.map_tiles();
        plan.dispatch(
            BatchNormMergeApply {
                params: BatchNormMergeApplyParams {
                    norm: self.params(parameters, &views, update_running)?,
                    sum_tile: sum_tile as u32,
                    sum_tiles: sum_tiles as u32,
                    tile: maps.tile as u32,
                    tiles: maps.tiles as u32,
                },
                step: step.clone(),
                parts: parts.clone(),
                residual: views.residual.unwrap_or_else(|| views.input.clone()),
                input: views.input,
                values: parameters.values.clone(),
                running: parameters.running(),
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
        if !self.takes_planes_whole() {
            let sums = Sums {
                parts: &scratch.parts,
                tiles: self.sum_tiles().tiles,
                spare: &scratch.sums,
            };
            return self.merge_backward(plan, parameters, sums, step, views, accumulate);
        }
        let [weight, bias] = [first(parameters, "weight")?, first(parameters, "bias")?];
        let mask = self.mask(&views)?;
        let (residual, residual_mode) = residual_of(&views, &scratch.sums);
        let activation = views.activation.unwrap_or_else(|| views.input.clone());
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
        plan.dispatch(kernel, Grid::Groups(self.channels))
    }

    /// The gradients, from the sums that [`ConvBackward`](crate::sparse::ConvBackward) left.
    ///
    /// # Errors
    /// The views do not fit, or a ReLU follows a residual and there is no activation.
    pub fn backward_from(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        (parts, spare): (&View, &View),
        step: &View,
        views: BatchNormBackwardViews,
        accumulate: bool,
    ) -> Result<()> {
        self.check_backward(&views)?;
        let sums = Sums {
            parts,
            tiles: parts.words() / (SUMS * self.channels),
            spare,
        };
        self.merge_backward(plan, parameters, sums, step, views, accumulate)
    }

    fn merge_backward(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        sums: Sums<'_>,
        step: &View,
        views: BatchNormBackwardViews,
        accumulate: bool,
    ) -> Result<()> {
        let maps = self.map_tiles();
        let mask = self.mask(&views)?;
        let (residual, residual_mode) = residual_of(&views, sums.spare);
        plan.dispatch(
            BatchNormMergeBackward {
                params: BatchNormMergeBackwardParams {
                    channels: self.channels as u32,
                    positions: self.positions as u32,
                    vectors: (self.lanes / 4) as u32,
                    sum_tiles: sums.tiles as u32,
                    tile: maps.tile as u32,
                    tiles: maps.tiles as u32,
                    weight: first(parameters, "weight")?,
                    bias: first(parameters, "bias")?,
                    mask,
                    residual_mode,
                    accumulate: u32::from(accumulate),
                },
                step: step.clone(),
                parts: sums.parts.clone(),
                activation: views.activation.unwrap_or_else(|| views.input.clone()),
                input: views.input,
                delta: views.delta,
                saved: views.saved,
                gradient: parameters.gradient.clone(),
                output: views.output,
                residual,
            },
            self.grid(maps),
        )
    }
}

/// Where the gradient at a residual goes, and how: 0 nowhere, 1 written, 2 added. Every binding needs a buffer: `spare`
/// if it is not touched.
fn residual_of(views: &BatchNormBackwardViews, spare: &View) -> (View, u32) {
    match &views.residual {
        None => (spare.clone(), 0),
        Some((view, false)) => (view.clone(), 1),
        Some((view, true)) => (view.clone(), 2),
    }
}
