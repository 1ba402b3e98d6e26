//! The known sets as published.

use super::catalogue::{self, IMAGE_FOLDER};
pub use super::downloads::Download;
use crate::error::{Error, Result};

/// A published set.
#[derive(Clone, Copy, Debug)]
pub struct Published {
    /// The folder, inside the one for all data, in which its files are looked for.
    pub folder: &'static str,
    /// Names of its files, unpacked.
    pub files: &'static [&'static str],
    /// What to fetch.
    pub downloads: &'static [Download],
}

/// The published form of the set with that name.
///
/// # Errors
/// [`Error::Value`] for an unknown name, and for sets that are not published.
pub fn published(name: &str) -> Result<Published> {
    let unpublished = |must: &str| {
        Err(Error::Value {
            option: "data",
            must: must.to_owned(),
            value: name.to_owned(),
        })
    };
    if name == IMAGE_FOLDER {
        return unpublished("must be a set that is published: image folders are your own");
    }
    let set = catalogue::find(name)?;
    if set.downloads.is_empty() {
        return unpublished("must be a set that has to be fetched: this one comes with rootlet");
    }
    Ok(Published {
        folder: set.folders[0],
        files: set.files,
        downloads: set.downloads,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_that_is_read_from_files_is_published() {
        for set in &catalogue::CATALOGUE[1..] {
            let set = published(set.name).unwrap();
            let archive = set.downloads[0].is_archive();
            assert_eq!(
                set.downloads.len(),
                if archive { 1 } else { set.files.len() }
            );
            for (download, file) in set.downloads.iter().zip(set.files) {
                assert!(archive || download.file() == format!("{file}.gz"));
            }
        }
        for name in ["digits", IMAGE_FOLDER, "minst"] {
            assert!(
                matches!(published(name), Err(Error::Value { .. })),
                "{name}"
            );
        }
    }
}
