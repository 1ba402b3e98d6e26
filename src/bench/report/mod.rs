//! What becomes of the figures of one adapter.
//!
//! | file | job |
//! |---|---|
//! | `observer.rs` | passes figures on as they come |
//! | `bench_report.rs` | the file with all of them |
//! | `table.rs` | all of them as text |

mod bench_report;
mod observer;
pub(super) mod table;

pub use bench_report::{BenchReport, Code, SCHEMA};
pub use observer::Finding;
pub(super) use observer::Observer;
pub use table::Table;
