//! Events, and who listens to them.

use std::path::{Path, PathBuf};

use serde::{Serialize, Serializer};

use super::course::{Epoch, Progress, Round};
use super::run::{Finished, Started};
use crate::Result;

/// Listens to the events of a run. An error stops the run, because what cannot be recorded should not be computed.
///
/// Any closure `FnMut(&Event) -> Result<()>` is one.
pub trait Observer {
    /// Called for each event, in order, between two steps: anything slow here delays the training.
    fn event(&mut self, event: &Event) -> Result<()>;
}

impl<F: FnMut(&Event) -> Result<()>> Observer for F {
    fn event(&mut self, event: &Event) -> Result<()> {
        self(event)
    }
}

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// Everything is ready; the first step comes next.
    Started(Started),
    /// The progress, at most a few times per second.
    Progress(Progress),
    /// A prune-and-grow round was done.
    Round(Round),
    /// An epoch was trained and evaluated.
    Epoch(Epoch),
    /// A checkpoint was written to this path.
    #[serde(serialize_with = "saved")]
    Saved(PathBuf),
    /// Something to report once, such as a layer clipped to dense.
    #[serde(serialize_with = "note")]
    Note(String),
    /// The run ended, by itself or because it was interrupted.
    Finished(Finished),
}

// Paths are shown and not opened again, so it is better that one that is not Unicode loses a character than that the
// run fails.
fn saved<S: Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Saved<'a> {
        path: std::borrow::Cow<'a, str>,
    }
    let path = path.to_string_lossy();
    Saved { path }.serialize(serializer)
}

fn note<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Note<'a> {
        text: &'a str,
    }
    Note { text }.serialize(serializer)
}
