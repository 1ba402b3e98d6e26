//! Opening a device and training in a run folder, including what happens when the device gets lost; the folder of a
//! training that a program drives by itself.

mod best;
mod follow;
mod losses;
mod measured;
mod own_run;
mod record_run;
mod saver;
mod start;

pub use follow::OnRanks;
pub use losses::run_through_losses;
pub use own_run::OwnRun;
pub(super) use record_run::concerns_one_run;
pub use record_run::{Place, RecordOptions, Recorded, RecordedTraining};
