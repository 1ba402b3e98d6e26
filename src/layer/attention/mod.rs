//! The core of multi-head self-attention (Vaswani et al., "Attention Is All You Need", 2017), between the layer that
//! makes queries, keys and values and the layer that joins the heads.
//!
//! Every lane is a different image, so all products are of small matrices of *lanes*: nothing is transposed, and the
//! loops over the batch are innermost everywhere.

pub(super) mod attention_layer;
mod attention_pass;
mod columns;
mod exp;
mod heads;
mod mix;
mod mix_backward;
mod panels;
mod scores;
mod scores_backward;
mod tiles;
#[cfg(test)]
mod widths;

pub use attention_layer::Attention;
pub use attention_pass::AttentionPass;
pub use mix::{Mix, MixParams};
pub use mix_backward::{MixBackward, MixBackwardParams};
pub use scores::{Scores, ScoresParams};
pub use scores_backward::{ScoresBackward, ScoresBackwardParams};
