//! An image is identified by its pixels, whatever else is in its file, whichever folder it is in and whatever it is
//! called.

use std::fs;
use std::path::Path;

use jpeg_encoder::{ColorType, Encoder};
use rootlet::checkpoint;
use rootlet::data::ImageHashes;
use xxhash_rust::xxh3::xxh3_64;

use crate::data::{TRAIN, json, photos, with};
use crate::folders::result;
use crate::{Desk, text};

const CLASSES: [&str; 2] = ["bee", "cat"];

/// A JPEG file of 16 × 16 pixels that differs for every number.
fn jpeg(class: usize, number: usize) -> Vec<u8> {
    let pixels: Vec<u8> = (0..16 * 16)
        .flat_map(|at| [at as u8, (class * 90) as u8, (number * 12) as u8])
        .collect();
    let mut file = Vec::new();
    let encoder = Encoder::new(&mut file, 90);
    encoder.encode(&pixels, 16, 16, ColorType::Rgb).unwrap();
    file
}

/// This many JPEG files per class, each modified by `change`, named `name` plus a number.
fn jpegs(folder: &Path, name: &str, first: usize, count: usize, change: impl Fn(&[u8]) -> Vec<u8>) {
    for (class, class_name) in CLASSES.iter().enumerate() {
        let folder = folder.join(class_name);
        fs::create_dir_all(&folder).unwrap();
        for number in first..first + count {
            let path = folder.join(format!("{name}{number:02}.jpg"));
            fs::write(path, change(&jpeg(class, number))).unwrap();
        }
    }
}

/// The file with a segment of this marker after the first one.
fn with_segment(marker: u8, file: &[u8]) -> Vec<u8> {
    let text = b"Exif\0\0 taken on a Sunday";
    let length = (text.len() as u16 + 2).to_be_bytes();
    [&file[..2], &[0xff, marker], &length, text, &file[2..]].concat()
}

fn appended(file: &[u8]) -> Vec<u8> {
    [file, &[0]].concat()
}

/// A PNG file with a text before its end.
fn with_text(file: &[u8]) -> Vec<u8> {
    let chunk = b"tEXtAuthor\0somebody";
    let mut sum = crc32fast::Hasher::new();
    sum.update(chunk);
    let length = (chunk.len() as u32 - 4).to_be_bytes();
    let (start, end) = file.split_at(file.len() - 12);
    [start, &length, chunk, &sum.finalize().to_be_bytes(), end].concat()
}

fn trained_on(desk: &Desk, run: &Path, more: &[&str]) -> serde_json::Value {
    let eval = [&["eval", text(run), "--json"], more].concat();
    json(&desk.good(&eval).out)["trained_on"].clone()
}

#[test]
fn other_bytes_in_a_file_make_no_other_image() {
    let desk = Desk::new();
    jpegs(&desk.path("data/train"), "", 0, 8, <[u8]>::to_vec);
    jpegs(&desk.path("data/val"), "", 12, 2, <[u8]>::to_vec);
    desk.good(&with(&TRAIN, &["--epochs=1"]));
    let run = desk.runs().remove(0);
    jpegs(&desk.path("other/train"), "", 14, 2, <[u8]>::to_vec);
    let val = desk.path("other/val");
    jpegs(&val, "seen", 12, 2, <[u8]>::to_vec);
    assert_eq!(trained_on(&desk, &run, &["--data-dir=other"]), 0);
    jpegs(&val, "a", 0, 1, appended);
    jpegs(&val, "b", 1, 1, |file| with_segment(0xfe, file));
    jpegs(&val, "c", 2, 1, |file| with_segment(0xe1, file));
    assert_eq!(trained_on(&desk, &run, &["--data-dir=other"]), 6);
}

