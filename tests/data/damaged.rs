//! Damaged files are refused, with the file and the remedy in the message.

use std::fs;

use rootlet::Error;
use rootlet::data;

use super::files::{FILES, assert_tiny, folder, gzip, idx, source, tiny};

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
