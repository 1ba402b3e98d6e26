//! The binary version of CIFAR-10 and CIFAR-100: records of one or two label bytes and 3,072 pixel bytes, which are
//! three planes of 32 × 32 for red, green and blue. The format has neither a header nor a checksum, so a file must have
//! the published length and contents (`contents.rs`).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use super::catalogue::find;
use super::entry::{CIFAR_HUNDRED, Entry, Layout};
use crate::data::shape::ImageShape;
use crate::data::sources::{Halves, Split};
use crate::error::{Error, Result};

const SHAPE: ImageShape = ImageShape {
    channels: 3,
    height: 32,
    width: 32,
};
const PIXELS: usize = 3 * 32 * 32;

/// Reads the files of a set in `folder`.
pub(in crate::data) fn load(set: &Entry, layout: &Layout, folder: &Path) -> Result<Halves> {
    let [train_records, test_records] = layout.records;
    let last = set.files.len() - 1;
    let mut train = Records::with_capacity(train_records * last);
    let mut test = Records::with_capacity(test_records);
    // All files are located before the first is read.
    let paths = set.files.iter().map(|name| set.file(folder, name));
    let paths = paths.collect::<Result<Vec<_>>>()?;
    for (index, (path, &checksum)) in paths.iter().zip(set.checksums).enumerate() {
        let (half, records) = match index == last {
            true => (&mut test, test_records),
            false => (&mut train, train_records),
        };
        half.read(set, layout, path, records, checksum)?;
    }
    Ok(Halves {
        shape: SHAPE,
        train: Split::new(PIXELS, train.images, train.labels)?,
        test: Split::new(PIXELS, test.images, test.labels)?,
        notes: Vec::new(),
    })
}

struct Records {
    images: Vec<u8>,
    labels: Vec<u32>,
}

impl Records {
    fn with_capacity(records: usize) -> Self {
        Self {
            images: Vec::with_capacity(records * PIXELS),
            labels: Vec::with_capacity(records),
        }
    }

    /// Appends the file's records. Faults are reported as exactly as possible: length, then labels, then the checksum.
    fn read(
        &mut self,
        set: &Entry,
        layout: &Layout,
        path: &Path,
        records: usize,
        checksum: u32,
    ) -> Result<()> {
        let file = File::open(path).map_err(Error::io("read", path))?;
        let length = file.metadata().map_err(Error::io("read", path))?.len();
        let expected = (records * (layout.label_classes.len() + PIXELS)) as u64;
        if length != expected {
            let truncated = if length < expected {
                "the file is truncated: "
            } else {
                ""
            };
            return Err(set.damaged(
                path,
                format!("{truncated}it has {length} bytes, not the {expected} of {records} images"),
            ));
        }
        let mut reader = BufReader::with_capacity(1 << 20, file);
        let mut crc = crc32fast::Hasher::new();
        let mut labels = [0; 2];
        let labels = &mut labels[..layout.label_classes.len()];
        for record in 0..records {
            reader.read_exact(labels).map_err(Error::io("read", path))?;
            for (&label, &classes) in labels.iter().zip(layout.label_classes) {
                if label >= classes {
                    return Err(set.damaged(
                        path,
                        format!(
                            "label {label} of image {record} (counted from 0) is not below {classes}, the number of \
                             classes"
                        ),
                    ));
                }
            }
            let start = self.images.len();
            self.images.resize(start + PIXELS, 0);
            let image = &mut self.images[start..];
            reader.read_exact(image).map_err(Error::io("read", path))?;
            crc.update(labels);
            crc.update(image);
            self.labels
                .extend(labels.last().map(|&label| u32::from(label)));
        }
        let crc = crc.finalize();
        if crc != checksum {
            return Err(set.foreign(path, crc).unwrap_or_else(|| {
                set.damaged(
                    path,
                    "its contents are not the published ones: the checksum differs",
                )
            }));
        }
        Ok(())
    }
}

/// For the fuzzer: a file of two records with the right checksum.
pub(crate) fn fuzz(bytes: &[u8]) {
    let path = std::env::temp_dir().join(format!("rootlet-fuzz-{}.bin", std::process::id()));
    let Ok(set) = find("cifar100") else {
        return;
    };
    if std::fs::write(&path, bytes).is_ok() {
        let mut half = Records::with_capacity(2);
        let read = half.read(set, &CIFAR_HUNDRED, &path, 2, crc32fast::hash(bytes));
        let _ = std::fs::remove_file(&path);
        assert!(read.is_err() || half.labels.iter().all(|&label| label < 100));
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Two records of CIFAR-100 with the labels (3, 99) and (19, 42); the pixels of a record count up from its number.
    fn records() -> Vec<u8> {
        let record = |n: u8, labels: [u8; 2]| {
            labels
                .into_iter()
                .chain((0..PIXELS).map(move |p| n.wrapping_add(p as u8)))
        };
        record(0, [3, 99]).chain(record(1, [19, 42])).collect()
    }

    fn read(content: &[u8]) -> Result<Records, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("train.bin");
        fs::write(&path, content).unwrap();
        let mut half = Records::with_capacity(2);
        let set = find("cifar100").unwrap();
        let result = half.read(set, &CIFAR_HUNDRED, &path, 2, crc32fast::hash(&records()));
        result.map(|()| half).map_err(|error| {
            assert!(matches!(error, Error::Data { .. }), "{error}");
            error.to_string()
        })
    }

    #[test]
    fn records_become_images_and_fine_labels() {
        let half = read(&records()).unwrap();
        assert_eq!(half.labels, [99, 42]);
        let split = Split::new(PIXELS, half.images, half.labels).unwrap();
        assert_eq!(split.image(0)[..3], [0, 1, 2]);
        assert_eq!(split.image(1)[..3], [1, 2, 3]);
    }

    #[test]
    fn a_wrong_length_is_told() {
        let whole = records();
        for length in (0..whole.len()).step_by(97) {
            let message = read(&whole[..length]).err().unwrap();
            assert!(
                message.contains(&format!("truncated: it has {length} bytes")),
                "{message}"
            );
            assert!(
                message.contains("train.bin") && message.contains("get it again from https"),
                "{message}"
            );
        }
        let message = read(&[&whole[..], &[0]].concat()).err().unwrap();
        assert!(
            message.contains("it has 6149 bytes, not the 6148 of 2 images"),
            "{message}"
        );
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        for byte in (0..6148).step_by(41).chain([0, 1, 3074, 3075]) {
            for bit in 0..8 {
                let mut content = records();
                content[byte] ^= 1 << bit;
                let message = read(&content).err().unwrap();
                assert!(
                    message.contains("checksum") || message.contains("number of classes"),
                    "{message}"
                );
            }
        }
        let mut content = records();
        content[3075] = 100;
        let message = read(&content).err().unwrap();
        assert!(
            message.contains("label 100 of image 1 (counted from 0) is not below 100"),
            "{message}"
        );
        content[3074] = 20;
        let message = read(&content).err().unwrap();
        assert!(
            message.contains("label 20 of image 1 (counted from 0) is not below 20"),
            "{message}"
        );
    }
}
