//! What a trained network's answers depend on.
//!
//! | file | job |
//! |---|---|
//! | `explainer.rs` | the gradient of an output at a sample's inputs |
//! | `smoothing.rs` | its mean over noisy copies of the sample |
//! | `strength.rs` | the weights of the connections at each input |
//! | `permutation.rs`, `shuffled.rs` | how much worse a network becomes if a column is shuffled |
//! | `degrees.rs` | how many connections units have, and would have in a random graph |

mod degrees;
mod explainer;
mod permutation;
mod shuffled;
mod smoothing;
mod strength;

pub use degrees::{Degrees, LayerDegrees, layer_degrees};
pub use explainer::{Explainer, Explanation};
pub use permutation::{Drop, Importance, PermutationOptions, permutation_importance};
pub use smoothing::Smoothing;
pub use strength::{ColumnStrength, InputStrength, column_strengths, input_strengths};
