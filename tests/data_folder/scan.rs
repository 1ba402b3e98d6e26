//! What a folder must look like.

use std::fs;
use std::path::{Path, PathBuf};

use rootlet::data::{self, DataOptions, ImageOptions, Images, LoaderOptions, TestPart};
use rootlet::{Error, Result};

use crate::common::says;
use crate::files::{Picture, folder, open, read, source};

/// A folder of images at these paths.
fn images(paths: &[&str]) -> tempfile::TempDir {
    // None twice: copies are looked for.
    let picture = |number: usize| Picture::new(4, 4, |x, y| [number as u8, x as u8, y as u8]);
    folder((paths.iter().enumerate()).map(|(number, path)| (path, picture(number).png())))
}

fn load(paths: &[&str]) -> Result<data::Dataset> {
    data::load(&source(images(paths).path(), 4, 4))
}

#[test]
fn classes_are_numbered_by_name_and_files_sorted() {
    let grey = |level: u8| Picture::new(4, 4, |_, _| [level; 3]).png();
    let dir = folder([
        ("set/train/n02/b.PNG", grey(3)),
        ("set/train/n02/a.jpeg", grey(2)),
        ("set/train/n01/z.Jpg", grey(1)),
        ("set/train/n10/.hidden.txt", vec![]),
        ("set/train/n10/q.jpe", grey(4)),
        ("set/train/.cache/x.png", vec![]),
        ("set/val/n10/2.png", grey(6)),
        ("set/val/n02/1.png", grey(5)),
        ("set/classes.txt", vec![]),
        ("other/x.txt", vec![]),
    ]);
    for folder in [dir.path().to_owned(), dir.path().join("set")] {
        let set = open(&folder, 4, 4);
        assert_eq!(
            (set.name.as_str(), set.classes, set.shape.features()),
            ("image-folder", 3, 48)
        );
        assert_eq!((set.train.len(), set.test.len()), (4, 2));
        // Single images, and a class without a test image.
        assert_eq!(set.train.batches(3), 2);
        assert_eq!((set.untaught.len(), set.notes.len()), (1, 1));
        let levels = |images| {
            let read = read(&set, images, LoaderOptions::of_batch(3)).unwrap();
            read.into_iter()
                .map(|(image, class)| (image[0], class))
                .collect::<Vec<_>>()
        };
        assert_eq!(levels(&set.train), [(1, 0), (2, 1), (3, 1), (4, 2)]);
        assert_eq!(levels(&set.test), [(5, 1), (6, 2)]);
        let files = set.train.folder().unwrap();
        assert!(files.path(2).ends_with("set/train/n02/b.PNG"));
        assert_eq!((files.label(2), files.classes().len()), (1, 3));
    }
}

