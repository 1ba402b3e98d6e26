//! Metrics of a whole evaluation, from the outputs and targets of all its samples: on the host, in f64.
//!
//! | file | job |
//! |---|---|
//! | `outcomes.rs` | collects batch after batch, for any kind of targets |
//! | `labels.rs` | one class per sample: balanced accuracy, macro F1, AUC, and the results for each class |
//! | `flags.rs` | several classes per sample: P@k, exact matches, macro F1, AUC, and the same for each class |
//! | `values.rs` | numbers: RMSE and R² |
//! | `measure.rs` | a number with its name |
//! | `counts.rs`, `ranking.rs` | F1 from counts; AUC from ranks |
//!
//! Definitions are scikit-learn's.

mod counts;
mod flags;
mod labels;
mod measure;
mod outcomes;
mod ranking;
mod values;

pub use counts::OfClass;
pub use measure::Measure;
pub use outcomes::Outcomes;
