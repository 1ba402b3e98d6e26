//! Finding what an image folder holds: its parts, classes and files, and what does not belong there.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::FolderSplit;
use super::folder::File;
use crate::error::{Error, Result};

/// What is expected of the folder, for messages.
pub(super) const EXPECTED: &str =
    "train/<class>/* and val/<class>/* (JPEG or PNG files, one folder a class)";
/// Names that the folder with the test images goes by; the first that is there is taken.
pub(super) const TEST_FOLDERS: [&str; 4] = ["val", "validation", "valid", "test"];
/// Endings of the files that are taken for images, in lower case.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "jpe", "png"];

fn refuse<T>(path: PathBuf, reason: &str) -> Result<T> {
    Err(Error::Data {
        path,
        reason: reason.to_owned(),
    })
}

/// The folder with `train/`: `dir` or the only such folder in it.
pub(super) fn root(dir: &Path) -> Result<PathBuf> {
    if dir.join("train").is_dir() {
        return Ok(dir.to_owned());
    }
    let refuse = |what: &str| {
        refuse(
            dir.to_owned(),
            &format!("{what}; --data-dir takes a folder with {EXPECTED}"),
        )
    };
    if !dir.is_dir() {
        return refuse("this is not a folder");
    }
    let mut inside: Vec<PathBuf> = (entries(dir)?.iter())
        .map(DirEntry::path)
        .filter(|path| path.join("train").is_dir())
        .collect();
    match inside.len() {
        0 => refuse("there is no folder `train` here or in a folder below"),
        1 => Ok(inside.swap_remove(0)),
        _ => refuse(&format!(
            "several folders here hold a folder `train`, {} and {} among them: name one",
            inside[0].display(),
            inside[1].display()
        )),
    }
}

/// What is in a folder and not hidden, sorted by name.
fn entries(folder: &Path) -> Result<Vec<DirEntry>> {
    let read = || Error::io("read", folder);
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).map_err(read())? {
        let entry = entry.map_err(read())?;
        if !entry.file_name().as_encoded_bytes().starts_with(b".") {
            entries.push(entry);
        }
    }
    entries.sort_by_cached_key(DirEntry::file_name);
    Ok(entries)
}

/// Whether an entry is a folder. Links are followed, other entries cost no look at the disk.
fn is_folder(entry: &DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if !kind.is_symlink() => kind.is_dir(),
        _ => entry.path().is_dir(),
    }
}

/// Lists the images below `folder`. The classes are its folders, or `known` ones, which then must have all of them.
pub(super) fn scan(
    folder: &Path,
    known: Option<&Arc<[String]>>,
    size: u32,
    resize: u32,
) -> Result<FolderSplit> {
    let found = entries(folder)?;
    if let Some(file) = found.iter().find(|entry| !is_folder(entry)) {
        return refuse(
            file.path(),
            "a file beside the classes' folders; images belong into the folder of their class, <class>/*, anything \
             else out of here",
        );
    }
    let names: Arc<[String]> = found.iter().map(class_name).collect::<Result<_>>()?;
    if names.is_empty() {
        return refuse(
            folder.to_owned(),
            "it is empty; expected a folder with images for every class, <class>/*",
        );
    }
    let classes = known.unwrap_or(&names).clone();
    let mut files = Vec::new();
    for name in names.iter() {
        let path = folder.join(name);
        let Ok(class) = classes.binary_search(name) else {
            return refuse(
                path,
                "no class of this name is in `train`; the folders here must be named as those there are",
            );
        };
        let before = files.len();
        // A look at each file, for its size: many at a time, because the disk or the network takes its time.
        let of_class: Vec<File> = (entries(&path)?.par_iter())
            .map(|entry| image(entry, class as u32))
            .collect::<Result<_>>()?;
        files.extend(of_class);
        if files.len() == before {
            return refuse(path, "it holds no images; add some, or delete the folder");
        }
    }
    if u32::try_from(files.len()).is_err() {
        return refuse(
            folder.to_owned(),
            "it holds more images than 32 bits can number",
        );
    }
    files.shrink_to_fit();
    Ok(FolderSplit {
        folder: folder.to_owned(),
        classes,
        files,
        size,
        resize,
        bad: None,
    })
}

/// A class's name, which a checkpoint keeps as text.
fn class_name(entry: &DirEntry) -> Result<String> {
    match entry.file_name().into_string() {
        Ok(name) => Ok(name),
        Err(_) => refuse(
            entry.path(),
            "a class's name must be Unicode (UTF-8), for the checkpoints keep it; rename the folder",
        ),
    }
}

/// An entry of a class's folder, which must be an image's file by its name and its kind.
fn image(entry: &DirEntry, class: u32) -> Result<File> {
    let path = entry.path();
    if is_folder(entry) {
        return refuse(
            path,
            "a folder inside a class's folder; move its images up into that of their class (the official archive of \
             Tiny-ImageNet has them one level too deep)",
        );
    }
    let ending = path.extension().map(OsStr::to_ascii_lowercase);
    if !ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
        return refuse(
            path,
            "no image by its name, which should end in .jpg, .jpeg or .png; move it elsewhere",
        );
    }
    // Links are followed. Reading a pipe or a device would wait for ever.
    let about = fs::metadata(&path).map_err(Error::io("read", &path))?;
    if !about.is_file() {
        return refuse(
            path,
            "it is not a file; put an image in its place, or remove it",
        );
    }
    Ok(File {
        class,
        bytes: about.len(),
        name: entry.file_name().into_boxed_os_str(),
    })
}
