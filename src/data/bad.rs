//! Images that could not be read, where a run goes on without them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};

/// How the reason ends why an image is refused.
pub(super) const ADVICE: &str = "; put a sound copy in its place, or delete it";

/// An image that cannot be read, or another entry of an image folder that is none.
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

/// What could not be read so far. An image that once could not be is not tried again: it would be there in one epoch
/// and not in another.
#[derive(Debug, Default)]
pub(super) struct BadImages(Mutex<BTreeMap<PathBuf, String>>);

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

    // Whoever panicked while holding it left it whole: one insertion is all that is done.
    pub fn all(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an error says of the path that it is about.
pub(super) fn reason_of(error: Error) -> String {
    match error {
        Error::Data { reason, .. } => reason,
        Error::Io { source, .. } => format!("it cannot be read ({source})"),
        other => other.to_string(),
    }
}
