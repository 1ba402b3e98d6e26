//! What a run reports while it goes. The trainer emits [`Event`]s and does not know who listens; consoles, tables and
//! programs are [`Observer`]s. As JSON, an event is one object whose `event` names its kind.
//!
//! | file | job |
//! |---|---|
//! | `observer.rs` | events, and who listens to them |
//! | `run.rs` | the beginning and the end of a run |
//! | `course.rs` | what comes between them: progress, rounds, epochs |
//! | `results.rs` | the results on a part of the data |

mod course;
mod observer;
mod results;
mod run;

pub use course::{Epoch, Progress, Round, RoundLayer};
pub use observer::{Event, Observer};
pub use results::{PartResults, Score};
pub use run::{Finished, LayerSummary, Phase, Started};
