//! Files that cannot be used are named, wherever they are damaged, and end the epoch or the run.

use std::fs;

use jpeg_encoder::{ColorType, Encoder};
use rootlet::Error;
use rootlet::data::{Augmentation, Loader, LoaderOptions};
use rootlet::engine::Device;
use rootlet::train::{Event, Hooks, TrainConfig, Trainer};

use crate::files::{Picture, folder, middle, open, training};

fn jpeg(progressive: bool) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    encoder.set_progressive(progressive);
    let pixels = Picture::rough(24, 24).pixels.concat();
    encoder.encode(&pixels, 24, 24, ColorType::Rgb).unwrap();
    file
}

#[track_caller]
fn names_the_file(result: rootlet::Result<Vec<u8>>, name: &str) {
    let error = result.unwrap_err();
    assert!(matches!(error, Error::Data { .. }), "{error}");
    let message = error.to_string();
    for part in ["train", name, "put a sound copy in its place, or delete it"] {
        assert!(message.contains(part), "no {part} in: {message}");
    }
    assert!(!message.contains('\n'), "{message}");
}

#[test]
fn truncated_files_are_named() {
    for (name, file) in [
        ("a.jpg", jpeg(false)),
        ("a.jpg", jpeg(true)),
        ("a.png", Picture::rough(24, 24).png()),
    ] {
        let last = file.len() - 1;
        for length in (0..last).step_by(37).chain([last - 1, last]) {
            names_the_file(middle(name, &file[..length], 24, 24), name);
        }
        middle(name, &file, 24, 24).unwrap();
    }
}

/// Nor is the end marker of a thumbnail taken for the image's, and bytes after the image do no harm.
#[test]
fn the_end_marker_is_the_images_own() {
    let mut file = Vec::new();
    let mut encoder = Encoder::new(&mut file, 90);
    let thumbnail = jpeg(false);
    encoder.add_app_segment(1, thumbnail).unwrap();
    let pixels = Picture::rough(24, 24).pixels.concat();
    encoder.encode(&pixels, 24, 24, ColorType::Rgb).unwrap();
    let whole = middle("a.jpg", &file, 24, 24).unwrap();
    names_the_file(middle("a.jpg", &file[..file.len() - 2], 24, 24), "a.jpg");
    file.extend([0, 0, 1, 2, 3]);
    assert_eq!(middle("a.jpg", &file, 24, 24).unwrap(), whole);
}

/// A header that claims more rows than there are data for, and a file that was cut and given an end marker.
#[test]
fn jpegs_that_claim_more_than_they_hold_are_named() {
    for progressive in [false, true] {
        let whole = jpeg(progressive);
        let frame = if progressive {
            [0xff, 0xc2]
        } else {
            [0xff, 0xc0]
        };
        let at = whole.windows(2).position(|pair| pair == frame).unwrap();
        for claimed in [32u16, 48, 4000, 16_000] {
            let mut file = whole.clone();
            file[at + 5..at + 7].copy_from_slice(&claimed.to_be_bytes());
            names_the_file(middle("a.jpg", &file, 24, 24), "a.jpg");
        }
        // The data of the scans, from the first on: wherever they are cut, the rest of an image is missing.
        let scan = whole
            .windows(2)
            .position(|pair| pair == [0xff, 0xda])
            .unwrap();
        let data = scan + 14..whole.len() - 4;
        for length in data.step_by(29).filter(|&length| whole[length - 1] != 0xff) {
            let file = [&whole[..length], &[0xff, 0xd9]].concat();
            if progressive && middle("a.jpg", &file, 24, 24).is_ok() {
                // Between two scans, and within the refinement of one, it is a whole file with less detail.
                continue;
            }
            names_the_file(middle("a.jpg", &file, 24, 24), "a.jpg");
        }
    }
}

