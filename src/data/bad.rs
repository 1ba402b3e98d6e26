//! Images that could not be read, where a run goes on without them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::folder::ADVICE;
use super::{Dataset, Images};
use crate::error::{Error, Result};

/// An image that cannot be read.
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

/// What could not be read so far. An image that once could not be is not tried again: it would be there in one epoch and not in
/// another.
#[derive(Debug, Default)]
pub(super) struct BadImages(Mutex<BTreeMap<PathBuf, String>>);

impl BadImages {
    /// Whether the image is good: it was not found bad before, and `read` succeeds.
    pub fn good(&self, path: &Path, read: impl FnOnce() -> Result<()>) -> bool {
        if self.all().contains_key(path) {
            return false;
        }
        let Err(error) = read() else {
            return true;
        };
        let reason = match error {
            Error::Data { reason, .. } => match reason.strip_suffix(ADVICE) {
                Some(what) => what.to_owned(),
                None => reason,
            },
            Error::Io { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        self.all().insert(path.to_owned(), reason);
        false
    }

    // Whoever panicked while holding it left it whole: one insertion is all that is done.
    fn all(&self) -> MutexGuard<'_, BTreeMap<PathBuf, String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dataset {
    /// The images that could not be read so far, by path: where [`ImageOptions::skip_bad`](super::ImageOptions::skip_bad) leaves
    /// them out.
    pub fn bad_images(&self) -> Vec<BadImage> {
        let parts = [&self.train, &self.test].map(Images::folder);
        // The two parts share one list.
        let bad = parts
            .into_iter()
            .flatten()
            .find_map(|split| split.bad.as_ref());
        let all = bad.map(|bad| bad.all().clone()).unwrap_or_default();
        all.into_iter()
            .map(|(path, reason)| BadImage { path, reason })
            .collect()
    }
}
