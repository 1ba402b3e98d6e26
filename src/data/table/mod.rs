//! Tables as data sets: rows of numbers and categories from CSV, NumPy, safetensors and svmlight files.
//!
//! `open` recognises a format by its first bytes and reads the whole file into a `Table`: a 32-bit word per cell,
//! which is a number or the number of a category. `Roles` says which columns are inputs and which are targets. What
//! the training rows say about them (means, deviations, categories and fill values) is a [`Preprocessing`]: it is
//! stored in checkpoints and applied to all other rows, never fitted to them. `Rows` turns cells into inputs when
//! they are requested.
//!
//! | file | job |
//! |---|---|
//! | `options.rs` | how to read a table |
//! | `open.rs` | from a file's first bytes to its reader |
//! | `csv.rs` (`no_csv.rs`), `npy.rs`, `npz.rs`, `safetensors.rs`, `svmlight.rs` | the formats |
//! | `cell.rs` | the text of a CSV cell |
//! | `arrays.rs` | named arrays as the columns of a table |
//! | `cells.rs` | a table in memory |
//! | `roles.rs` | which columns are inputs and which are targets |
//! | `targets.rs` | what rows are compared with: classes or values |
//! | `preprocessing.rs`, `fit.rs`, `prepared.rs` | the rules for columns; determining them from the training rows; applying them |
//! | `rows.rs` | rows as a source of samples |
//! | `missing.rs` | cells without a value: refused, filled, left out |
//! | `split.rs` | rows held out for testing |
//! | `load.rs` | all of it, up to a data set |
//! | `predicted.rs` | the rows of a file to predict for |
//! | `summary.rs` | what was understood, for people |
//! | `watch.rs`, `fuzz.rs` | progress while a file is read; the entry points of the fuzzers |

mod arrays;
#[cfg(feature = "table")]
mod cell;
mod cells;
#[cfg_attr(not(feature = "table"), path = "no_csv.rs")]
mod csv;
mod fit;
mod fuzz;
mod load;
mod missing;
mod npy;
mod npz;
mod open;
mod options;
mod predicted;
mod prepared;
mod preprocessing;
mod roles;
mod rows;
mod safetensors;
mod split;
mod summary;
mod svmlight;
mod targets;
mod watch;

pub(crate) use fuzz::fuzz;
pub(super) use load::load;
pub use options::TableOptions;
pub use predicted::{RowsToPredict, rows_of};
pub use preprocessing::{ColumnRule, Missing, Preprocessing, Rule, TargetRule};
pub use summary::{ColumnSummary, PartSummary, TableSummary, TargetSummary, summarise};
pub use watch::Watch;
