//! Sparse connections: the arena that holds them, how the first graph is drawn, and the products.
//!
//! | product | kernel | gathers over |
//! |---|---|---|
//! | forward, `y = W x + bias` | [`Spmm`] | the inputs of an output unit |
//! | backward, `dx = W^T dy` | [`SpmmTransposed`] | the outputs of an input unit |
//! | forward of a convolution | [`Conv`] | the inputs of an output channel, at every position |
//! | its input gradient | [`ConvTransposed`] | the outputs of an input channel, at every position |
//! | gradients of connections, active or not, `g(a,b) = sum_i x[a,i] dy[b,i]` | [`Sddmm`] | the batch |
//! | the same, with the gradients of biases | [`SddmmBias`] | the batch |
//! | the same of a convolution | [`ConvSddmm`] | the batch and output positions |
//! | the same after a batch norm whose output was dropped | [`ConvSddmmNormal`] | the batch and output positions |
//! | a convolution's gradients, and its input's | [`ConvBackward`] | both |
//! | the forward product before a batch norm, with its statistics | [`ConvStatistics`] | as the forward product |
//! | the same after a batch norm whose output is not written | [`ConvStatisticsNormal`] | as the forward product |
//! | the sum over a plane's slices | [`ConvMerge`] | the slices |
//!
//! In all of them the batch is the lane: a connection is one scalar times one contiguous row.

mod arena;
mod conv;
mod conv_backward;
mod conv_backward_pass;
mod conv_before_norm;
mod conv_list;
mod conv_merge;
mod conv_parts;
mod conv_sddmm;
mod conv_sddmm_normal;
mod conv_sddmm_rows;
mod conv_statistics;
mod conv_statistics_normal;
mod conv_transposed;
mod init;
mod layer_state;
mod pair_gradients;
mod sddmm;
mod sddmm_bias;
mod spmm;
mod spmm_transposed;
mod through_norm;

pub use crate::window::{Window, WindowParams};
pub use arena::{Arena, Holds, LayerSpan};
pub use conv::{Conv, ConvParams};
pub use conv_backward::{ConvBackward, ConvBackwardParams, SUMS};
pub use conv_backward_pass::{ConvBackwardViews, NormBefore};
pub use conv_before_norm::{ConvBeforeNorm, ConvInput};
pub use conv_merge::{ConvMerge, ConvMergeParams, Slices};
pub use conv_sddmm::{ConvSddmm, ConvSddmmParams};
pub use conv_sddmm_normal::{ConvSddmmNormal, ConvSddmmNormalParams};
pub use conv_statistics::{ConvStatistics, ConvStatisticsParams, STATISTICS};
pub use conv_statistics_normal::{ConvStatisticsNormal, ConvStatisticsNormalParams};
pub use conv_transposed::{ConvTransposed, ConvTransposedParams};
pub use init::{Assignment, Shape, allocate, initialise};
pub use layer_state::LayerState;
pub use pair_gradients::{Normalised, PairGradients};
pub use sddmm::{Sddmm, SddmmParams, SddmmSubgroups};
pub use sddmm_bias::{SddmmBias, SddmmBiasSubgroups};
pub(crate) use spmm::{GATHERS, SpmmTwin, tiled_pieces};
pub use spmm::{Spmm, SpmmParams};
pub(crate) use spmm_transposed::SpmmTransposedTwin;
pub use spmm_transposed::{SpmmTransposed, SpmmTransposedParams};
