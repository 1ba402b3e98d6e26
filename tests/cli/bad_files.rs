//! Data files that are missing, truncated or changed.

use crate::Desk;
use std::fs;
use std::io::Write;
use std::path::Path;
use tempfile::TempDir;

const FILES: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

/// An array in MNIST's format, gzipped.
fn idx(dimensions: &[u32], content: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut bytes = vec![0, 0, 8, dimensions.len() as u8];
    bytes.extend(dimensions.iter().flat_map(|d| d.to_be_bytes()));
    bytes.extend(content);
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(&bytes).unwrap();
    encoder.finish().unwrap()
}

/// A data set like Fashion-MNIST, of 40 training and 20 test images of 3 × 5 pixels, none twice.
pub fn idx_folder() -> TempDir {
    idx_folder_of([31, 37])
}

/// Like [`idx_folder`]; if the two factors are equal, the test images are training images.
pub fn idx_folder_of(factors: [u32; 2]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    for (half, count) in [(0, 40), (2, 20)] {
        let factor = factors[half / 2];
        let pixels = (0..count * 15).map(|p| (p * factor % 251) as u8);
        write(FILES[half], idx(&[count, 3, 5], pixels));
        let labels = (0..count).map(|i| (i % 10) as u8);
        write(FILES[half + 1], idx(&[count], labels));
    }
    folder
}

fn arguments(folder: &Path) -> [&str; 7] {
    let folder = crate::text(folder);
    [
        "train",
        "--data=fashion-mnist",
        "--data-dir",
        folder,
        "--hidden=16",
        "--epochs=1",
        "--quiet",
    ]
}

/// The default model depends on the images' size, whatever the data set is called.
#[test]
fn large_images_of_a_known_sets_format_get_a_convolutional_model() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: Vec<u8>| fs::write(folder.path().join(name), bytes).unwrap();
    for half in [0, 2] {
        let pixels = (0..10 * 66 * 66).map(|p| (p * 31 % 251) as u8);
        write(FILES[half], idx(&[10, 66, 66], pixels));
        write(FILES[half + 1], idx(&[10], (0..10).map(|i| i as u8)));
    }
    let desk = Desk::new();
    let mut large = vec![
        "train",
        "--data=mnist",
        "--sparsity=0.98",
        "--batch=5",
        "--runs=runs",
    ];
    let folder = crate::text(folder.path());
    large.extend(["--steps=1", "--data-dir", folder]);
    let done = desk.good(&large);
    for part in [
        "note: the model is resnet18",
        "66 × 66 pixels",
        "resnet18, 21 sparse layers",
    ] {
        assert!(done.out.contains(part), "no {part}: {done:?}");
    }
    let run = desk.runs().remove(0);
    assert!(
        crate::text(&run).ends_with("mnist-resnet18-gse-uniform"),
        "{run:?}"
    );
    desk.good(&["eval", crate::text(&run)]);
    let done = desk.good(&["train", "--resume", crate::text(&run), "--steps=2"]);
    assert!(done.out.contains("resnet18, 21 sparse layers"), "{done:?}");
    large.push("--hidden=8");
    let done = desk.good(&large);
    assert!(done.out.contains("4356-8-10"), "{done:?}");
}

#[test]
fn sound_files_train() {
    let desk = Desk::new();
    let folder = idx_folder();
    desk.good(&arguments(folder.path()));
    // The run remembers where they were, so that it can be resumed and evaluated from anywhere.
    let run = desk.runs().remove(0);
    let config = fs::read_to_string(run.join("config.toml")).unwrap();
    assert!(config.contains(crate::text(folder.path())), "{config}");
    let done = desk.good(&["eval", crate::text(&run)]);
    assert!(
        done.out.starts_with("20 test images of fashion-mnist"),
        "{done:?}"
    );
    drop(folder);
    desk.bad(&["eval", crate::text(&run)], 1, &["--data-dir"]);
    desk.bad(
        &["train", "--resume", crate::text(&run)],
        1,
        &["--data-dir"],
    );
}

#[test]
fn missing_truncated_and_changed_files_are_named() {
    let desk = Desk::new();
    desk.bad(
        &arguments(Path::new("nowhere")),
        1,
        &["nowhere", "no such folder"],
    );
    let empty = tempfile::tempdir().unwrap();
    desk.bad(
        &arguments(empty.path()),
        1,
        &["no file of the data set fashion-mnist", "github.com"],
    );
    for name in FILES {
        let folder = idx_folder();
        let path = folder.path().join(name);
        let sound = fs::read(&path).unwrap();
        let refused = |parts: &[&str]| {
            let parts = [&[name][..], parts].concat();
            desk.bad(&arguments(folder.path()), 1, &parts);
        };
        for length in [0, 3, sound.len() / 2, sound.len() - 1] {
            fs::write(&path, &sound[..length]).unwrap();
            refused(&["get it again from https://github.com"]);
        }
        for place in [0, sound.len() / 2, sound.len() - 8, sound.len() - 1] {
            let mut bytes = sound.clone();
            bytes[place] ^= 1;
            fs::write(&path, bytes).unwrap();
            refused(&["get it again from https://github.com"]);
        }
        fs::write(&path, idx(&[1, 1, 1, 1], std::iter::once(0))).unwrap();
        refused(&["this is no IDX file"]);
        fs::remove_file(&path).unwrap();
        let plain = name.trim_end_matches(".gz");
        let parts = [plain, "the file is missing; get it from https://github.com"];
        desk.bad(&arguments(folder.path()), 1, &parts);
    }
    assert!(
        desk.runs().is_empty(),
        "a mistake leaves no run folder behind"
    );
}
