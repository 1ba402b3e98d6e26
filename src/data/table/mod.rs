//! Tables as data sets: rows of numbers and categories from CSV, NumPy, safetensors and svmlight files.
//!
//! `open` recognises a format by its first bytes and makes a `Table`: a 32-bit word per cell, which is a number or the
//! number of a category, in memory or, if that is too small, in a file. `Roles` says which columns are inputs and which are targets. What
//! the training rows say about them (means, deviations, categories and fill values) is a [`Preprocessing`]: it is
//! stored in checkpoints and applied to all other rows, never fitted to them. `Rows` turns cells into inputs when
//! they are requested.
//!
//! | file | job |
//! |---|---|
//! | `options.rs` | how to read a table |
//! | `open.rs`, `how.rs` | from a file's first bytes to its reader; what readers need to know |
//! | `bytes.rs`, `scratch.rs` (`no_scratch.rs`) | the bytes of a file at any place; files for cells that memory cannot hold |
//! | `csv.rs` (`no_csv.rs`), `npy.rs`, `npz.rs`, `safetensors.rs`, `svmlight.rs` | the formats |
//! | `svmlight/` | svmlight's parts, which `svmlight.rs` lists |
//! | `csv/blocks.rs`, `csv/pass.rs`, `cell.rs` | whole rows of CSV, for several threads; a pass over them; the text of a cell |
//! | `kind.rs`, `arrays.rs`, `named.rs` | kinds of values; arrays in files; named arrays as the columns of a table |
//! | `cells.rs`, `stored.rs` | a table; cells that stay in a file |
//! | `roles.rs` | which columns are inputs and which are targets |
//! | `targets.rs` | what rows are compared with: classes or values |
//! | `preprocessing.rs`, `fit.rs`, `prepared.rs` | the rules for columns; determining them from the training rows; applying them |
//! | `rows.rs`, `weights.rs` | rows as a source of samples; their weights |
//! | `faults.rs` | rows that cannot be used, and why |
//! | `missing.rs` | cells without a value: refused, filled, left out |
//! | `split.rs`, `part.rs` | rows held out for validation; the rows of a file and the parts they belong to |
//! | `load.rs` | all of it, up to a data set |
//! | `predicted.rs` | the rows of a file to predict for |
//! | `summary.rs` | what was understood, for people |
//! | `watch.rs`, `fuzz.rs` | progress while a file is read; the entry points of the fuzzers |

mod arrays;
mod bytes;
#[cfg(feature = "table")]
mod cell;
mod cells;
#[cfg_attr(not(feature = "table"), path = "no_csv.rs")]
mod csv;
mod faults;
mod fit;
mod fuzz;
mod how;
mod kind;
mod load;
mod missing;
mod named;
mod npy;
mod npz;
mod open;
mod options;
mod part;
mod predicted;
mod prepared;
mod preprocessing;
mod roles;
mod rows;
mod safetensors;
#[cfg_attr(not(feature = "report"), path = "no_scratch.rs")]
mod scratch;
mod split;
mod stored;
mod summary;
mod svmlight;
mod targets;
mod watch;
mod weights;

pub(crate) use fuzz::fuzz;
pub(super) use load::load;
pub use options::TableOptions;
pub use predicted::{RowsToPredict, rows_of};
pub use preprocessing::{ColumnRule, Missing, Preprocessing, Rule, TargetRule};
pub use summary::{ColumnSummary, PartSummary, TableSummary, TargetSummary, summarise};
pub use watch::Watch;
