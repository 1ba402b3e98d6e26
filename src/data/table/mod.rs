//! Tables as data sets: rows of numbers and categories from CSV, NumPy, safetensors and svmlight files.
//!
//! [`open`] knows a format by its first bytes and reads the whole file into a [`Table`]: a word of 32 bits a cell, a
//! number or the number of a category. [`Roles`] says which columns are inputs and which the target. What the training
//! rows teach of them, means, deviations, categories and fill values, is a [`Preprocessing`]: it stands in checkpoints
//! and is applied to all other rows, never fitted to them. [`Rows`] makes inputs of cells as they are asked for.
//!
//! | file | job |
//! |---|---|
//! | `options.rs` | what a table is to be read as |
//! | `open.rs` | from a file's first bytes to its reader |
//! | `csv.rs` (`no_csv.rs`), `npy.rs`, `npz.rs`, `safetensors.rs`, `svmlight.rs` | the formats |
//! | `cell.rs` | a cell's text, of CSV |
//! | `arrays.rs` | named arrays as the columns of a table |
//! | `cells.rs` | a table in memory |
//! | `roles.rs` | which columns are inputs, which the target |
//! | `targets.rs` | what rows are compared with: classes or values |
//! | `preprocessing.rs`, `fit.rs`, `prepared.rs` | what is done with columns; found out by the training rows; done |
//! | `rows.rs` | rows as a source of samples |
//! | `missing.rs` | cells without a value: refused, filled, left out |
//! | `split.rs` | rows held out to test by |
//! | `load.rs` | all of it, to a data set |
//! | `summary.rs` | what was understood, for people |
//! | `watch.rs`, `fuzz.rs` | who looks on while a file is read; what fuzzers call |

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
pub use load::rows_of;
pub use options::TableOptions;
pub use preprocessing::{ColumnRule, Missing, Preprocessing, Rule, TargetRule};
pub use summary::{ColumnSummary, PartSummary, TableSummary, TargetSummary, summarise};
pub use watch::Watch;
