//! Which known set files belong to: the published files have known CRC-32s of their unpacked contents; this module also
//! words the error for a file of another set, or of none. Sets made to replace others have files of the same names.

use std::path::Path;

use super::catalogue::CATALOGUE;
use super::entry::Entry;
use crate::error::Error;
use crate::error::option::{DATA, DATA_DIR};

impl Entry {
    /// Whether the set's file `index` has these published contents.
    pub fn is_published(&self, index: usize, crc: u32) -> bool {
        self.checksums.get(index) == Some(&crc)
    }

    /// The error for a file with the published contents of another file, of this set or another.
    pub fn foreign(&self, path: &Path, crc: u32) -> Option<Error> {
        let (other, index) = CATALOGUE.iter().find_map(|set| {
            let at = set.checksums.iter().position(|&own| own == crc)?;
            Some((set, at))
        })?;
        let file = other.files.get(index).copied().unwrap_or("own file");
        let reason = match other.name == self.name {
            true => format!(
                "it has the contents of {file}: the files were mixed up; {}",
                self.remedy()
            ),
            false => format!(
                "it has the contents of the data set {}, its {file}, not of {}; name the right set with {DATA}, or the \
                 right folder with {DATA_DIR}",
                other.name, self.name
            ),
        };
        Some(Error::Data {
            path: path.to_owned(),
            reason,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::published::find;

    #[test]
    fn every_published_file_is_recognised_wherever_it_lies() {
        let mut all: Vec<u32> = Vec::new();
        for set in CATALOGUE {
            assert!(set.files.is_empty() || set.files.len() == set.checksums.len());
            all.extend(set.checksums);
            for (index, &crc) in set.checksums.iter().enumerate() {
                assert!(set.is_published(index, crc) && !set.is_published(index + 1, crc));
                let error = set.foreign(Path::new("x"), crc).unwrap().to_string();
                assert!(error.contains("mixed up"), "{error}");
                for other in CATALOGUE.iter().filter(|other| other.name != set.name) {
                    let error = other.foreign(Path::new("x"), crc).unwrap().to_string();
                    let part = format!("of the data set {}", set.name);
                    assert!(error.contains(&part), "{error}");
                }
            }
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count, "two files have one checksum");
        assert!(find("mnist").unwrap().foreign(Path::new("x"), 7).is_none());
    }
}
