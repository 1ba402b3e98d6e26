//! What a folder must look like.

use std::fs;
use std::path::Path;

use rootlet::data::{self, DataSource, ImageOptions, LoaderOptions};
use rootlet::{Error, Result};

use crate::common::says;
use crate::files::{Picture, folder, open, read, source};

fn png() -> Vec<u8> {
    Picture::smooth(4, 4).png()
}

/// A folder of images at these paths.
fn images(paths: &[&str]) -> tempfile::TempDir {
    folder(paths.iter().map(|path| (path, png())))
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
        assert_eq!((set.train.batches(3), set.notes.len()), (2, 0));
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
fn without_val_the_training_images_are_tested_and_that_is_told() {
    let set = load(&["train/a/1.png", "train/b/1.png", "train/b/2.png"]).unwrap();
    assert_eq!((set.train.len(), set.test.len()), (3, 3));
    let [note] = &set.notes[..] else {
        panic!("{:?}", set.notes)
    };
    assert!(
        note.contains("`val`") && note.contains("training images"),
        "{note}"
    );
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
    let set = data::load(&DataSource {
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
        &["/nowhere/at/all", "not a folder", "train/<class>/*"],
    );
    let refused = data::load(&DataSource {
        dir: None,
        ..source(Path::new("."), 4, 4)
    });
    assert!(matches!(refused, Err(Error::Usage(_))));
    says(refused, &["--data-dir", "train/<class>/*"]);
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
    let options = |size, resize| ImageOptions { size, resize }.resize();
    assert_eq!(ImageOptions::default().size, 224);
    assert_eq!(options(224, None), 256);
    assert_eq!((options(64, None), options(64, Some(72))), (64, 72));
    // A saved source of earlier versions still parses.
    let source: DataSource = toml::from_str("name = 'cifar10'").unwrap();
    assert_eq!(source.images, ImageOptions::default());
}