#[test]
fn metadata_hide_no_training_image_in_the_test_folder() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 6);
    photos(&desk.path("data/val"), &CLASSES, 0, 4);
    let again = |name: &str| {
        for class in CLASSES {
            let folder = desk.path("data/val").join(class);
            for number in 0..4 {
                let old = folder.join(format!("{number:02}.png"));
                let file = with_text(&fs::read(&old).unwrap());
                fs::remove_file(&old).unwrap();
                fs::write(folder.join(format!("{name}{number}.png")), file).unwrap();
            }
        }
    };
    again("other");
    let all = "val/ has the images of train/ (by their pixels, all 8)";
    desk.bad(&TRAIN, 2, &[all]);
    photos(&desk.path("data/val"), &CLASSES, 40, 2);
    let done = desk.good(&with(&TRAIN, &["--epochs=1"]));
    let some = "8 of 12 test images in val/ are, by their pixels, training images as well";
    assert!(done.out.contains(some), "{done:?}");
    assert!(result(&done).contains("trained on 8 of them"), "{done:?}");
    let check = desk.good(&["data", "check", "--data-dir=data"]);
    assert!(
        check.out.contains("copies       8 test images"),
        "{check:?}"
    );
}

/// Older checkpoints have hashes of the bytes of JPEG files: they are compared by these, and a resumed run keeps them.
#[test]
fn hashes_of_older_checkpoints_are_compared_by_what_they_are_of() {
    let desk = Desk::new();
    jpegs(&desk.path("data/train"), "", 0, 8, <[u8]>::to_vec);
    jpegs(&desk.path("data/val"), "", 12, 2, <[u8]>::to_vec);
    desk.good(&with(&TRAIN, &["--epochs=1"]));
    let run = desk.runs().remove(0);
    let hashes = |from: usize| -> Vec<u64> {
        let files = (0..2).flat_map(|class| (from..8).map(move |number| jpeg(class, number)));
        let mut hashes: Vec<u64> = files.map(|file| xxh3_64(&file)).collect();
        hashes.sort_unstable();
        hashes
    };
    let mut checkpoint = checkpoint::load(&run).unwrap();
    checkpoint.snapshot.learned_images = ImageHashes {
        pixels: Vec::new(),
        older: hashes(0),
    };
    checkpoint::save(&run, &checkpoint.snapshot, &checkpoint.manifest.config).unwrap();
    jpegs(&desk.path("other/train"), "", 14, 2, <[u8]>::to_vec);
    jpegs(&desk.path("other/val"), "again", 12, 2, <[u8]>::to_vec);
    let other = ["--data-dir=other"];
    let eval = [&["eval", text(&run)], &other[..]].concat();
    let none =
        "(by their pixels, of JPEG files by their bytes, the network was trained on none of them)";
    let done = result(&desk.good(&eval));
    assert!(done.contains(none), "{done}");
    jpegs(&desk.path("other/val"), "again", 3, 1, <[u8]>::to_vec);
    assert_eq!(trained_on(&desk, &run, &other), 2);
    // What the run goes on with is identified by its pixels; two images of the past only by their bytes.
    for class in CLASSES {
        fs::remove_file(desk.path("data/train").join(class).join("03.jpg")).unwrap();
    }
    desk.good(&["train", "--resume", text(&run), "--epochs=2"]);
    let ImageHashes { pixels, older } = checkpoint::load(&run).unwrap().snapshot.learned_images;
    assert_eq!((pixels.len(), older), (14, hashes(0)));
    jpegs(&desk.path("other/val"), "more", 5, 1, appended);
    assert_eq!(trained_on(&desk, &run, &other), 4);
}

#[test]
fn a_folder_is_refused_where_all_was_learned_and_counted_where_some_was() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 12);
    photos(&desk.path("data/val"), &CLASSES, 40, 4);
    desk.good(&with(&TRAIN, &["--steps=2"]));
    let run = desk.runs().remove(0);
    photos(&desk.path("other/val"), &CLASSES, 0, 12);
    photos(&desk.path("other/train"), &CLASSES, 50, 4);
    let eval = ["eval", text(&run), "--data-dir=other"];
    let done = result(&desk.good(&eval));
    let some = "24 images of image-folder (the network was trained on 16 of them): ";
    assert!(done.starts_with(some), "{done}");
    // From an older version, which recorded no hashes.
    let mut checkpoint = checkpoint::load(&run).unwrap();
    let kept = std::mem::take(&mut checkpoint.snapshot.learned_images);
    checkpoint::save(&run, &checkpoint.snapshot, &checkpoint.manifest.config).unwrap();
    let done = result(&desk.good(&eval));
    assert!(done.starts_with(some), "{done}");
    checkpoint.snapshot.learned_images = kept;
    checkpoint::save(&run, &checkpoint.snapshot, &checkpoint.manifest.config).unwrap();
    desk.good(&["train", "--resume", text(&run), "--steps=3"]);
    let all = "trained on all 24 test images of image-folder";
    desk.bad(&eval, 2, &[all]);
}