/// Restart markers, whose last interval ends with the image.
#[test]
fn jpegs_with_restarts_are_whole() {
    let pixels = Picture::rough(48, 32).pixels.concat();
    for interval in [1, 2, 3, 6, 24, 100] {
        for progressive in [false, true] {
            let mut file = Vec::new();
            let mut encoder = Encoder::new(&mut file, 90);
            encoder.set_progressive(progressive);
            encoder.set_restart_interval(interval);
            encoder.encode(&pixels, 48, 32, ColorType::Rgb).unwrap();
            middle("a.jpg", &file, 24, 32).unwrap();
        }
    }
}

/// Bits that are not a code of the file, where a lenient decoder would fill the rest of the image with grey.
#[test]
fn damaged_data_are_named() {
    for progressive in [false, true] {
        let mut file = jpeg(progressive);
        let middle_of_file = file.len() * 3 / 4;
        for pair in file[middle_of_file..][..100].chunks_exact_mut(2) {
            pair.copy_from_slice(&[0xff, 0]);
        }
        names_the_file(middle("a.jpg", &file, 24, 24), "a.jpg");
    }
}

#[test]
fn other_files_are_named() {
    for content in [
        &b""[..],
        b"GIF89a",
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"RIFF....WEBPVP8 ",
    ] {
        names_the_file(middle("a.png", content, 4, 4), "a.png");
    }
    // PNG has checksums: no flipped bit of its data goes unnoticed.
    let whole = Picture::rough(9, 9).png();
    let data = whole.windows(4).position(|w| w == b"IDAT").unwrap();
    for byte in (data..whole.len() - 12).step_by(5) {
        let mut file = whole.clone();
        file[byte] ^= 4;
        names_the_file(middle("a.png", &file, 9, 9), "a.png");
    }
}

/// The batches before the damaged file are complete, and none come after it.
#[test]
fn a_loader_stops_at_a_damaged_file() {
    let png = Picture::smooth(4, 4).png();
    let files = (0..20).map(|i| {
        let content = if i == 13 { &b"no image"[..] } else { &png };
        (format!("train/a/{i:02}.png"), content)
    });
    let dir = folder(files);
    let set = open(dir.path(), 4, 4);
    for workers in [1, 3] {
        let options = LoaderOptions {
            workers,
            ..LoaderOptions::of_batch(2)
        };
        let mut loader =
            Loader::start(set.train.clone(), set.shape, &set.normalisation, options).unwrap();
        for index in 0..6 {
            assert_eq!(loader.next().unwrap().unwrap().index, index);
        }
        let message = loader.next().unwrap().unwrap_err().to_string();
        assert!(message.contains("13.png"), "{message}");
        assert!(loader.next().is_none());
    }
    // Removed since it was found.
    fs::remove_file(dir.path().join("train/a/13.png")).unwrap();
    let crop = Augmentation::PadCropFlip { pad: 1, flip: true };
    let loader = Loader::start(
        set.train.clone(),
        set.shape,
        &set.normalisation,
        training(20, 0, crop),
    );
    let error = loader.unwrap().next().unwrap().unwrap_err();
    assert!(
        matches!(error, Error::Io { .. }) && error.to_string().contains("13.png"),
        "{error}"
    );
}

#[test]
fn a_run_stops_with_the_files_name() {
    let png = Picture::smooth(4, 4).png();
    let other = Picture::rough(4, 4).png();
    let dir = folder([
        ("train/a/1.png", &png[..]),
        ("train/b/2.png", &png),
        ("train/b/3.png", &png[..png.len() / 2]),
        ("val/a/1.png", &other),
        ("val/b/1.png", &other),
    ]);
    let mut config = TrainConfig::default();
    config.model.hidden = vec![16];
    config.run.batch = 2;
    let set = open(dir.path(), 4, 4);
    let mut trainer = Trainer::new(Device::cpu(1).unwrap(), config, set).unwrap();
    trainer.evaluate().unwrap();
    let message = trainer
        .run(&mut Hooks::observing(&mut |_: &Event| Ok(())))
        .unwrap_err()
        .to_string();
    assert!(message.contains("3.png"), "{message}");
}
