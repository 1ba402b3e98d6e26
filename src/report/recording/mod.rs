//! Recording a run: its folder and files, its observers, and how a run is read back.

mod aside;
mod configuration;
mod console;
mod lock;
mod missing;
mod names;
mod new_file;
mod output;
mod proof;
mod read_run;
mod reports;
mod resumed;
mod run_folder;
mod summary;
mod tables;
mod tensorboard;

pub use configuration::{Edit, Trained, list as list_edits};
pub use console::{Console, Lost, Style};
pub use lock::RunLock;
pub(super) use missing::{Known, missing};
pub use new_file::NewFile;
pub use output::{check_output, write_file};
pub(super) use proof::tables_against;
pub(super) use read_run::read_each;
pub use read_run::{RunRecord, read_runs};
pub use reports::Reports;
pub(super) use resumed::ResumePoint;
pub use resumed::Resumed;
pub use run_folder::RunFolder;
pub(super) use summary::now;
pub use summary::{Failure, ProgressNote, SUMMARY_SCHEMA, Summaries, Summary};
pub(crate) use tables::fuzz as fuzz_tables;
pub use tables::{Saved, Tables};
pub use tensorboard::TensorBoard;
