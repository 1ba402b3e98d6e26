//! The images of a folder: a list of files, read and decoded one by one when they are needed.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::bad_images::{ADVICE, BadImages};
use super::crop::Cutter;
use super::decode::{BESIDES, START, check_length, check_start, decode, hash, older_hash};
use super::hashes::Hashes;
use crate::data::augmentation::Part;
use crate::error::{Error, Result};

/// The training images or the test images of a folder: a list of files, read one by one when they are needed.
#[derive(Clone, Debug)]
pub struct FolderSplit {
    pub(in crate::data) folder: PathBuf,
    /// Names of the classes: a class's number is its place here. Sorted, unless the folder takes another folder's
    /// numbers.
    pub(in crate::data) classes: Arc<[String]>,
    /// Sorted by class, then by name.
    pub(in crate::data) files: Vec<File>,
    pub(in crate::data) size: u32,
    pub(in crate::data) resize: u32,
    /// What could not be read, if the images are used without it.
    pub(in crate::data) bad: Option<Arc<BadImages>>,
    /// The hashes by which its images are recognised; other files get new ones.
    pub(in crate::data) hashes: Hashes,
}

/// The file of an image.
#[derive(Clone, Debug)]
pub(in crate::data) struct File {
    pub class: u32,
    pub bytes: u64,
    pub name: Box<OsStr>,
}

impl FolderSplit {
    /// A split with the same classes but no images, in another place.
    pub(in crate::data) fn none_of(&self, folder: PathBuf) -> Self {
        FolderSplit {
            folder,
            classes: self.classes.clone(),
            files: Vec::new(),
            hashes: Hashes::default(),
            bad: None,
            ..*self
        }
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there are no images.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The folder that contains the classes' folders.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The class of image `index`. As for a slice, an index past the end panics.
    pub fn label(&self, index: usize) -> u32 {
        self.files[index].class
    }

    /// The file of image `index`. As for a slice, an index past the end panics.
    pub fn path(&self, index: usize) -> PathBuf {
        let File { class, name, .. } = &self.files[index];
        self.folder
            .join(&self.classes[*class as usize])
            .join(Path::new(name))
    }

    /// The names of the classes in the order of their numbers.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }

    /// Bytes of one image as the network sees it.
    pub(in crate::data) fn features(&self) -> usize {
        3 * (self.size as usize).pow(2)
    }

    /// The cutter for these images.
    pub(in crate::data) fn cutter(&self) -> Cutter {
        Cutter::new(self.size, self.resize)
    }

    /// Reads image `index` and writes the requested part of it to `output`, `[channel][y][x]`.
    pub(in crate::data) fn read(
        &self,
        index: usize,
        part: Part,
        cutter: &mut Cutter,
        output: &mut [u8],
    ) -> Result<()> {
        let path = self.path(index);
        let content = content(&path)?;
        decode(&content)
            .and_then(|image| {
                let older = || older_hash(&content, &image);
                self.hashes.note(index, self.len(), || hash(&image), older);
                cutter.cut(&image, part, output)
            })
            .map_err(|what| Error::Data {
                path,
                reason: format!("{what}{ADVICE}"),
            })
    }

    /// Reads image `index` only for its hash, into `scratch`; one that cannot be read is left out if bad images are.
    pub(in crate::data) fn look(
        &self,
        index: usize,
        cutter: &mut Cutter,
        scratch: &mut [u8],
    ) -> Result<()> {
        let mut read = || self.read(index, Part::Middle, cutter, scratch);
        match &self.bad {
            Some(bad) => {
                bad.good(&self.path(index), read);
                Ok(())
            }
            None => read(),
        }
    }

    /// The same files under the numbers that their classes have in `classes`; `None` if one of them is missing there.
    pub(in crate::data) fn renumbered(&self, classes: &Arc<[String]>) -> Option<Self> {
        let number = |name: &String| classes.iter().position(|known| known == name);
        let numbers: Vec<usize> = self.classes.iter().map(number).collect::<Option<_>>()?;
        let file = |file: &File| File {
            class: numbers[file.class as usize] as u32,
            ..file.clone()
        };
        Some(Self {
            classes: classes.clone(),
            files: self.files.iter().map(file).collect(),
            folder: self.folder.clone(),
            bad: self.bad.clone(),
            hashes: self.hashes.clone(),
            ..*self
        })
    }

    /// The image that is trained on instead of image `index`: itself, unless it was left out.
    pub(in crate::data) fn stand_in(&self, index: usize) -> usize {
        let Some(bad) = &self.bad else {
            return index;
        };
        let bad = bad.all();
        let good = |&index: &usize| !bad.contains_key(&self.path(index));
        let mut all = std::iter::once(index).chain(self.others_of_class(index));
        all.find(good).unwrap_or(index)
    }

    /// The other images of its class, starting with the next one; they are adjacent.
    pub(in crate::data) fn others_of_class(
        &self,
        index: usize,
    ) -> impl Iterator<Item = usize> + '_ {
        let class = self.label(index);
        let same = move |&at: &usize| self.files[at].class == class;
        let first = (0..index).rev().take_while(same).last().unwrap_or(index);
        (index + 1..self.len()).take_while(same).chain(first..index)
    }

    /// Number of images in each class.
    pub(in crate::data) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.classes.len()];
        for file in &self.files {
            sizes[file.class as usize] += 1;
        }
        sizes
    }

    /// Keeps `limit` images: the first of every class, then the second of every class, and so on.
    pub(in crate::data) fn truncate(&mut self, limit: usize) {
        if limit >= self.files.len() {
            return;
        }
        let sizes = self.sizes();
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
        self.hashes = Hashes::default();
    }
}

/// A file's content. It was a file when it was found; this is checked once more, because a pipe would keep the reader
/// waiting for ever.
pub(in crate::data) fn content(path: &Path) -> Result<Vec<u8>> {
    let about = fs::metadata(path).map_err(Error::io("read", path))?;
    if !about.is_file() {
        return Err(Error::Data {
            path: path.to_owned(),
            reason: "it is not a file any more; put an image in its place, or remove it".to_owned(),
        });
    }
    let mut file = fs::File::open(path).map_err(Error::io("read", path))?;
    let mut bytes = Vec::new();
    let mut read_up_to = |length: u64, bytes: &mut Vec<u8>| {
        let missing = length.min(about.len()).saturating_sub(bytes.len() as u64);
        let room = usize::try_from(missing).unwrap_or(usize::MAX);
        (bytes.try_reserve_exact(room).map_err(std::io::Error::other))
            .and_then(|()| (&mut file).take(missing).read_to_end(bytes))
            .map_err(Error::io("read", path))
    };
    // A file's name promises an image. Anything else, which may be larger than the memory, is not read.
    let wrong = |what| Error::Data {
        path: path.to_owned(),
        reason: format!("{what}{ADVICE}"),
    };
    read_up_to(START, &mut bytes)?;
    check_start(&bytes).map_err(wrong)?;
    read_up_to(BESIDES, &mut bytes)?;
    check_length(&bytes, about.len()).map_err(wrong)?;
    read_up_to(u64::MAX, &mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_takes_from_every_class_in_turn() {
        let split = |limit| {
            let classes = ["a", "b", "c"].map(str::to_owned);
            let file = |(class, name): (u32, &str)| File {
                class,
                bytes: 1,
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
                bad: None,
                hashes: Hashes::default(),
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
