//! Finds what an image folder holds: its parts, classes and files, and what does not belong there.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::prelude::*;

use super::bad_images::{BadImage, reason_of};
use super::hashes::Hashes;
use super::split::{File, FolderSplit};
use crate::error::option::DATA_DIR;
use crate::error::{Error, Result};
use crate::files::no_folder;

/// What is expected of the folder, for messages.
pub(in crate::data) const EXPECTED: &str =
    "train/<class>/* and val/<class>/* (JPEG, PNG, WebP or BMP files, one folder a class)";
/// Possible names of the folder with the test images, also in capital letters; the first one found is used.
pub(in crate::data) const TEST_FOLDERS: [&str; 5] =
    ["val", "validation", "valid", "test", "testing"];
/// How many of them hold validation images if another one holds test images.
const VALIDATION: usize = 3;
/// Number of classes by which a folder is recognised as having the same ones.
const SOME_CLASSES: usize = 32;
/// Extensions of the files that are taken for images, in lower case.
const ENDINGS: [&str; 6] = ["jpg", "jpeg", "jpe", "png", "webp", "bmp"];

/// The faults of an image folder, in the order in which they were found.
#[derive(Default)]
pub(in crate::data) struct Faults {
    /// Entries in an image's place that are not images: the set can be used without them.
    pub entries: Vec<BadImage>,
    /// Folders that leave the classes unclear.
    pub folders: Vec<BadImage>,
}

impl Faults {
    fn folder(&mut self, path: PathBuf, reason: impl Into<String>) {
        let reason = reason.into();
        self.folders.push(BadImage { path, reason });
    }

    /// The error for the first of them, entries before the folders that hold nothing else; `None` if there are none, or
    /// if there are only entries and `skip` leaves these out.
    pub fn refusal(&self, skip: bool) -> Option<Error> {
        let entries = match skip {
            true => &[][..],
            false => &self.entries,
        };
        let mut all = entries.iter().chain(&self.folders);
        let BadImage { path, reason } = all.next()?;
        let more = match all.count() {
            0 => String::new(),
            1 => "; one more entry cannot be used: `rootlet data check` names both".to_owned(),
            more => {
                format!("; {more} more entries cannot be used: `rootlet data check` names them all")
            }
        };
        Some(Error::Data {
            path: path.clone(),
            reason: format!("{reason}{more}"),
        })
    }
}

fn refuse<T>(path: PathBuf, reason: &str) -> Result<T> {
    Err(Error::Data {
        path,
        reason: reason.to_owned(),
    })
}

