//! A small data set in the form of MNIST.

use std::fs;
use std::io::Write;
use std::path::Path;

use rootlet::data::{DataOptions, Dataset, Split};

pub const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// An IDX file of bytes.
pub fn idx(dimensions: &[u32], content: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dimensions.len() as u8];
    file.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
    file.extend(content);
    file
}

/// Seven training and three test images of 3 × 5 pixels.
pub fn tiny() -> [Vec<u8>; 4] {
    let pixels = |count: u32| {
        (0..count * 15)
            .map(|p| (p * 7 % 256) as u8)
            .collect::<Vec<_>>()
    };
    [
        idx(&[7, 3, 5], &pixels(7)),
        idx(&[7], &[3, 1, 4, 1, 5, 9, 2]),
        idx(&[3, 3, 5], &pixels(3)),
        idx(&[3], &[0, 7, 8]),
    ]
}

pub fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A folder with the four files, `ending` after each name.
pub fn folder(files: &[Vec<u8>; 4], ending: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in FILES.iter().zip(files) {
        fs::write(folder.path().join(format!("{name}{ending}")), content).unwrap();
    }
    folder
}

pub fn source(name: &str, dir: &Path) -> DataOptions {
    DataOptions {
        name: name.to_owned(),
        dir: Some(dir.to_owned()),
        ..DataOptions::default()
    }
}

pub fn halves(set: &Dataset) -> [&Split; 2] {
    [&set.train, &set.test].map(|images| images.memory().unwrap())
}

pub fn assert_tiny(set: &Dataset) {
    let [train, test] = halves(set);
    assert_eq!(
        (
            set.shape.channels,
            set.shape.height,
            set.shape.width,
            set.classes
        ),
        (1, 3, 5, 10)
    );
    assert_eq!(
        (train.labels(), test.labels()),
        (&[3, 1, 4, 1, 5, 9, 2][..], &[0, 7, 8][..])
    );
    for split in [train, test] {
        for image in 0..split.len() {
            let expected: Vec<u8> = (image * 15..image * 15 + 15)
                .map(|p| (p * 7 % 256) as u8)
                .collect();
            assert_eq!(split.image(image), expected);
        }
    }
}
