//! Images that could not be read, where a run goes on without them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::folder::ADVICE;
use super::scan::reason_of;
use super::{Dataset, Images};
use crate::error::Result;

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

/// What could not be read so far. An image that once could not be is not tried again: it would be there in one epoch and not in
/// another.
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
