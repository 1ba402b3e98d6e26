//! Data sets from their files, sound and damaged, through the public interface.
#![allow(clippy::unwrap_used)]

mod real;
mod stream;

use std::fs;
use std::io::Write;
use std::path::Path;

use rootlet::Error;
use rootlet::data::{self, DataOptions, Dataset, Split};

const FILES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// An IDX file of bytes.
fn idx(dimensions: &[u32], content: &[u8]) -> Vec<u8> {
    let mut file = vec![0, 0, 8, dimensions.len() as u8];
    file.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
    file.extend(content);
    file
}

/// Seven training and three test images of 3 × 5 pixels.
fn tiny() -> [Vec<u8>; 4] {
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

fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A folder with the four files, `ending` after each name.
fn folder(files: &[Vec<u8>; 4], ending: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in FILES.iter().zip(files) {
        fs::write(folder.path().join(format!("{name}{ending}")), content).unwrap();
    }
    folder
}

fn source(name: &str, dir: &Path) -> DataOptions {
    DataOptions {
        name: name.to_owned(),
        dir: Some(dir.to_owned()),
        ..DataOptions::default()
    }
}

fn halves(set: &Dataset) -> [&Split; 2] {
    [&set.train, &set.test].map(|images| images.memory().unwrap())
}

fn assert_tiny(set: &Dataset) {
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

/// Damages file `index` of the gzipped (or plain) set, loads it, and expects either the right set or an error that
/// names the file and the remedy. Returns the error's message.
fn damaged(index: usize, ending: &str, content: &[u8]) -> Option<String> {
    let files = match ending {
        ".gz" => tiny().map(|file| gzip(&file)),
        _ => tiny(),
    };
    let folder = folder(&files, ending);
    let path = folder.path().join(format!("{}{ending}", FILES[index]));
    fs::write(&path, content).unwrap();
    match data::load(&source("mnist", folder.path())) {
        Ok(set) => {
            assert_tiny(&set);
            None
        }
        Err(error) => {
            let message = error.to_string();
            assert!(matches!(error, Error::Data { .. }), "{message}");
            assert!(
                message.contains(FILES[index].split('-').next().unwrap()),
                "{message}"
            );
            assert!(message.contains("get it again from https://"), "{message}");
            assert!(!message.contains('\n'), "{message}");
            Some(message)
        }
    }
}

/// The embedded digits as files: known contents, under the names of another set.
#[test]
fn files_of_another_set_are_recognised() {
    let read = |name: &str| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::read(root.join("src/data/published/digits").join(name)).unwrap()
    };
    let sound = tiny().map(|file| gzip(&file));
    for (index, name) in [
        (0, "images.idx.gz"),
        (1, "labels.idx.gz"),
        (2, "images.idx.gz"),
    ] {
        let mut files = sound.clone();
        files[index] = read(name);
        let folder = folder(&files, ".gz");
        for set in ["mnist", "fashion-mnist"] {
            let error = data::load(&source(set, folder.path())).unwrap_err();
            let message = error.to_string();
            assert!(matches!(error, Error::Data { .. }), "{message}");
            assert!(
                message.contains("the contents of the data set digits"),
                "{message}"
            );
            assert!(
                message.contains(&format!("not of {set}; name the right set")),
                "{message}"
            );
        }
    }
    // Contents that nobody published are accepted with a note.
    let folder = folder(&sound, ".gz");
    let set = data::load(&source("mnist", folder.path())).unwrap();
    let part = "not the published contents of mnist";
    let note = set.notes.iter().find(|note| note.contains(part));
    let note = note.unwrap_or_else(|| panic!("{:?}", set.notes));
    assert!(FILES.iter().all(|file| note.contains(file)), "{note}");
}

#[test]
fn idx_files_load_gzipped_or_plain_in_the_folder_or_below() {
    let plain = tiny();
    let packed = tiny().map(|file| gzip(&file));
    for (files, ending) in [
        (&plain, ""),
        (&packed, ".gz"),
        (&packed, ""),
        (&plain, ".gz"),
    ] {
        let folder = folder(files, ending);
        assert_tiny(&data::load(&source("mnist", folder.path())).unwrap());
        let above = tempfile::tempdir().unwrap();
        fs::rename(folder.path(), above.path().join("fashion-mnist")).unwrap();
        assert_tiny(&data::load(&source("fashion-mnist", above.path())).unwrap());
        // The names that some archives use.
        for name in FILES {
            let path = |name: &str| {
                above
                    .path()
                    .join("fashion-mnist")
                    .join(format!("{name}{ending}"))
            };
            fs::rename(path(name), path(&name.replace("-idx", ".idx"))).unwrap();
        }
        assert_tiny(&data::load(&source("fashion-mnist", above.path())).unwrap());
    }
}

#[test]
fn every_truncation_is_an_error() {
    for (index, whole) in tiny().iter().enumerate() {
        for length in 0..whole.len() {
            let message = damaged(index, "", &whole[..length]).expect("truncated");
            assert!(message.contains("truncated"), "{message}");
            assert!(message.contains(FILES[index]), "{message}");
        }
        let packed = gzip(whole);
        for length in 0..packed.len() {
            let message = damaged(index, ".gz", &packed[..length]).expect("truncated");
            assert!(message.contains(FILES[index]), "{message}");
        }
    }
}

#[test]
fn what_goes_on_after_the_end_is_an_error() {
    for (index, whole) in tiny().iter().enumerate() {
        let message = damaged(index, "", &[whole, &[0][..]].concat()).unwrap();
        assert!(message.contains("goes on after"), "{message}");
        damaged(index, ".gz", &[&gzip(whole)[..], b"more"].concat()).unwrap();
        damaged(index, ".gz", &gzip(&[whole, &[0][..]].concat())).unwrap();
    }
}

/// In a gzip file, a flipped bit is an error, or one of the few without meaning: in the header of 10 bytes (such as the
/// time), or among those that fill up the last byte of a block.
#[test]
fn every_flipped_bit_is_an_error_or_harmless() {
    for (index, whole) in tiny().iter().enumerate() {
        let packed = gzip(whole);
        let mut harmless = 0;
        for bit in 0..packed.len() * 8 {
            let mut content = packed.clone();
            content[bit / 8] ^= 1 << (bit % 8);
            harmless += usize::from(damaged(index, ".gz", &content).is_none());
        }
        assert!(
            harmless <= 64,
            "{harmless} bits of file {index} go unnoticed"
        );
        // A plain file has its header checked, and labels their range.
        let header = 4 + 4 * usize::from(whole[3]);
        for bit in 0..header * 8 {
            let mut content = whole.clone();
            content[bit / 8] ^= 1 << (bit % 8);
            damaged(index, "", &content).expect("a damaged header");
        }
    }
}

#[test]
fn files_that_do_not_belong_together_are_refused() {
    let [images, labels, ..] = tiny();
    let message = damaged(1, "", &idx(&[6], &[0; 6])).unwrap();
    assert!(message.contains("6 labels for the 7 images"), "{message}");
    let message = damaged(1, "", &idx(&[7], &[0, 1, 2, 10, 3, 4, 5])).unwrap();
    assert!(
        message.contains("label 10 of image 3 (counted from 0) is not below 10"),
        "{message}"
    );
    let message = damaged(0, "", &labels).unwrap();
    assert!(
        message.contains("no IDX file of bytes in 3 dimensions"),
        "{message}"
    );
    damaged(1, "", &images).unwrap();
    let message = damaged(2, "", &idx(&[3, 5, 3], &[0; 45])).unwrap();
    assert!(
        message.contains("5 × 3 pixels, the training images 3 × 5"),
        "{message}"
    );
    for empty in [
        idx(&[0, 3, 5], &[]),
        idx(&[7, 0, 5], &[]),
        idx(&[u32::MAX; 3], &[1]),
    ] {
        damaged(0, "", &empty).unwrap();
    }
    let message = damaged(0, "", &idx(&[u32::MAX, 1, 1], &[1])).unwrap();
    assert!(
        message.contains("holds 1 of the 4294967295 bytes"),
        "{message}"
    );
}

#[test]
fn a_missing_file_is_named() {
    for name in FILES {
        let folder = folder(&tiny(), "");
        fs::remove_file(folder.path().join(name)).unwrap();
        let message = data::load(&source("mnist", folder.path()))
            .unwrap_err()
            .to_string();
        assert!(
            message.contains(&format!("{name}: the file is missing; get it from")),
            "{message}"
        );
    }
}

#[test]
fn a_limit_keeps_the_first_images() {
    let folder = folder(&tiny(), "");
    let limited = |limit| {
        data::load(&DataOptions {
            limit: Some(limit),
            ..source("mnist", folder.path())
        })
    };
    let set = limited(4).unwrap();
    let [train, test] = halves(&set);
    assert_eq!(
        (train.labels(), test.labels()),
        (&[3, 1, 4, 1][..], &[0, 7, 8][..])
    );
    assert_tiny(&limited(usize::MAX).unwrap());
    let message = limited(0).unwrap_err().to_string();
    assert!(
        message.contains("`limit`") && message.contains("at least 1"),
        "{message}"
    );
}

#[test]
fn the_embedded_digits_need_no_folder() {
    let set = data::load(&DataOptions::default()).unwrap();
    assert_eq!(
        (set.name.as_str(), set.classes, set.shape.features()),
        ("digits", 10, 64)
    );
    assert_eq!((set.train.len(), set.test.len()), (1442, 355));
    // The first image is a zero: bright where its stroke is, dark in its middle.
    let [train, _] = halves(&set);
    assert_eq!(train.label(0), 0);
    assert_eq!(train.image(0)[..8], [0, 0, 75, 195, 135, 15, 0, 0]);
}

/// In memory, each class gives its share, no image is in two parts, and the test images stay what they are.
#[test]
fn a_validation_part_is_held_out_of_a_known_set() {
    let whole = data::load(&DataOptions::default()).unwrap();
    let load = |share: f64, seed: u32| {
        data::load(&DataOptions {
            val_split: Some(share),
            seed,
            ..DataOptions::default()
        })
        .unwrap()
    };
    let images = |split: &Split| -> Vec<(u32, Vec<u8>)> {
        let one = |i| (split.label(i), split.image(i).to_vec());
        (0..split.len()).map(one).collect()
    };
    let held_out = |set: &Dataset| {
        let held = set.validation.as_ref().unwrap();
        images(held.images.memory().unwrap())
    };
    let set = load(0.25, 1);
    let [train, test] = halves(&set).map(images);
    let held = held_out(&set);
    assert_eq!(train.len() + held.len(), 1442);
    assert!((360..=361).contains(&held.len()), "{}", held.len());
    for class in 0..10 {
        let of = |all: &[(u32, Vec<u8>)]| all.iter().filter(|(own, _)| *own == class).count();
        let share = of(&held) as f64 / (of(&held) + of(&train)) as f64;
        assert!((share - 0.25).abs() < 0.01, "{class}: {share}");
    }
    let mut together = [&train[..], &held].concat();
    let [mut all, whole_test] = halves(&whole).map(images);
    together.sort();
    all.sort();
    assert_eq!(together, all);
    assert_eq!(test, whole_test);
    assert_eq!(held_out(&load(0.25, 1)), held);
    assert_ne!(held_out(&load(0.25, 2)), held);
    // A larger share holds the same ones, and more.
    let more = held_out(&load(0.4, 1));
    assert!(held.iter().all(|image| more.contains(image)));
    let refused = data::load(&DataOptions {
        val_split: Some(1e-6),
        ..DataOptions::default()
    });
    assert!(matches!(refused, Err(Error::Usage(_))));
}

#[test]
fn unknown_names_and_missing_folders_are_usage_errors() {
    for (name, dir) in [
        ("fashion", None),
        ("", None),
        ("mnist", None),
        ("cifar100", None),
        ("image-folder", None),
    ] {
        let refused = data::load(&DataOptions {
            name: name.to_owned(),
            dir,
            ..DataOptions::default()
        });
        let refused = matches!(refused, Err(Error::Value { .. } | Error::Missing { .. }));
        assert!(refused, "{name}");
    }
}

#[test]
fn short_cifar_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["train.bin", "test.bin"] {
        fs::write(folder.path().join(name), [0; 3074]).unwrap();
    }
    let message = data::load(&source("cifar100", folder.path()))
        .unwrap_err()
        .to_string();
    assert!(
        message.contains("3074 bytes, not the 153700000 of 50000 images"),
        "{message}"
    );
}
