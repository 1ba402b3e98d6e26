//! Images that could not be read, if a run continues without them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// The end of the message that says why an image is refused.
pub(in crate::data) const ADVICE: &str = "; put a sound copy in its place, or delete it";

/// An image that cannot be read, or another entry of an image folder that is not an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadImage {
    /// Its file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path.display(), self.reason)
    }
}

/// What could not be read so far. An image that failed once is not tried again: otherwise it could be part of one epoch
/// and missing from another.
#[derive(Debug, Default)]
pub(in crate::data) struct BadImages(Mutex<BTreeMap<PathBuf, String>>);

impl From<Vec<BadImage>> for BadImages {
    fn from(bad: Vec<BadImage>) -> Self {
        let all = bad.into_iter().map(|bad| (bad.path, bad.reason));
        Self(Mutex::new(all.collect()))
    }
}

impl BadImages {
    /// Whether the image is good: it was not found bad before, and `read` succeeds.
    pub fn good(&self, path: &Path, read: impl FnOnce() -> Result<()>) -> bool {
        if self.all().contains_key(path) {
            return false;
        }
        let Err(error) = read() else {
            return true;
        };
        let reason = reason_of(error);
        let what = reason.strip_suffix(ADVICE).unwrap_or(&reason);
        self.all().insert(path.to_owned(), what.to_owned());
        false
    }

    // A thread that panicked while holding the lock left the map whole: the only change is one insertion.
    pub fn all(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The reason in an error, without the path.
pub(in crate::data) fn reason_of(error: Error) -> String {
    match error {
        Error::Data { reason, .. } => reason,
        Error::Io { source, .. } => format!("it cannot be read ({source})"),
        other => other.to_string(),
    }
}