#[test]
fn the_folder_to_test_by_goes_by_four_names() {
    let train = ["train/a/1.png", "train/b/1.png"];
    for (folders, taken) in [
        (&["val"][..], "val"),
        (&["validation"], "validation"),
        (&["valid"], "valid"),
        (&["test"], "test"),
        (&["val", "validation"], "val"),
        (&["test", "testing"], "test"),
    ] {
        let tests = folders.iter().map(|name| format!("{name}/a/{name}.png"));
        let paths: Vec<String> = train.map(str::to_owned).into_iter().chain(tests).collect();
        let dir = images(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        let set = open(dir.path(), 4, 4);
        assert_eq!(set.test_part, TestPart::Folder(taken.into()));
        assert_eq!((set.train.len(), set.test.len()), (2, 1));
        let file = set.test.folder().unwrap().path(0);
        assert!(file.ends_with(format!("{taken}/a/{taken}.png")), "{file:?}");
        assert!(set.validation.is_none());
    }
}

#[test]
fn folders_for_both_are_the_validation_and_the_test_part() {
    for (validation, test) in [
        ("val", "test"),
        ("valid", "testing"),
        ("Validation", "Test"),
    ] {
        let tests = [validation, test]
            .map(|name| ["a", "b"].map(|class| format!("{name}/{class}/{name}.png")))
            .concat();
        let train = ["train/a/1.png", "train/a/2.png", "train/b/1.png"].map(str::to_owned);
        let paths: Vec<String> = train.into_iter().chain(tests).collect();
        let dir = images(&paths.iter().map(String::as_str).collect::<Vec<_>>());
        // If there is such a part, none is split off.
        for share in [None, Some(0.4)] {
            let mut source = source(dir.path(), 4, 4);
            source.val_split = share;
            let set = data::load(&source).unwrap();
            let held = set.validation.as_ref().unwrap();
            assert_eq!(held.part, TestPart::Folder(validation.into()));
            assert_eq!(set.test_part, TestPart::Folder(test.into()));
            let lengths = [&set.train, &held.images, &set.test].map(Images::len);
            assert_eq!(lengths, [3, 2, 2]);
            assert_eq!(set.notes, Vec::<String>::new());
        }
    }
}

/// If there is no folder for that, and if a share of the training images is requested: no image is in both parts, each
/// is in one, each class has its share, and the seed and the names alone decide.
#[test]
fn a_part_is_split_off_by_class_and_seed() {
    let paths: Vec<String> = (0..60)
        .map(|i| format!("train/{}/{i:02}.png", ["a", "b", "c"][i % 3]))
        .collect();
    let dir = images(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let split = |share: f64, seed: u32| {
        let mut source = source(dir.path(), 4, 4);
        source.val_split = Some(share);
        source.seed = seed;
        let set = data::load(&source).unwrap();
        let held = set.validation.clone().unwrap();
        assert_eq!(
            held.part,
            TestPart::SplitOff {
                share,
                seed,
                trained_on: false,
                rows: false,
            }
        );
        assert!(set.test.is_empty() && set.test_part == TestPart::Nothing);
        let files = |images: &Images| -> Vec<PathBuf> {
            let split = images.folder().unwrap();
            (0..split.len()).map(|i| split.path(i)).collect()
        };
        let labels = |images: &Images| {
            let mut counts = [0; 3];
            (0..images.len()).for_each(|i| counts[images.label(i) as usize] += 1);
            counts
        };
        assert_eq!(labels(&held.images), [(20.0 * share) as u32; 3]);
        let (train, test) = (files(&set.train), files(&held.images));
        let mut all: Vec<PathBuf> = [&train[..], &test].concat();
        all.sort();
        all.dedup();
        assert_eq!((train.len() + test.len(), all.len()), (60, 60));
        test
    };
    let test = split(0.1, 1);
    assert_eq!(split(0.1, 1), test);
    assert_ne!(split(0.1, 2), test);
    // A larger share holds the same ones, and more.
    let more = split(0.25, 1);
    assert!(test.iter().all(|file| more.contains(file)));
    // An image that goes takes no other along.
    let gone = all_but(dir.path(), &test);
    fs::remove_file(gone).unwrap();
    let mut source = source(dir.path(), 4, 4);
    source.val_split = Some(0.1);
    let set = data::load(&source).unwrap();
    let after = set.validation.unwrap();
    let after = after.images.folder().unwrap();
    assert!((0..after.len()).all(|i| test.contains(&after.path(i))));
}

/// An image of the first class that is none of these.
fn all_but(dir: &Path, files: &[PathBuf]) -> PathBuf {
    let class = fs::read_dir(dir.join("train/a")).unwrap();
    let mut paths = class.map(|entry| entry.unwrap().path());
    paths.find(|path| !files.contains(path)).unwrap()
}

#[test]
fn a_split_that_leaves_nothing_is_refused() {
    let refused = |paths: &[&str], share: f64, parts: &[&str]| {
        let dir = images(paths);
        let mut source = source(dir.path(), 4, 4);
        source.val_split = Some(share);
        says(data::load(&source), parts);
    };
    let singles = ["train/a/1.png", "train/b/1.png"];
    refused(
        &singles,
        0.5,
        &["2 images in 2 classes", "put others into val/<class>/*"],
    );
    let few = ["train/a/1.png", "train/a/2.png", "train/b/1.png"];
    refused(
        &few,
        0.1,
        &["val, validation, valid, test", "give a larger `val_split`"],
    );
}

/// A pipe would keep the reader waiting for ever; so would a device.
#[cfg(unix)]
#[test]
fn what_is_not_a_file_is_refused_before_it_is_read() {
    let dir = images(&["train/a/1.png", "val/a/9.png"]);
    for part in ["train", "val"] {
        let pipe = dir.path().join(part).join("a/2.png");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.unwrap().success());
        let refused = data::load(&source(dir.path(), 4, 4));
        assert!(matches!(refused, Err(Error::Data { .. })));
        says(refused, &[pipe.to_str().unwrap(), "is not a file"]);
        fs::remove_file(&pipe).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &pipe).unwrap();
        says(
            data::load(&source(dir.path(), 4, 4)),
            &["2.png", "is not a file"],
        );
        fs::remove_file(&pipe).unwrap();
    }
    // One that took the image's place since it was found.
    let set = open(dir.path(), 4, 4);
    let file = dir.path().join("train/a/1.png");
    fs::remove_file(&file).unwrap();
    let made = std::process::Command::new("mkfifo").arg(&file).status();
    assert!(made.unwrap().success());
    let refused = read(&set, &set.train, LoaderOptions::of_batch(1));
    says(refused, &["1.png", "is not a file any more"]);
}

