//! An image folder: `train/<class>/*` and `val/<class>/*`, JPEG and PNG files of any size, one folder a class. That is how
//! ImageNet and Tiny-ImageNet are commonly laid out.
//!
//! Only the names are held in memory. A file is read and decoded when its image is wanted, by the loader's threads.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::crop::{Cutter, Part};
use super::decode::{LONGEST, decode};
use super::{DataSource, Dataset, ImageOptions, ImageShape, Normalisation};
use crate::error::{Error, Result};

/// What the data set's kind is called.
pub(super) const NAME: &str = "image-folder";
/// What is expected of the folder, for messages.
const EXPECTED: &str = "train/<class>/* and val/<class>/* (JPEG or PNG files, one folder a class)";
/// Endings of the files that are taken for images, in lower case.
const ENDINGS: [&str; 4] = ["jpg", "jpeg", "jpe", "png"];
/// Mean and standard deviation of ImageNet's training images, those that everyone uses.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// The images of `train/` or `val/`: a list of files, read one by one as they are wanted.
#[derive(Debug)]
pub struct FolderSplit {
    folder: PathBuf,
    /// Names of the classes, sorted: a class's number is its place here.
    classes: Arc<[OsString]>,
    /// Sorted by class, then by name.
    files: Vec<File>,
    size: u32,
    resize: u32,
}

#[derive(Debug)]
struct File {
    class: u32,
    name: Box<OsStr>,
}

impl FolderSplit {
    /// Number of images.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is no image at all.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The class of image `index`. Like a slice's, an index past the end panics.
    pub fn label(&self, index: usize) -> u32 {
        self.files[index].class
    }

    /// The file of image `index`. Like a slice's, an index past the end panics.
    pub fn path(&self, index: usize) -> PathBuf {
        let File { class, name } = &self.files[index];
        self.folder
            .join(&self.classes[*class as usize])
            .join(Path::new(name))
    }

    /// The classes' names, in the order of their numbers.
    pub fn classes(&self) -> &[OsString] {
        &self.classes
    }

    /// Bytes of one image as the network sees it.
    pub(super) fn features(&self) -> usize {
        3 * (self.size as usize).pow(2)
    }

    /// What cuts parts out of these images.
    pub(super) fn cutter(&self) -> Cutter {
        Cutter::new(self.size, self.resize)
    }

    /// Reads image `index` and writes the wanted part of it to `output`, `[channel][y][x]`.
    pub(super) fn read(
        &self,
        index: usize,
        part: Part,
        cutter: &mut Cutter,
        output: &mut [u8],
    ) -> Result<()> {
        let path = self.path(index);
        let content = fs::read(&path).map_err(Error::io("read", &path))?;
        decode(&content)
            .and_then(|image| cutter.cut(&image, part, output))
            .map_err(|what| Error::Data {
                path,
                reason: format!("{what}; put a sound copy in its place, or delete it"),
            })
    }

    /// Keeps `limit` images: the first of every class, then the second of every class, and so on.
    fn truncate(&mut self, limit: usize) {
        if limit >= self.files.len() {
            return;
        }
        let mut sizes = vec![0; self.classes.len()];
        for file in &self.files {
            sizes[file.class as usize] += 1;
        }
        let mut kept = vec![0usize; sizes.len()];
        let mut left = limit;
        while left > 0 {
            for (kept, &size) in kept.iter_mut().zip(&sizes) {
                if *kept < size && left > 0 {
                    *kept += 1;
                    left -= 1;
                }
            }
        }
        self.files.retain(|file| {
            let kept = &mut kept[file.class as usize];
            let keep = *kept > 0;
            *kept -= usize::from(keep);
            keep
        });
        self.files.shrink_to_fit();
    }
}

/// Lists the files of an image folder.
pub(super) fn load(source: &DataSource) -> Result<Dataset> {
    let Some(dir) = source.dir.as_deref() else {
        return Err(Error::Usage(format!(
            "--data {NAME} needs --data-dir DIR, a folder with {EXPECTED}"
        )));
    };
    let (size, resize) = sizes(&source.images)?;
    let root = root(dir)?;
    let mut notes = Vec::new();
    let mut train = scan(&root.join("train"), None, size, resize)?;
    if let Some(limit) = source.limit {
        train.truncate(limit);
    }
    let train = Arc::new(train);
    let val = root.join("val");
    let test = if val.is_dir() {
        let mut test = scan(&val, Some(&train.classes), size, resize)?;
        if let Some(limit) = source.limit {
            test.truncate(limit);
        }
        Arc::new(test)
    } else {
        notes.push(format!(
            "{} has no folder `val`: the training images are the test images too, so that test accuracy says nothing \
             of images not seen before; put others into val/<class>/*",
            root.display()
        ));
        train.clone()
    };
    Ok(Dataset {
        name: NAME.to_owned(),
        shape: ImageShape {
            channels: 3,
            height: size as usize,
            width: size as usize,
        },
        classes: train.classes.len(),
        normalisation: Normalisation {
            mean: MEAN.to_vec(),
            std: STD.to_vec(),
        },
        train: train.into(),
        test: test.into(),
        notes,
    })
}

