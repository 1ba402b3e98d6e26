//! The known data sets: their files, where to get them, and how they are normalised.

use super::entry::{CIFAR_HUNDRED, CIFAR_TEN, Entry, Format};
use super::{checksums, class_names, downloads};
use crate::data::augmentation::Augmentation;
use crate::error::{Error, Result};

/// The name of the kind of data set whose images are files in folders.
pub const IMAGE_FOLDER: &str = "image-folder";

/// The names that [`load`](crate::data::load) knows: those of the catalogue, the first of which is the default, and image
/// folders.
pub const NAMES: [&str; CATALOGUE.len() + 1] = {
    let mut names = [IMAGE_FOLDER; CATALOGUE.len() + 1];
    let mut i = 0;
    while i < CATALOGUE.len() {
        names[i] = CATALOGUE[i].name;
        i += 1;
    }
    names
};

/// Whether the name of a data set is the path of a file or a folder: a path has a separator or a dot, which the known
/// names do not have.
pub fn is_path(name: &str) -> bool {
    name.contains(['/', '\\', '.'])
}

const IDX_FILES: &[&str] = &[
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// All known sets. The embedded one comes first.
pub(in crate::data) static CATALOGUE: &[Entry] = &[
    Entry {
        name: "digits",
        class_names: &class_names::TEN_DIGITS,
        // Computed from our training split (see digits.rs); a test recomputes them.
        mean: &[0.2872],
        std: &[0.3540],
        format: Format::Embedded,
        folders: &[],
        files: &[],
        checksums: checksums::DIGITS,
        origin: "",
        downloads: &[],
    },
    Entry {
        name: "mnist",
        class_names: &class_names::TEN_DIGITS,
        // Those of PyTorch's MNIST example, which everyone uses.
        mean: &[0.1307],
        std: &[0.3081],
        format: Format::Idx,
        folders: &["mnist", "MNIST/raw"],
        files: IDX_FILES,
        checksums: checksums::MNIST,
        origin: "https://ossci-datasets.s3.amazonaws.com/mnist/",
        downloads: downloads::MNIST,
    },
    Entry {
        name: "fashion-mnist",
        class_names: &class_names::FASHION,
        // Those of the training images, as for MNIST.
        mean: &[0.2860],
        std: &[0.3530],
        format: Format::Idx,
        folders: &["fashion-mnist", "FashionMNIST/raw"],
        files: IDX_FILES,
        checksums: checksums::FASHION,
        origin: "https://github.com/zalandoresearch/fashion-mnist",
        downloads: downloads::FASHION,
    },
    Entry {
        name: "cifar10",
        class_names: &class_names::CIFAR_10,
        // The training images' own, as in the literature on sparse training.
        mean: &[0.4914, 0.4822, 0.4465],
        std: &[0.2470, 0.2435, 0.2616],
        format: Format::Cifar(CIFAR_TEN),
        folders: &["cifar10", "cifar-10-batches-bin"],
        files: &[
            "data_batch_1.bin",
            "data_batch_2.bin",
            "data_batch_3.bin",
            "data_batch_4.bin",
            "data_batch_5.bin",
            "test_batch.bin",
        ],
        checksums: checksums::CIFAR_10,
        origin: "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        downloads: downloads::CIFAR_10,
    },
    Entry {
        name: "cifar100",
        class_names: &class_names::CIFAR_100,
        // The training images' own, as in the literature on sparse training.
        mean: &[0.5071, 0.4865, 0.4409],
        std: &[0.2673, 0.2564, 0.2762],
        format: Format::Cifar(CIFAR_HUNDRED),
        folders: &["cifar100", "cifar-100-binary"],
        files: &["train.bin", "test.bin"],
        checksums: checksums::CIFAR_100,
        origin: "https://www.cs.toronto.edu/~kriz/cifar-100-binary.tar.gz",
        downloads: downloads::CIFAR_100,
    },
];

/// The usual augmentation of the set with that name: none for digits and garments, which are upright and centred, and
/// for tables; border, crop and mirroring for CIFAR; resized crops and mirroring for image folders.
///
/// # Errors
/// [`Error::Value`] for an unknown name.
pub fn usual_augmentation(name: &str) -> Result<Augmentation> {
    if is_path(name) {
        return Ok(Augmentation::None);
    }
    if name == IMAGE_FOLDER {
        return "resized-crop-flip".parse();
    }
    match find(name)?.format {
        Format::Cifar(_) => "pad-crop-flip".parse(),
        Format::Embedded | Format::Idx => Ok(Augmentation::None),
    }
}

/// The set with that name, if it is made of certain files.
pub(in crate::data) fn find(name: &str) -> Result<&'static Entry> {
    CATALOGUE
        .iter()
        .find(|set| set.name == name)
        .ok_or_else(|| Error::Value {
            option: "data",
            must: format!("must be one of {}", NAMES.join(", ")),
            value: name.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn every_name_has_an_entry_that_is_whole() {
        for set in CATALOGUE {
            assert_eq!(find(set.name).unwrap().name, set.name, "a name twice");
            assert_eq!(set.mean.len(), set.std.len());
            let embedded = matches!(set.format, Format::Embedded);
            assert_eq!(embedded, set.files.is_empty() && set.folders.is_empty());
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = find("minst").err().unwrap().to_string();
        assert!(message.contains("not minst"), "{message}");
        assert!(NAMES.iter().all(|name| message.contains(name)), "{message}");
    }

    #[test]
    fn a_missing_folder_says_what_is_expected() {
        for set in &CATALOGUE[1..] {
            let empty = tempfile::tempdir().unwrap();
            let usage = set.folder(None).unwrap_err();
            assert!(matches!(usage, Error::Missing { .. }));
            let data = set.folder(Some(empty.path())).unwrap_err();
            assert!(matches!(data, Error::Data { .. }));
            for message in [usage.to_string(), data.to_string()] {
                for part in set.files.iter().chain([&set.name, &set.origin]) {
                    assert!(message.contains(part), "{part} is not in: {message}");
                }
            }
            let nowhere = set.folder(Some(&empty.path().join("nowhere"))).unwrap_err();
            assert!(nowhere.to_string().contains("no such folder"), "{nowhere}");
        }
    }

    #[test]
    fn the_folder_of_the_name_goes_before_the_folder_itself() {
        let set = find("cifar10").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let write = |path: PathBuf| {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, []).unwrap();
        };
        write(dir.path().join("test_batch.bin"));
        assert_eq!(set.folder(Some(dir.path())).unwrap(), dir.path());
        for folder in ["cifar-10-batches-bin", "cifar10"] {
            write(dir.path().join(folder).join("test_batch.bin"));
            assert_eq!(
                set.folder(Some(dir.path())).unwrap(),
                dir.path().join(folder)
            );
        }
        let missing = set
            .file(dir.path(), "data_batch_1.bin")
            .unwrap_err()
            .to_string();
        assert!(
            missing.contains("data_batch_1.bin: the file is missing"),
            "{missing}"
        );
    }
}
