//! Which known set files belong to: the published files have known CRC-32s of their unpacked contents; this module also
//! words the error for a file of another set, or of none. Sets made to replace others have files of the same names.

use std::path::Path;

use super::catalogue::KNOWN;
use super::known::Known;
use crate::error::Error;
use crate::error::option::{DATA, DATA_DIR};

impl Known {
    /// Whether the set's file `index` has these published contents.
    pub fn is_published(&self, index: usize, crc: u32) -> bool {
        self.checksums.get(index) == Some(&crc)
    }

    /// The error for a file with the published contents of another file, of this set or another.
    pub fn foreign(&self, path: &Path, crc: u32) -> Option<Error> {
        let (other, index) = KNOWN.iter().find_map(|known| {
            let at = known.checksums.iter().position(|&known| known == crc)?;
            Some((known, at))
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
    use crate::data::catalogue::find;

    #[test]
    fn every_published_file_is_recognised_wherever_it_lies() {
        let mut all: Vec<u32> = Vec::new();
        for known in KNOWN {
            assert!(known.files.is_empty() || known.files.len() == known.checksums.len());
            all.extend(known.checksums);
            for (index, &crc) in known.checksums.iter().enumerate() {
                assert!(known.is_published(index, crc) && !known.is_published(index + 1, crc));
                let error = known.foreign(Path::new("x"), crc).unwrap().to_string();
                assert!(error.contains("mixed up"), "{error}");
                for other in KNOWN.iter().filter(|other| other.name != known.name) {
                    let error = other.foreign(Path::new("x"), crc).unwrap().to_string();
                    let part = format!("of the data set {}", known.name);
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
