//! Where the cache is, and its files.

use std::io::Write;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::files;

/// Names the folder of the cache, in place of the user's own.
pub const CACHE_DIR: &str = "ROOTLET_CACHE_DIR";

/// Where the cache is; none on a system without such a place.
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
    /// A file with this content.
    pub fn of(content: T) -> Self {
        File {
            format: FORMAT,
            content,
        }
    }

    /// What a file's bytes hold; `what` it should be, for the error.
    ///
    /// # Errors
    /// Something else, or another format.
    pub fn parse(bytes: &[u8], what: &str) -> Result<T, String> {
        let file: Self = serde_json::from_slice(bytes).map_err(|_| format!("it is no {what}"))?;
        match file.format {
            FORMAT => Ok(file.content),
            other => Err(format!(
                "it has format {other}, this rootlet reads {FORMAT}"
            )),
        }
    }
}

/// What `parse` finds in a file of the cache; nothing where there is none.
///
/// # Errors
/// Why the file cannot be used, for a note that names it.
pub fn read<T: Default>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, String>,
) -> Result<T, String> {
    match files::read_if_there(path, files::Most::RECORD) {
        Ok(Some(bytes)) => parse(&bytes),
        Ok(None) => Ok(T::default()),
        // The note names the path.
        Err(Error::Io { source, .. }) => Err(source.to_string()),
        Err(error) => Err(error.to_string()),
    }
}

/// As [`read`]: nothing from a file that cannot be used, which `note` hears of.
pub fn read_or_note<T: Default>(
    path: &Path,
    parse: impl FnOnce(&[u8]) -> Result<T, String>,
    note: &mut dyn FnMut(&str),
) -> T {
    read(path, parse).unwrap_or_else(|reason| {
        note(&format!("{} is ignored: {reason}", path.display()));
        T::default()
    })
}

/// Replaces a file of the cache by `content` as JSON: whoever reads sees the old or the new content, whichever of
/// several processes writes.
///
/// # Errors
/// A folder that cannot be made or written.
pub fn replace(path: &Path, content: &impl Serialize) -> std::io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
    temporary.write_all(&serde_json::to_vec_pretty(content)?)?;
    temporary.as_file().sync_all()?;
    temporary.persist(path).map_err(|e| e.error)?;
    Ok(())
}
