//! Opening a device and training in a run folder, including what happens when the device gets lost.

mod best;
mod follow;
mod losses;
mod measured;
mod record_run;
mod saver;
mod start;

pub use follow::OnRanks;
pub use losses::run_through_losses;
pub(super) use record_run::concerns_one_run;
pub use record_run::{Place, RecordOptions, Recorded, RecordedTraining};
