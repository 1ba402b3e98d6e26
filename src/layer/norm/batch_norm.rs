//! Batch norm, with the optional addition of a residual and ReLU after it.

use super::batch_norm_apply::{BatchNormApply, BatchNormApplyParams};
use super::batch_norm_backward::{BatchNormBackward, BatchNormBackwardParams};
use super::batch_norm_gradients::{BatchNormGradients, BatchNormGradientsParams};
use super::batch_norm_merge::{BatchNormMerge, BatchNormMergeParams};
use super::batch_norm_running::{BatchNormRunning, BatchNormRunningParams};
use super::batch_norm_statistics::{BatchNormStatistics, BatchNormStatisticsParams};
use super::batch_norm_sums::{BatchNormSums, BatchNormSumsParams};
use super::batch_norm_views::{BatchNormBackwardViews, BatchNormForwardViews};
use super::shared::{EPSILON, first, holds, mask};
use crate::engine::{Class, Device, Grid, Plan, View};
use crate::error::{Error, Misfit, Result};
use crate::layer::parameters::LayerParameters;

/// Minimum number of words in a tile that one workgroup sums, if the plane has that many.
const SUM_TILE: usize = 4096;

/// Maximum number of such tiles in a plane: one invocation merges them.
const MOST_SUM_TILES: usize = 64;

/// Number of words in a tile of the kernels that sum nothing.
const MAP_TILE: usize = 2048;

/// A plane in tiles of whole positions.
#[derive(Clone, Copy)]
pub(super) struct Tiles {
    /// Positions per tile.
    pub tile: usize,
    /// Tiles per plane.
    pub tiles: usize,
}

/// A batch norm's passes over data of one size, for a batch of `lanes`: the statistics of each channel are over the
/// batch's samples and all positions.
#[derive(Clone, Copy, Debug)]
pub struct BatchNormPass {
    /// Its channels.
    pub channels: usize,
    /// Positions of a channel's plane.
    pub positions: usize,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
    /// Whether a ReLU follows (after the residual).
    pub relu: bool,
    /// Whether it uses as few dispatches as possible, at the cost of doing some work twice; the order of sums differs.
    pub fused: bool,
}

/// Scratch memory that batch norms need within one forward or backward pass and can share.
#[derive(Clone)]
pub struct NormScratch {
    /// [`BatchNormPass::parts_words`] of the largest norm.
    pub parts: View,
    /// [`BatchNormPass::saved_words`] of the largest norm; from another buffer than `parts`.
    pub sums: View,
}

impl NormScratch {
    /// Allocates enough for each of `norms`, which may be empty.
    ///
    /// # Errors
    /// The device refuses buffers.
    pub fn new(device: &Device, norms: &[BatchNormPass]) -> Result<Self> {
        let most = |words: fn(&BatchNormPass) -> usize| norms.iter().map(words).max().unwrap_or(0);
        let buffer = |label: &str, words| device.buffer(label, Class::Scratch, words);
        Ok(NormScratch {
            parts: buffer("norm.parts", most(BatchNormPass::parts_words))?.all(),
            sums: buffer("norm.sums", most(BatchNormPass::saved_words))?.all(),
        })
    }
}

impl BatchNormPass {
    /// Words of an activation.
    pub(super) fn words(&self) -> usize {
        self.channels * self.positions * self.lanes
    }

    /// Words of [`NormScratch::parts`] that it needs: whole vectors, since it replaces a missing residual.
    pub fn parts_words(&self) -> usize {
        (2 * self.channels * self.sum_tiles().tiles).next_multiple_of(4)
    }

    /// Words of `saved`, and of [`NormScratch::sums`].
    pub fn saved_words(&self) -> usize {
        match self.fused {
            true => 4 * self.channels,
            false => 2 * self.channels,
        }
    }

    fn tiles(&self, words: usize, most: usize) -> Tiles {
        let requested = (self.positions * self.lanes / words).clamp(1, most);
        let tile = self.positions.div_ceil(requested).max(1);
        Tiles {
            tile,
            tiles: self.positions.div_ceil(tile),
        }
    }

    pub(super) fn sum_tiles(&self) -> Tiles {
        self.tiles(SUM_TILE, MOST_SUM_TILES)
    }

    pub(super) fn map_tiles(&self) -> Tiles {
        self.tiles(MAP_TILE, usize::MAX)
    }

    pub(super) fn grid(&self, tiles: Tiles) -> Grid {
        Grid::Groups(self.channels * tiles.tiles)
    }

