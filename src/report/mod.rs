//! What becomes of the events of a run. Observers write the console, JSON lines, the tables and the summary in the run
//! folder, and TensorBoard's event files. Other parts turn run folders into sweeps, tables of results, figures, the
//! page of `rootlet report` and the view of `rootlet watch`.
//!
//! | place | job |
//! |---|---|
//! | `recording/` | a run's folder and its files, the observers of a run, reading runs back |
//! | `training/` | opening a device and training in a run folder |
//! | `sweep/` | many runs |
//! | `results/`, `figure/`, `page/`, `watch.rs`, `run_list.rs` | what is shown of runs |
//! | `predictions.rs`, `explained/` | the files of `rootlet predict` and of `rootlet explain` |
//! | `text.rs`, `epoch_table.rs`, `model.rs`, `denser.rs`, `shell.rs`, `terminal.rs` | events, models and command lines as text |

mod copies;
mod denser;
mod epoch_table;
mod explained;
mod figure;
mod fuzz;
mod model;
mod page;
mod predictions;
mod recording;
mod results;
mod run_list;
mod shell;
pub mod sweep;
mod terminal;
mod text;
mod training;
mod watch;

pub use crate::words::{counted, grouped};
pub use copies::distinct;
pub use denser::denser_text;
pub use explained::{
    ExplainedImage, column_rows, explained_columns, explained_image, explained_images,
    explained_topology,
};
pub use figure::{Figure, FigureSize, Sheet, register_font};
pub(crate) use fuzz::run_folder as fuzz_run_folder;
pub use model::count_text;
pub use page::{BenchFile, JsonFile, Page, TestedFile};
pub use predictions::{PredictionOptions, PredictionTable, write_row};
pub(crate) use recording::fuzz_tables;
pub use recording::{
    Console, Edit, Failure, Lost, NewFile, ProgressNote, Reports, Resumed, RunFolder, RunLock,
    RunRecord, SUMMARY_SCHEMA, Saved, Style, Summaries, Summary, Tables, TensorBoard, Trained,
    check_output, list_edits, read_runs, write_file,
};
pub use results::{Group, Overview, Results, Spread, TextTable};
pub use run_list::{list_runs, newest_run};
pub use shell::command_line;
pub use terminal::{error_line, fitted, terminal_width};
pub use text::{memory_text, printable};
pub use training::{
    OnRanks, OwnRun, Place, RecordOptions, Recorded, RecordedTraining, run_through_losses,
};
pub use watch::{RunView, sparkline};