/// The folder with `train/`: `dir` or the only such folder in it.
pub(in crate::data) fn root(dir: &Path) -> Result<PathBuf> {
    if dir.join("train").is_dir() {
        return Ok(dir.to_owned());
    }
    let refuse = |what: &str| {
        refuse(
            dir.to_owned(),
            &format!("{what}; {DATA_DIR} takes a folder with {EXPECTED}"),
        )
    };
    if !dir.is_dir() {
        return refuse(no_folder(dir));
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

/// Whether a folder has test images, and neither it nor a folder in it has images to train with.
pub(in crate::data) fn tests_alone(dir: &Path) -> Result<bool> {
    let alone = dir.is_dir() && root(dir).is_err();
    Ok(alone && test_folder(dir)?.is_some())
}

/// Whether all folders in this one belong to these classes.
fn has_these_alone(path: &Path, classes: &[String]) -> Result<bool> {
    let known: HashSet<&str> = classes.iter().map(String::as_str).collect();
    let is_known = |entry: &DirEntry| {
        let name = entry.file_name();
        !is_folder(entry) || name.to_str().is_some_and(|name| known.contains(name))
    };
    Ok(entries(path)?.iter().all(is_known))
}

/// The folder of test images beside `first`, if `first` is named as one for validation and there is another one with
/// the same classes for tests.
pub(in crate::data) fn second_folder(
    root: &Path,
    first: &str,
    classes: &[String],
) -> Result<Option<String>> {
    let is =
        |name: &str, among: &[&str]| among.iter().any(|known| name.eq_ignore_ascii_case(known));
    let (validation, test) = TEST_FOLDERS.split_at(VALIDATION);
    if !is(first, validation) {
        return Ok(None);
    }
    let mut names = Vec::new();
    for path in unused_folders(root, &[first], classes)? {
        let name = path.file_name().and_then(OsStr::to_str).unwrap_or_default();
        if is(name, test) && has_these_alone(&path, classes)? {
            names.push(name.to_owned());
        }
    }
    Ok(names.into_iter().min())
}

/// The folder of test images, if there is one.
///
/// # Errors
/// Something else has its name, such as a link to a disk that is not there: missing test images must not be replaced
/// silently.
pub(in crate::data) fn test_folder(root: &Path) -> Result<Option<String>> {
    let found = entries(root)?;
    for known in TEST_FOLDERS {
        let mut of_name: Vec<&DirEntry> = (found.iter())
            .filter(|entry| entry.file_name().eq_ignore_ascii_case(known))
            .collect();
        of_name.sort_by_key(|entry| entry.file_name() != known);
        let Some(entry) = of_name.first() else {
            continue;
        };
        let path = entry.path();
        if is_folder(entry) {
            return Ok(Some(entry.file_name().to_string_lossy().into_owned()));
        }
        let what = match path.exists() {
            false => "a link to nothing",
            true => "no folder",
        };
        return Err(Error::Data {
            path,
            reason: format!(
                "it is {what}, and bears the name of the folder of test images; put them there, or remove it"
            ),
        });
    }
    Ok(None)
}

/// Folders beside `train` and the folder of the test images that also have folders of these classes: their images are
/// not used.
pub(in crate::data) fn unused_folders(
    root: &Path,
    used: &[&str],
    classes: &[String],
) -> Result<Vec<PathBuf>> {
    let others = entries(root)?.into_iter().filter(|entry| {
        let name = entry.file_name();
        let used = name == "train" || used.iter().any(|used| name == *used);
        !used && is_folder(entry)
    });
    let mut unused: Vec<PathBuf> = others.map(|entry| entry.path()).collect();
    unused.retain(|path| {
        let mut some = classes.iter().take(SOME_CLASSES);
        some.any(|class| path.join(class).is_dir())
    });
    Ok(unused)
}

/// The entries of a folder that are not hidden, sorted by name.
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

/// Whether an entry is a folder. Links are followed; other entries need no access to the disk.
fn is_folder(entry: &DirEntry) -> bool {
    match entry.file_type() {
        Ok(kind) if !kind.is_symlink() => kind.is_dir(),
        _ => entry.path().is_dir(),
    }
}

/// Lists the images below `folder`. The classes are its folders, or `known` ones, which must then include all of them.
/// What cannot be used is left out and added to `faults`.
///
/// # Errors
/// `folder` itself cannot be read, or contains too many images.
pub(in crate::data) fn scan(
    folder: &Path,
    known: Option<&Arc<[String]>>,
    size: u32,
    resize: u32,
    faults: &mut Faults,
) -> Result<FolderSplit> {
    let mut names = Vec::new();
    let found = entries(folder)?;
    for entry in &found {
        if !is_folder(entry) {
            faults.entries.push(BadImage {
                path: entry.path(),
                reason: "a file beside the classes' folders; images belong into the folder of their class, <class>/*, \
                         anything else out of here"
                    .to_owned(),
            });
        } else if let Ok(name) = entry.file_name().into_string() {
            names.push(name);
        } else {
            faults.folder(
                entry.path(),
                "a class's name must be Unicode (UTF-8), for the checkpoints keep it; rename the folder",
            );
        }
    }
    if found.is_empty() {
        faults.folder(
            folder.to_owned(),
            "it is empty; expected a folder with images for every class, <class>/*",
        );
    }
    let names: Arc<[String]> = names.into();
    let classes = known.unwrap_or(&names).clone();
    let mut files = Vec::new();
    for name in names.iter() {
        let path = folder.join(name);
        let Ok(class) = classes.binary_search(name) else {
            faults.folder(
                path,
                "no class of this name is in `train`; the folders here must be named as those there are",
            );
            continue;
        };
        let before = files.len();
        match entries(&path) {
            // Each file is checked, many at a time, because the disk or the network is slow.
            Ok(of_class) => {
                let looked: Vec<_> = (of_class.par_iter())
                    .map(|entry| image(entry, class as u32))
                    .collect();
                for looked in looked {
                    match looked {
                        Ok(file) => files.push(file),
                        Err(bad) => faults.entries.push(bad),
                    }
                }
                if files.len() == before {
                    faults.folder(path, "it holds no images; add some, or delete the folder");
                }
            }
            Err(error) => {
                let reason = reason_of(error);
                faults.folder(path, format!("{reason}; make it readable, or remove it"));
            }
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
        hashes: Hashes::default(),
    })
}

/// An entry of a class's folder, which must be an image file by its name and its kind.
fn image(entry: &DirEntry, class: u32) -> Result<File, BadImage> {
    let path = entry.path();
    match looked_at(entry, &path) {
        Ok(bytes) => Ok(File {
            class,
            bytes,
            name: entry.file_name().into_boxed_os_str(),
        }),
        Err(reason) => Err(BadImage { path, reason }),
    }
}

/// The length of an image file, or why it is not one.
fn looked_at(entry: &DirEntry, path: &Path) -> Result<u64, String> {
    if is_folder(entry) {
        return Err(
            "a folder inside a class's folder; move its images up into that of their class (the official archive of \
             Tiny-ImageNet has them one level too deep)"
                .to_owned(),
        );
    }
    let ending = path.extension().map(OsStr::to_ascii_lowercase);
    if !ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
        return Err(
            "no image by its name, which should end in .jpg, .jpeg or .png; move it elsewhere"
                .to_owned(),
        );
    }
    let unreadable = |error: std::io::Error| {
        format!("it cannot be read ({error}); make it readable, or remove it")
    };
    // Links are followed. Opening a pipe or a device could wait for ever.
    let about = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            "a link to nothing; put an image in its place, or remove it".to_owned()
        }
        _ => unreadable(error),
    })?;
    if !about.is_file() {
        return Err("it is not a file; put an image in its place, or remove it".to_owned());
    }
    // Only opening it tells whether it may be read: now, rather than within an epoch.
    fs::File::open(path).map_err(unreadable)?;
    Ok(about.len())
}
