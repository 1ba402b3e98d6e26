//! What becomes of the events. Observers of a run: the console, the JSON lines, the tables and the summary in the run
//! folder, TensorBoard's event files. And what is made of run folders: sweeps, tables of results, figures, the page of
//! `rootlet report`, the view of `rootlet watch`.

mod aside;
mod configuration;
mod console;
mod copies;
mod figure;
mod lock;
mod losses;
mod missing;
mod model;
mod output;
mod page;
mod proof;
mod read_run;
mod record_run;
mod results;
mod resumed;
mod run_folder;
mod summary;
pub mod sweep;
mod tables;
mod tensorboard;
mod text;
mod watch;

pub use crate::words::counted;
pub use configuration::{Edit, Trained, list as list_edits};
pub use console::{Console, Lost, Style};
pub use copies::distinct;
pub use figure::{Figure, FigureSize, register_font};
pub use lock::RunLock;
pub use losses::run_through_losses;
pub use model::count_text;
pub use output::check_output;
pub use page::{BenchFile, Page};
pub(crate) use read_run::fuzz as fuzz_run_folder;
pub use read_run::{RunRecord, read_runs};
pub use record_run::{Place, RecordOptions, Recorded, RecordedTraining, command_line};
pub use results::{Group, Results, Spread, TextTable};
pub use resumed::Resumed;
pub use run_folder::RunFolder;
pub use summary::{Failure, ProgressNote, SUMMARY_SCHEMA, Summaries, Summary};
pub(crate) use tables::fuzz as fuzz_tables;
pub use tables::{Saved, Tables};
pub use tensorboard::TensorBoard;
pub use text::printable;
pub use watch::{RunView, sparkline};

use std::path::Path;

use crate::train::event::{Event, Observer};
use crate::{Error, Result, disk};

/// Writes a file that a user named, whole or not at all: one that was there stays where the disk is full.
///
/// # Errors
/// A file that cannot be written, or must not: see [`check_output`].
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<()> {
    output::admit(path, &[])?;
    disk::write_named(path, bytes).map_err(Error::io("write", path))
}

/// Several observers as one. Each gets every event; the first error is returned once all have had it, so that a full
/// disk does not hide the last line on the console.
#[derive(Default)]
pub struct Reports(Vec<Box<dyn Observer>>);

impl Reports {
    /// No observer yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one.
    pub fn push(&mut self, observer: impl Observer + 'static) {
        self.0.push(Box::new(observer));
    }
}

impl Observer for Reports {
    fn event(&mut self, event: &Event) -> Result<()> {
        let mut result = Ok(());
        for observer in &mut self.0 {
            result = result.and(observer.event(event));
        }
        result
    }
}
