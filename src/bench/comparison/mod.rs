//! Reports of several devices.
//!
//! | file | job |
//! |---|---|
//! | `share.rs` | a report that others can trust |
//! | `plausible.rs` | whether figures are possible |
//! | `compare.rs`, `row.rs`, `plot.rs` | devices side by side: the cases, their rows, their figure |
//! | `gallery.rs` | a page of the reports that people shared |

mod compare;
mod gallery;
mod plausible;
mod plot;
mod row;
mod share;

pub use compare::Comparison;
pub(crate) use compare::fuzz;
pub use gallery::{Gallery, pasted};
pub use share::{SharedReport, load};