/// The part's size and the shorter side's.
fn sizes(options: &ImageOptions) -> Result<(u32, u32)> {
    let (size, resize) = (options.size, options.resize());
    if size == 0 || size > resize || resize > LONGEST as usize {
        return Err(Error::Usage(format!(
            "parts of {size} × {size} pixels cannot be cut out of images whose shorter side is resized to {resize}; \
             --image-size must be at least 1 and at most --resize, and that at most {LONGEST}"
        )));
    }
    Ok((size as u32, resize as u32))
}

/// The folder with `train/`: `dir` or the only such folder in it.
fn root(dir: &Path) -> Result<PathBuf> {
    if dir.join("train").is_dir() {
        return Ok(dir.to_owned());
    }
    let refuse = |what: String| {
        Err(Error::Data {
            path: dir.to_owned(),
            reason: format!("{what}; --data-dir takes a folder with {EXPECTED}"),
        })
    };
    if !dir.is_dir() {
        return refuse("this is not a folder".to_owned());
    }
    let mut inside: Vec<PathBuf> = (entries(dir)?.iter())
        .map(DirEntry::path)
        .filter(|path| path.join("train").is_dir())
        .collect();
    match inside.len() {
        0 => refuse("there is no folder `train` here or in a folder below".to_owned()),
        1 => Ok(inside.swap_remove(0)),
        _ => refuse(format!(
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
fn scan(
    folder: &Path,
    known: Option<&Arc<[OsString]>>,
    size: u32,
    resize: u32,
) -> Result<FolderSplit> {
    let refuse = |path: PathBuf, reason: &str| {
        Err(Error::Data {
            path,
            reason: reason.to_owned(),
        })
    };
    let found = entries(folder)?;
    if let Some(file) = found.iter().find(|entry| !is_folder(entry)) {
        return refuse(
            file.path(),
            "a file beside the classes' folders; images belong into the folder of their class, <class>/*, anything \
             else out of here",
        );
    }
    let names: Arc<[OsString]> = found.iter().map(DirEntry::file_name).collect();
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
        for entry in entries(&path)? {
            if is_folder(&entry) {
                return refuse(
                    entry.path(),
                    "a folder inside a class's folder; move its images up into that of their class (the official \
                     archive of Tiny-ImageNet has them one level too deep)",
                );
            }
            let file = PathBuf::from(entry.file_name());
            let ending = file.extension().map(OsStr::to_ascii_lowercase);
            if !ending.is_some_and(|ending| ENDINGS.iter().any(|known| ending == *known)) {
                return refuse(
                    entry.path(),
                    "no image by its name, which should end in .jpg, .jpeg or .png; move it elsewhere",
                );
            }
            files.push(File {
                class: class as u32,
                name: entry.file_name().into_boxed_os_str(),
            });
        }
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
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_takes_from_every_class_in_turn() {
        let split = |limit| {
            let classes = ["a", "b", "c"].map(OsString::from);
            let file = |(class, name): (u32, &str)| File {
                class,
                name: OsStr::new(name).into(),
            };
            let files = [
                (0, "p"),
                (0, "q"),
                (0, "r"),
                (0, "s"),
                (1, "t"),
                (2, "u"),
                (2, "v"),
            ];
            let mut split = FolderSplit {
                folder: PathBuf::new(),
                classes: Arc::new(classes),
                files: files.map(file).into(),
                size: 1,
                resize: 1,
            };
            split.truncate(limit);
            let names = split.files.iter().map(|file| file.name.to_str().unwrap());
            names.collect::<String>()
        };
        let expected = [
            "", "p", "pt", "ptu", "pqtu", "pqtuv", "pqrtuv", "pqrstuv", "pqrstuv",
        ];
        for (limit, expected) in expected.into_iter().enumerate() {
            assert_eq!(split(limit), expected, "{limit}");
        }
    }
}
