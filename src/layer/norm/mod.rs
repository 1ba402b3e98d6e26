//! Normalisation: batch norm and layer norm, forward and backward, and their parameters.
//!
//! | | forward | backward |
//! |---|---|---|
//! | [`BatchNormPass`] | [`BatchNormStatistics`] of tiles, [`BatchNormMerge`] (in an evaluation [`BatchNormRunning`]), [`BatchNormApply`] | [`BatchNormSums`] of tiles, [`BatchNormGradients`], [`BatchNormBackward`] |
//! | the same, fused | [`BatchNormStatistics`], [`BatchNormMergeApply`]; for small planes [`BatchNormWhole`] | [`BatchNormSums`], [`BatchNormMergeBackward`]; for small planes [`BatchNormWholeBackward`] |
//! | beside convolutions, which leave statistics and sums | [`BatchNormMergeApply`], or [`BatchNormMergeCounted`] if the next convolution normalises | [`BatchNormMergeBackward`] |
//! | of a batch in parts | as above; then [`BatchNormAdvance`] once a part, for all norms | |
//! | [`LayerNormPass`] | [`LayerNormForward`]; fused with the sum that it takes [`LayerNormSum`] | [`LayerNormGradients`], [`LayerNormBackward`]; fused [`LayerNormWholeBackward`] |
//!
//! A batch norm's sums over a channel are first taken over tiles of its plane, because one workgroup per channel would
//! leave a GPU idle if there are few channels, and then over the tiles, in order. Both norms write zero to an output's
//! padding lanes: otherwise the values there could grow from layer to layer until they are NaN.

mod batch_norm;
mod batch_norm_advance;
mod batch_norm_apply;
mod batch_norm_backward;
mod batch_norm_by_channel;
mod batch_norm_fused;
mod batch_norm_gradients;
pub(super) mod batch_norm_layer;
mod batch_norm_merge;
mod batch_norm_merge_apply;
mod batch_norm_merge_backward;
mod batch_norm_merge_counted;
mod batch_norm_params;
mod batch_norm_running;
mod batch_norm_statistics;
mod batch_norm_sums;
mod batch_norm_tiles;
mod batch_norm_views;
mod batch_norm_whole;
mod batch_norm_whole_backward;
mod lanes;
pub(super) mod layer_norm;
mod layer_norm_backward;
mod layer_norm_forward;
mod layer_norm_gradients;
mod layer_norm_sum;
mod layer_norm_whole_backward;
mod shared;

pub use batch_norm::{BatchNormPass, NormScratch};
pub use batch_norm_advance::{BatchNormAdvance, BatchNormAdvanceParams};
pub use batch_norm_apply::{BatchNormApply, BatchNormApplyParams};
pub use batch_norm_backward::{BatchNormBackward, BatchNormBackwardParams};
pub use batch_norm_gradients::{BatchNormGradients, BatchNormGradientsParams};
pub use batch_norm_layer::BatchNorm;
pub use batch_norm_merge::{BatchNormMerge, BatchNormMergeParams};
pub use batch_norm_merge_apply::{BatchNormMergeApply, BatchNormMergeApplyParams};
pub use batch_norm_merge_backward::{BatchNormMergeBackward, BatchNormMergeBackwardParams};
pub use batch_norm_merge_counted::{BatchNormMergeCounted, BatchNormMergeCountedParams};
pub use batch_norm_running::{BatchNormRunning, BatchNormRunningParams};
pub use batch_norm_statistics::{BatchNormStatistics, BatchNormStatisticsParams};
pub use batch_norm_sums::{BatchNormSums, BatchNormSumsParams};
pub use batch_norm_views::{BatchNormBackwardViews, BatchNormForwardViews};
pub use batch_norm_whole::{BatchNormWhole, BatchNormWholeParams};
pub use batch_norm_whole_backward::{BatchNormWholeBackward, BatchNormWholeBackwardParams};
pub use layer_norm::{LayerNorm, LayerNormBackwardViews, LayerNormPass, LayerNormSumViews};
pub use layer_norm_backward::{LayerNormBackward, LayerNormBackwardParams};
pub use layer_norm_forward::{LayerNormForward, LayerNormForwardParams};
pub use layer_norm_gradients::{LayerNormGradients, LayerNormGradientsParams};
pub use layer_norm_sum::{LayerNormSum, LayerNormSumParams};
pub use layer_norm_whole_backward::{LayerNormWholeBackward, LayerNormWholeBackwardParams};
pub use shared::{EPSILON, MOMENTUM};
