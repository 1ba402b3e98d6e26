//! A known data set: its contents, and how its files are found.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::downloads::Download;
use crate::error::option::DATA_DIR;
use crate::error::{Error, Result};
use crate::files::no_folder;

/// The form of a set's files.
pub(in crate::data) enum Format {
    /// Embedded in the program.
    Embedded,
    /// Four IDX files.
    Idx,
    /// Files of fixed-size records.
    Cifar(Layout),
}

/// A known data set.
pub(in crate::data) struct Entry {
    pub name: &'static str,
    /// Names of its classes in the order of their numbers.
    pub class_names: &'static [&'static str],
    /// Mean and standard deviation per channel of the training images' pixels, scaled to `[0, 1]`.
    pub mean: &'static [f32],
    pub std: &'static [f32],
    pub format: Format,
    /// Possible names of the folder inside `--data-dir`: ours, and the one that the official archive unpacks to.
    pub(in crate::data) folders: &'static [&'static str],
    /// The set's files, training files first.
    pub files: &'static [&'static str],
    /// CRC-32 of their unpacked contents.
    pub checksums: &'static [u32],
    /// Where to get them.
    pub(in crate::data) origin: &'static str,
    /// The files as published.
    pub(in crate::data) downloads: &'static [Download],
}

impl Entry {
    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.class_names.len()
    }

    /// The folder with the set's files: the folder inside `dir` with the set's name if there is one, otherwise `dir`
    /// itself.
    pub fn folder(&self, dir: Option<&Path>) -> Result<PathBuf> {
        let Some(dir) = dir else {
            return Err(Error::Missing {
                option: "data_dir",
                who: format!("the data set {}", self.name),
                what: format!(
                    "the folder with {}; get them from {}",
                    self.expected(),
                    self.origin
                ),
            });
        };
        if !dir.is_dir() {
            return Err(Error::Data {
                path: dir.to_owned(),
                reason: format!(
                    "{}; {DATA_DIR} takes the folder with {}",
                    no_folder(dir),
                    self.expected()
                ),
            });
        }
        let inside = self.folders.iter().map(|folder| dir.join(folder));
        let mut candidates = inside.chain([dir.to_owned()]);
        candidates
            .find(|folder| self.files.iter().any(|file| existing(folder, file).is_some()))
            .ok_or_else(|| Error::Data {
                path: dir.to_owned(),
                reason: format!(
                    "no file of the data set {} is here or in its folder `{}`; expected {}; get them from {}",
                    self.name,
                    self.folders[0],
                    self.expected(),
                    self.origin
                ),
            })
    }

    /// The path of one of the set's files in `folder`.
    pub fn file(&self, folder: &Path, name: &str) -> Result<PathBuf> {
        existing(folder, name).ok_or_else(|| Error::Data {
            path: folder.join(name),
            reason: format!("the file is missing; get it from {}", self.origin),
        })
    }

    /// The error for a faulty file: what is wrong, and where to get a sound one.
    pub fn damaged(&self, path: &Path, what: impl Display) -> Error {
        Error::Data {
            path: path.to_owned(),
            reason: format!("{what}; {}", self.remedy()),
        }
    }

    /// Where to get a sound file.
    pub fn remedy(&self) -> String {
        match self.format {
            Format::Embedded => "build the program again from unchanged sources".to_owned(),
            _ => format!("get it again from {}", self.origin),
        }
    }

    fn expected(&self) -> String {
        let gzip = match self.format {
            Format::Idx => " (each may end in .gz)",
            _ => "",
        };
        format!("{}{gzip}", self.files.join(", "))
    }
}

/// The file `name` in `folder`. An IDX file can have other names: gzipped, which is preferred because of its checksum,
/// and with a dot instead of a hyphen, as in some archives of MNIST (`train-images.idx3-ubyte`).
fn existing(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut names = vec![name.to_owned()];
    if name.contains("-idx") {
        names.push(name.replace("-idx", ".idx"));
        names.splice(
            0..0,
            [format!("{}.gz", names[0]), format!("{}.gz", names[1])],
        );
    }
    names
        .into_iter()
        .map(|name| folder.join(name))
        .find(|path| path.is_file())
}

/// The layout of the files of CIFAR-10 or CIFAR-100.
pub(in crate::data) struct Layout {
    /// The number of classes of each label byte. The last label is the one to learn: for CIFAR-100 the fine one.
    pub label_classes: &'static [u8],
    /// Records in each training file, and in the test file.
    pub records: [usize; 2],
}

/// CIFAR-10.
pub(in crate::data) const CIFAR_TEN: Layout = Layout {
    label_classes: &[10],
    records: [10_000, 10_000],
};

/// CIFAR-100: a coarse label, then a fine one.
pub(in crate::data) const CIFAR_HUNDRED: Layout = Layout {
    label_classes: &[20, 100],
    records: [50_000, 10_000],
};