#[test]
fn copies_that_the_network_never_learned_from_are_a_note() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 12);
    photos(&desk.path("data/val"), &CLASSES, 40, 4);
    desk.good(&with(&TRAIN, &["--epochs=1"]));
    let run = desk.runs().remove(0);
    photos(&desk.path("other/train"), &CLASSES, 60, 4);
    photos(&desk.path("other/val"), &CLASSES, 60, 4);
    let done = desk.good(&["eval", text(&run), "--data-dir=other"]);
    let note = "val/ has the images of train/ (by their pixels, all 8)";
    assert!(done.err.contains(note), "{done:?}");
    let none =
        "8 images of image-folder (by their pixels, the network was trained on none of them)";
    assert!(result(&done).starts_with(none), "{done:?}");
}

/// No step trains on the further batches of a round, but they decide what grows.
#[test]
fn images_that_decided_what_grows_were_learned_from() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 12);
    photos(&desk.path("data/val"), &CLASSES, 40, 4);
    photos(&desk.path("other/train"), &CLASSES, 50, 2);
    photos(&desk.path("other/val"), &CLASSES, 0, 12);
    let counts = [1, 4].map(|batches| {
        let name = format!("--name=b{batches}");
        let batches = format!("--round-batches={batches}");
        let flags = ["--batch=2", "--steps=2", "--round-every=1", &batches, &name];
        desk.good(&with(&TRAIN, &flags));
        let name = name.trim_start_matches("--name=");
        let mut runs = desk.runs().into_iter();
        let run = runs.find(|run| text(run).ends_with(name)).unwrap();
        trained_on(&desk, &run, &["--data-dir=other"])
            .as_u64()
            .unwrap()
    });
    // Two steps of two; for a round, six more, of which some may be the same.
    assert_eq!(counts[0], 4);
    assert!((6..=16).contains(&counts[1]), "{counts:?}");
}

/// If a bad image is left out, another of its class is trained on instead: here the only good one of each class, which
/// is in no batch itself.
#[test]
fn images_that_stood_in_for_bad_ones_were_learned_from() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 4);
    photos(&desk.path("data/val"), &CLASSES, 40, 2);
    photos(&desk.path("other/train"), &CLASSES, 50, 2);
    photos(&desk.path("other/val"), &CLASSES, 1, 1);
    for class in CLASSES {
        for name in ["00.png", "02.png", "03.png"] {
            let image = desk.path("data/train").join(class).join(name);
            fs::write(image, b"\x89PNG\r\n\x1a\nno more").unwrap();
        }
    }
    // Its first batch has numbers 4, 3, 0 and 2 of the eight.
    let flags = ["--steps=1", "--batch=4", "--seed=2", "--skip-bad-images"];
    desk.good(&with(&TRAIN, &flags));
    let run = desk.runs().remove(0);
    assert_eq!(trained_on(&desk, &run, &["--data-dir=other"]), 2);
}

#[test]
fn eval_leaves_out_bad_images_where_it_is_told_to() {
    let desk = Desk::new();
    photos(&desk.path("data/train"), &CLASSES, 0, 12);
    photos(&desk.path("data/val"), &CLASSES, 40, 4);
    desk.good(&with(&TRAIN, &["--epochs=1"]));
    let run = desk.runs().remove(0);
    fs::write(
        desk.path("data/val/cat/41.png"),
        b"\x89PNG\r\n\x1a\nno more",
    )
    .unwrap();
    let eval = ["eval", text(&run)];
    desk.bad(&eval, 1, &["cat/41.png"]);
    let done = desk.good(&[&eval[..], &["--skip-bad-images"]].concat());
    assert!(result(&done).starts_with("7 images"), "{done:?}");
    assert!(
        done.err.contains("left out") && done.err.contains("cat/41.png"),
        "{done:?}"
    );
    let digits = desk.small(&["--epochs=1"]);
    let flags = ["eval", text(&digits), "--skip-bad-images"];
    desk.bad(&flags, 2, &["--skip-bad-images has no effect"]);
}
