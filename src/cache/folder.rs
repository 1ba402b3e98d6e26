//! The place of the cache, and the form of its files.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files;

/// The environment variable that names the folder of the cache, instead of the user's own.
pub const CACHE_DIR: &str = "ROOTLET_CACHE_DIR";

/// The cache's folder; none on a system without such a place.
pub fn folder() -> Option<PathBuf> {
    match std::env::var_os(CACHE_DIR) {
        Some(folder) if !folder.is_empty() => Some(folder.into()),
        _ => dirs::cache_dir().map(|folder| folder.join("rootlet")),
    }
}

/// A file of the cache: its content, and the version of its format.
#[derive(Serialize, Deserialize)]
pub struct File<T> {
    format: u32,
    #[serde(flatten)]
    content: T,
}

/// Version of the files, raised when a reader of the old ones would misread the new ones.
const FORMAT: u32 = 1;

impl<T: Serialize + DeserializeOwned> File<T> {
    /// A file with this content, in the current format.
    pub fn of(content: T) -> Self {
        File {
            format: FORMAT,
            content,
        }
    }

    /// The content of a file's bytes; `what` says what it should be, for the error.
    ///
    /// # Errors
    /// It is something else, or has another format.
    pub fn parse(bytes: &[u8], what: &str) -> Result<T, Unusable> {
        let no_file = |_| Unusable::Damaged(format!("it is no {what}"));
        // The format comes first: the rest of a newer one may be anything.
        let Format { format } = serde_json::from_slice(bytes).map_err(no_file)?;
        match format {
            FORMAT => {
                let file: Self = serde_json::from_slice(bytes).map_err(no_file)?;
                Ok(file.content)
            }
            newer if newer > FORMAT => Err(Unusable::Newer(format!(
                "it has format {newer}, of a newer rootlet, and this one reads {FORMAT}"
            ))),
            other => Err(Unusable::Damaged(format!(
                "it has format {other}, this rootlet reads {FORMAT}"
            ))),
        }
    }
}

/// A file's version, regardless of the rest.
#[derive(Deserialize)]
struct Format {
    format: u32,
}

/// Why a file of the cache cannot be used, for a note that names it.
#[derive(Clone, Debug, PartialEq)]
pub enum Unusable {
    /// Nobody can read it: it will be replaced.
    Damaged(String),
    /// A newer rootlet wrote it and uses it, so it stays.
    Newer(String),
}

/// The content that `parse` finds in a file of the cache; the default if there is no file.
///
/// # # Errors
/// The reason why the file cannot be used.
pub fn read<T: Default>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, Unusable>,
) -> Result<T, Unusable> {
    let damaged = |reason: String| Err(Unusable::Damaged(reason));
    match files::read_if_there(path, files::Most::RECORD) {
        Ok(Some(bytes)) => parse(&bytes),
        Ok(None) => Ok(T::default()),
        // The note itself names the path.
        Err(Error::Io { source, .. }) => damaged(source.to_string()),
        Err(error) => damaged(error.to_string()),
    }
}

/// Like [`read`], but gives the default for a file that cannot be used, and tells `note`.
pub fn read_or_note<T: Default>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, Unusable>,
    note: &mut dyn FnMut(&str),
) -> T {
    read(path, parse).unwrap_or_else(|unusable| {
        let (reason, fate) = match &unusable {
            Unusable::Damaged(reason) => (reason, "is ignored, and the next result replaces it"),
            Unusable::Newer(reason) => (reason, "is ignored, and stays as it is"),
        };
        note(&format!("{} {fate}: {reason}", path.display()));
        T::default()
    })
}

/// Like [`read`], for a file that will be written back with additions: another process may have added its own. A file
/// that nobody can read counts as empty.
///
/// # Errors
/// The reason why the file must stay as it is.
pub fn read_to_add<T: Default>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, Unusable>,
) -> Result<T, String> {
    match read(path, parse) {
        Err(Unusable::Newer(reason)) => Err(format!("{} stays as it is: {reason}", path.display())),
        Err(Unusable::Damaged(_)) => Ok(T::default()),
        Ok(content) => Ok(content),
    }
}

/// Replaces a file of the cache with `content` as JSON. Readers see either the old or the new content, even if several
/// processes write.
///
/// # Errors
/// The folder cannot be created or written.
pub fn replace(path: &Path, content: &impl Serialize) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(&serde_json::to_vec_pretty(content)?)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|e| e.error)?;
    Ok(())
}
