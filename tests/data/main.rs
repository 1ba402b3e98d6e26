//! Data sets from their files, sound and damaged, through the public interface.
#![allow(clippy::unwrap_used)]

mod damaged;
mod files;
mod real;
mod stream;

use std::fs;
use std::path::Path;

use rootlet::Error;
use rootlet::data::{self, DataOptions, Dataset, Split};

use files::{FILES, assert_tiny, folder, gzip, halves, source, tiny};

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
    assert!(matches!(refused, Err(Error::Refused(_))));
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
