//! What a network is trained by and what it is evaluated by: losses and metrics, two traits that this crate and others
//! implement.
//!
//! | file | job |
//! |---|---|
//! | `definition.rs` | the traits |
//! | `comparison.rs` | what both see while they record: outputs, targets, and where the results go |
//! | `cross_entropy.rs` | softmax and cross-entropy, with label smoothing: one of several classes |
//! | `binary_cross_entropy.rs` | several classes that each apply or not |
//! | `mean_squared_error.rs`, `huber.rs` | numbers |
//! | `elementwise.rs` | what the losses that are computed output by output share |
//! | `accuracy.rs`, `top_k.rs` | the share of the samples whose class was found, or is among the first few |
//! | `exact_match.rs`, `precision_at.rs` | for samples with several classes: all found; how many of the first few apply |
//! | `errors.rs` | mean absolute and squared error |
//! | `summary/` | metrics of a whole evaluation: F1, AUC, R² and others |
//! | `weigh.rs` | weights of samples, for any loss |
//! | `mix_labels.rs` | of mixed samples the other class |
//!
//! Your own loss brings a kernel ([`kernel!`](crate::kernel!)) and goes into a [`Setup`](crate::train::Setup);
//! `tests/custom_loss/main.rs` has one, with a metric.

mod accuracy;
mod binary_cross_entropy;
mod comparison;
mod cross_entropy;
mod definition;
mod elementwise;
mod errors;
mod exact_match;
mod huber;
mod mean_squared_error;
mod mix_labels;
mod precision_at;
mod summary;
mod top_k;
mod weigh;

pub use accuracy::{Accuracy, FoundClass, FoundClassParams};
pub use binary_cross_entropy::{
    BinaryCrossEntropy, BinaryCrossEntropyLoss, BinaryCrossEntropyLossParams,
};
pub use comparison::Comparison;
pub use cross_entropy::CrossEntropy;
pub use definition::{Loss, Metric};
pub use errors::{
    AbsoluteError, AbsoluteErrorScore, AbsoluteErrorScoreParams, SquaredError, SquaredErrorScore,
    SquaredErrorScoreParams,
};
pub use exact_match::{ExactMatch, ExactMatchScore, ExactMatchScoreParams};
pub use huber::{Huber, HuberLoss, HuberLossParams};
pub use mean_squared_error::{MeanSquaredError, MeanSquaredErrorLoss, MeanSquaredErrorLossParams};
pub use mix_labels::{MixLabels, MixLabelsParams};
pub use precision_at::{PrecisionAt, PrecisionAtScore, PrecisionAtScoreParams};
#[doc(hidden)]
pub use summary::{Measure, OfClass, Outcomes};
pub use top_k::{TopK, TopKScore, TopKScoreParams};
pub use weigh::{Weigh, WeighParams};
