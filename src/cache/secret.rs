//! A secret that a user's processes share through the user's folder, also on the machines of a cluster that have it in
//! common: by it, ranks of a training know each other.

use std::io::Write;
use std::path::Path;

use super::folder::folder;
use crate::error::{Error, RankFault, Result};

/// The file, which only its owner may read.
const FILE: &str = "ranks-secret";

/// The user's secret; it is made at its first use.
///
/// # Errors
/// There is no place for it, or it cannot be read: [`Error::Rank`] says what to do instead.
pub fn shared_secret() -> Result<Vec<u8>> {
    let unusable = |why: String| {
        Error::Rank(RankFault::Environment {
            variable: "ROOTLET_SECRET",
            why: format!("is not set, and {why}; set it to the same on all ranks"),
        })
    };
    let folder = folder().ok_or_else(|| unusable("this user has no cache folder".to_owned()))?;
    let path = folder.join(FILE);
    let at = |error: std::io::Error| unusable(format!("{}: {error}", path.display()));
    if !path.exists() {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| unusable(error.to_string()))?;
        std::fs::create_dir_all(&folder).map_err(at)?;
        // Whole or not at all, and the first one wins: other ranks may be doing the same. A temporary file is for its
        // owner alone.
        let mut file = tempfile::NamedTempFile::new_in(&folder).map_err(at)?;
        file.write_all(&secret).map_err(at)?;
        match file.persist_noclobber(&path) {
            Err(error) if error.error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(at(error.error));
            }
            _ => {}
        }
    }
    read(&path).map_err(at)
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let secret = std::fs::read(path)?;
    match secret.is_empty() {
        true => Err(std::io::Error::other("it is empty; remove it")),
        false => Ok(secret),
    }
}