#[test]
fn a_limit_takes_from_every_class() {
    let dir = images(&[
        "train/a/1.png",
        "train/a/2.png",
        "train/a/3.png",
        "train/b/1.png",
        "val/a/1.png",
    ]);
    let set = data::load(&DataOptions {
        limit: Some(2),
        ..source(dir.path(), 4, 4)
    })
    .unwrap();
    assert_eq!((set.train.len(), set.test.len(), set.classes), (2, 1, 2));
    assert_eq!((set.train.label(0), set.train.label(1)), (0, 1));
}

/// More classes than a byte can number.
#[test]
fn labels_are_wide() {
    let paths: Vec<String> = (0..300).map(|i| format!("train/{i:03}/x.png")).collect();
    let dir = images(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let set = open(dir.path(), 4, 4);
    assert_eq!((set.classes, set.train.label(299)), (300, 299));
    let images = read(&set, &set.train, LoaderOptions::of_batch(300)).unwrap();
    assert_eq!(images[299].1, 299);
}

#[test]
fn what_is_out_of_place_is_named() {
    let train = "train/a/1.png";
    for (paths, parts) in [
        (
            &["val/a/1.png"][..],
            &["no folder `train`", "train/<class>/*"][..],
        ),
        (
            &["x/train/a/1.png", "y/train/a/1.png"],
            &["x and", "y among", "name one"],
        ),
        (
            &[train, "train/list.png"],
            &["list.png", "beside the classes' folders"],
        ),
        (
            &[train, "val/list.png"],
            &["list.png", "beside the classes' folders"],
        ),
        (
            &[train, "train/b/images/1.png"],
            &["images", "inside a class's folder"],
        ),
        (
            &[train, "train/b/1.txt"],
            &["1.txt", "no image by its name"],
        ),
        (&[train, "train/b/png"], &["png", "no image by its name"]),
        (&[train, "train/b/.hidden.png"], &["b: ", "holds no images"]),
        (&["train/.hidden/1.png"], &["train: ", "it is empty"]),
        (&[train, "val/.hidden/1.png"], &["val: ", "it is empty"]),
        (
            &[train, "val/b/1.png"],
            &["val", "b: ", "no class of this name"],
        ),
    ] {
        let refused = load(paths);
        assert!(matches!(refused, Err(Error::Data { .. })), "{paths:?}");
        says(refused, parts);
    }
    let nowhere = data::load(&source(Path::new("/nowhere/at/all"), 4, 4));
    says(
        nowhere,
        &["/nowhere/at/all", "no such folder", "train/<class>/*"],
    );
    let refused = data::load(&DataOptions {
        dir: None,
        ..source(Path::new("."), 4, 4)
    });
    assert!(matches!(refused, Err(Error::Missing { .. })));
    says(refused, &["`data_dir`", "train/<class>/*"]);
}

#[cfg(unix)]
#[test]
fn links_are_followed() {
    let dir = images(&["train/a/1.png", "elsewhere/b/2.png"]);
    let path = |path: &str| dir.path().join(path);
    std::os::unix::fs::symlink(path("elsewhere/b"), path("train/b")).unwrap();
    std::os::unix::fs::symlink(path("elsewhere/b/2.png"), path("train/a/2.png")).unwrap();
    fs::write(path("train/a/.DS_Store"), []).unwrap();
    let set = open(dir.path(), 4, 4);
    assert_eq!((set.classes, set.train.len()), (2, 3));
}

#[test]
fn sizes_default_to_imagenets() {
    let options = |size, resize| {
        let options = ImageOptions {
            size,
            resize,
            ..ImageOptions::default()
        };
        options.resize()
    };
    assert_eq!(ImageOptions::default().size, 224);
    assert_eq!(options(224, None), 256);
    assert_eq!((options(64, None), options(64, Some(72))), (64, 72));
    // A saved source of earlier versions still parses.
    let source: DataOptions = toml::from_str("name = 'cifar10'").unwrap();
    assert_eq!(source.images, ImageOptions::default());
}

/// Not even a folder is looked for.
#[test]
fn a_share_of_test_images_is_below_all() {
    let folder = tempfile::tempdir().unwrap();
    for val_split in [-0.5, 1.0, f64::NAN] {
        let source = DataOptions {
            name: "image-folder".to_owned(),
            dir: Some(folder.path().to_owned()),
            val_split: Some(val_split),
            ..DataOptions::default()
        };
        let refused = data::load(&source).map(|_| ());
        let told = refused.unwrap_err().to_string();
        assert!(
            told.contains("val_split") && told.contains("below 1"),
            "{told}"
        );
    }
}