    /// Records a training step's forward pass, normalising by the batch's own statistics, which also enter the running
    /// ones if `update_running`: false if an activation is recomputed.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward_train(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        scratch: &NormScratch,
        step: &View,
        views: BatchNormForwardViews,
        update_running: bool,
    ) -> Result<()> {
        self.check_forward(&views)?;
        holds("parts", &scratch.parts, self.parts_words())?;
        let tiles = self.sum_tiles();
        if !(self.fused && self.takes_planes_whole()) {
            plan.dispatch(
                BatchNormStatistics {
                    params: BatchNormStatisticsParams {
                        channels: self.channels as u32,
                        positions: self.positions as u32,
                        vectors: (self.lanes / 4) as u32,
                        tile: tiles.tile as u32,
                        tiles: tiles.tiles as u32,
                    },
                    step: step.clone(),
                    input: views.input.clone(),
                    parts: scratch.parts.clone(),
                },
                self.grid(tiles),
            )?;
        }
        if self.fused {
            let parts = &scratch.parts;
            return self.forward_fused(plan, parameters, parts, step, views, update_running);
        }
        plan.dispatch(
            BatchNormMerge {
                params: BatchNormMergeParams {
                    norm: self.params(parameters, &views, update_running)?,
                    tile: tiles.tile as u32,
                    tiles: tiles.tiles as u32,
                },
                step: step.clone(),
                parts: scratch.parts.clone(),
                running: parameters.running(),
                saved: views.saved.clone(),
            },
            Grid::Items(self.channels),
        )?;
        self.apply(plan, parameters, step, views)
    }

    /// Records an evaluation's forward pass, normalising by the running statistics.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward_eval(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        step: &View,
        views: BatchNormForwardViews,
    ) -> Result<()> {
        self.check_forward(&views)?;
        plan.dispatch(
            BatchNormRunning {
                params: BatchNormRunningParams {
                    channels: self.channels as u32,
                    mean: first(parameters, "running_mean")?,
                    variance: first(parameters, "running_variance")?,
                    epsilon: EPSILON,
                },
                running: parameters.untrained.clone(),
                saved: views.saved.clone(),
            },
            Grid::Items(self.channels),
        )?;
        self.apply(plan, parameters, step, views)
    }

    pub(super) fn check_forward(&self, views: &BatchNormForwardViews) -> Result<()> {
        holds("input", &views.input, self.words())?;
        if let Some(residual) = &views.residual {
            holds("residual", residual, self.words())?;
        }
        holds("output", &views.output, self.words())?;
        holds("saved statistics", &views.saved, self.saved_words())
    }

    /// Recomputes the output from the statistics that `views.saved` still holds: one pass.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward_again(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        step: &View,
        views: BatchNormForwardViews,
    ) -> Result<()> {
        self.check_forward(&views)?;
        self.apply(plan, parameters, step, views)
    }

    fn apply(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        step: &View,
        views: BatchNormForwardViews,
    ) -> Result<()> {
        let tiles = self.map_tiles();
        plan.dispatch(
            BatchNormApply {
                params: BatchNormApplyParams {
                    norm: self.params(parameters, &views, false)?,
                    tile: tiles.tile as u32,
                    tiles: tiles.tiles as u32,
                },
                step: step.clone(),
                residual: views.residual.unwrap_or_else(|| views.input.clone()),
                input: views.input,
                saved: views.saved,
                values: parameters.values.clone(),
                output: views.output,
            },
            self.grid(tiles),
        )
    }

    pub(super) fn check_backward(&self, views: &BatchNormBackwardViews) -> Result<()> {
        for (what, view) in [
            ("input", Some(&views.input)),
            ("delta", Some(&views.delta)),
            ("activation", views.activation.as_ref()),
            ("input's gradient", Some(&views.output)),
            (
                "residual's gradient",
                views.residual.as_ref().map(|(view, _)| view),
            ),
        ] {
            if let Some(view) = view {
                holds(what, view, self.words())?;
            }
        }
        holds("saved statistics", &views.saved, self.saved_words())
    }

    /// How the ReLU's mask is known.
    pub(super) fn mask(&self, views: &BatchNormBackwardViews) -> Result<u32> {
        match (self.relu, &views.activation, &views.residual) {
            (false, ..) => Ok(mask::NONE),
            (true, Some(_), _) => Ok(mask::ACTIVATION),
            (true, None, None) => Ok(mask::INPUT),
            (true, None, Some(_)) => Err(Error::Shape(Misfit::Layer {
                layer: "a batch norm with a ReLU".to_owned(),
                why: "a ReLU that follows a residual is passed back only with the activation"
                    .to_owned(),
            })),
        }
    }

    /// Records the backward pass: the parameters' gradients, added to the existing ones if `accumulate`, and the
    /// gradients at the input and at the residual.
    ///
    /// # Errors
    /// The views do not fit, or a ReLU follows a residual and there is no activation.
    pub fn backward(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        scratch: &NormScratch,
        step: &View,
        views: BatchNormBackwardViews,
        accumulate: bool,
    ) -> Result<()> {
        let mask = self.mask(&views)?;
        self.check_backward(&views)?;
        holds("parts", &scratch.parts, self.parts_words())?;
        holds("sums", &scratch.sums, self.saved_words())?;
        if self.fused && self.takes_planes_whole() {
            return self.backward_fused(plan, parameters, scratch, step, views, accumulate);
        }
        // Read only if the mask comes from it.
        let activation = (views.activation.clone()).unwrap_or_else(|| views.input.clone());
        let tiles = self.sum_tiles();
        plan.dispatch(
            BatchNormSums {
                params: BatchNormSumsParams {
                    channels: self.channels as u32,
                    positions: self.positions as u32,
                    vectors: (self.lanes / 4) as u32,
                    tile: tiles.tile as u32,
                    tiles: tiles.tiles as u32,
                    weight: first(parameters, "weight")?,
                    bias: first(parameters, "bias")?,
                    mask,
                },
                step: step.clone(),
                input: views.input.clone(),
                delta: views.delta.clone(),
                activation,
                saved: views.saved.clone(),
                values: parameters.values.clone(),
                parts: scratch.parts.clone(),
            },
            self.grid(tiles),
        )?;
        if self.fused {
            return self.backward_fused(plan, parameters, scratch, step, views, accumulate);
        }
        plan.dispatch(
            BatchNormGradients {
                params: BatchNormGradientsParams {
                    channels: self.channels as u32,
                    tiles: tiles.tiles as u32,
                    weight: first(parameters, "weight")?,
                    bias: first(parameters, "bias")?,
                    accumulate: u32::from(accumulate),
                },
                parts: scratch.parts.clone(),
                gradient: parameters.gradient.clone(),
                sums: scratch.sums.clone(),
            },
            Grid::Items(self.channels),
        )?;
        let (sums, spare) = (Some(&scratch.sums), &scratch.parts);
        self.input_gradient(plan, parameters, (sums, spare), step, views)
    }

    /// Records the backward pass of an evaluation, whose statistics do not depend on the batch: the gradients at the
    /// input and at the residual. `spare` is any memory of at least 4 words; nothing is written there.
    ///
    /// # Errors
    /// As [`BatchNormPass::backward`].
    pub fn backward_eval(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        spare: &View,
        step: &View,
        views: BatchNormBackwardViews,
    ) -> Result<()> {
        self.check_backward(&views)?;
        self.input_gradient(plan, parameters, (None, spare), step, views)
    }

    /// The gradients at the input and at the residual, from the sums over the batch, if they depend on it; `spare` takes
    /// the place of a missing residual.
    fn input_gradient(
        &self,
        plan: &mut Plan,
        parameters: &LayerParameters,
        (sums, spare): (Option<&View>, &View),
        step: &View,
        views: BatchNormBackwardViews,
    ) -> Result<()> {
        let mask = self.mask(&views)?;
        // Read only if the mask comes from it.
        let activation = (views.activation.clone()).unwrap_or_else(|| views.input.clone());
        let saved = views.saved;
        let (residual, residual_mode) = match views.residual {
            // Every binding needs a buffer; the kernel does not touch this one.
            None => (spare.clone(), 0),
            Some((view, false)) => (view, 1),
            Some((view, true)) => (view, 2),
        };
        let tiles = self.map_tiles();
        plan.dispatch(
            BatchNormBackward {
                params: BatchNormBackwardParams {
                    channels: self.channels as u32,
                    positions: self.positions as u32,
                    vectors: (self.lanes / 4) as u32,
                    tile: tiles.tile as u32,
                    tiles: tiles.tiles as u32,
                    weight: first(parameters, "weight")?,
                    bias: first(parameters, "bias")?,
                    mask,
                    residual_mode,
                    fixed: u32::from(sums.is_none()),
                },
                step: step.clone(),
                input: views.input,
                delta: views.delta,
                activation,
                saved: saved.clone(),
                values: parameters.values.clone(),
                // Every binding needs a buffer; fixed statistics have no sums.
                sums: sums.cloned().unwrap_or_else(|| saved.clone()),
                output: views.output,
                residual,
            },
            self.grid(tiles),
        )
    }
}
