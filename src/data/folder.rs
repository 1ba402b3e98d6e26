//! An image folder: `train/<class>/*` and `val/<class>/*`, JPEG and PNG files of any size, one folder a class. That is how
//! ImageNet and Tiny-ImageNet are commonly laid out. Where there is no folder to test by, a part of `train` is split off.
//!
//! Only the names are held in memory. A file is read and decoded when its image is needed, by the loader's threads.

use std::ffi::OsStr;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::augmentation::Part;
use super::bad::BadImages;
use super::copies::{Copies, copies};
use super::crop::Cutter;
use super::decode::{BESIDES, LONGEST, START, available, check_length, check_start, decode, hash};
use super::hashes::Hashes;
use super::scan::{EXPECTED, Faults, root, scan, test_folder};
use super::{DataOptions, Dataset, ImageOptions, ImageShape, Normalisation, TestPart};
use crate::error::{Error, Result};

/// What the data set's kind is called.
pub const NAME: &str = "image-folder";
/// Mean and standard deviation of ImageNet's training images, those that everyone uses.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];
/// How the reason ends why an image is refused.
pub(super) const ADVICE: &str = "; put a sound copy in its place, or delete it";

/// The training images or the test images of a folder: a list of files, read one by one as they are needed.
#[derive(Clone, Debug)]
pub struct FolderSplit {
    pub(super) folder: PathBuf,
    /// Names of the classes: a class's number is its place here. Sorted, but for a folder that takes another's numbers.
    pub(super) classes: Arc<[String]>,
    /// Sorted by class, then by name.
    pub(super) files: Vec<File>,
    pub(super) size: u32,
    pub(super) resize: u32,
    /// What could not be read, where the images are used without it.
    pub(super) bad: Option<Arc<BadImages>>,
    /// By what its images are known again; of other files anew.
    pub(super) hashes: Hashes,
}

/// An image's file.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub class: u32,
    pub bytes: u64,
    pub name: Box<OsStr>,
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

    /// The folder with the classes' folders.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The class of image `index`. Like a slice's, an index past the end panics.
    pub fn label(&self, index: usize) -> u32 {
        self.files[index].class
    }

    /// The file of image `index`. Like a slice's, an index past the end panics.
    pub fn path(&self, index: usize) -> PathBuf {
        let File { class, name, .. } = &self.files[index];
        self.folder
            .join(&self.classes[*class as usize])
            .join(Path::new(name))
    }

    /// The classes' names, in the order of their numbers.
    pub fn classes(&self) -> &[String] {
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

    /// Reads image `index` and writes the asked part of it to `output`, `[channel][y][x]`.
    pub(super) fn read(
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
                self.hashes
                    .note(index, self.len(), || hash(&content, &image));
                cutter.cut(&image, part, output)
            })
            .map_err(|what| Error::Data {
                path,
                reason: format!("{what}{ADVICE}"),
            })
    }

    /// The same files under the numbers that their classes have in `classes`; none if one of them is not there.
    pub(super) fn renumbered(&self, classes: &Arc<[String]>) -> Option<Self> {
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

    /// The other images of its class, from the next one on; they lie together.
    pub(super) fn others_of_class(&self, index: usize) -> impl Iterator<Item = usize> + '_ {
        let class = self.label(index);
        let same = move |&at: &usize| self.files[at].class == class;
        let first = (0..index).rev().take_while(same).last().unwrap_or(index);
        (index + 1..self.len()).take_while(same).chain(first..index)
    }

    /// Images of each class.
    pub(super) fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.classes.len()];
        for file in &self.files {
            sizes[file.class as usize] += 1;
        }
        sizes
    }

    /// Keeps `limit` images: the first of every class, then the second of every class, and so on.
    fn truncate(&mut self, limit: usize) {
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

/// A file's content. It was a file when it was found; asked once more, for a pipe would keep the reader waiting for ever.
pub(super) fn content(path: &Path) -> Result<Vec<u8>> {
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
    // A file's name promises an image. What is none, and may be larger than the memory, is left unread.
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

/// Lists the files of an image folder.
///
/// # Errors
/// A folder that is not laid out as one, or one with entries that cannot be used, unless they are to be left out.
pub(super) fn load(source: &DataOptions) -> Result<Dataset> {
    let (mut data, faults) = list(source)?;
    let skip = source.images.skip_bad;
    if let Some(refusal) = faults.refusal(skip) {
        return Err(refusal);
    }
    if let Some(note) = test_by_others(&data)? {
        data.notes.push(note);
    }
    if skip {
        let bad = Arc::new(BadImages::from(faults.entries));
        for images in [&mut data.train, &mut data.test] {
            if let Some(split) = images.folder() {
                let bad = Some(bad.clone());
                *images = FolderSplit {
                    bad,
                    ..split.clone()
                }
                .into();
            }
        }
    }
    Ok(data)
}

/// Refuses test images that are all training images, by links or copies under whatever names: no number from training images is a
/// test's. Some that are is a note.
fn test_by_others(data: &Dataset) -> Result<Option<String>> {
    let (Some(train), Some(test)) = (data.train.folder(), data.test.folder()) else {
        return Ok(None);
    };
    let Copies {
        compared,
        found,
        perhaps_more,
    } = copies(train, test);
    let least = match perhaps_more {
        true => "at least ",
        false => "",
    };
    let of_all = match compared == test.len() {
        true => String::new(),
        false => format!(" of its {} that were compared", test.len()),
    };
    let where_from = match &data.test_part {
        TestPart::Folder(name) => format!("in {name}/"),
        _ => "that --val-split holds out of train/".to_owned(),
    };
    match (found, &data.test_part) {
        (0, _) => Ok(None),
        (_, TestPart::Folder(name)) if found == compared => Err(Error::Usage(format!(
            "{name}/ has the images of train/ (to the byte, all {compared}{of_all}), and training images test nothing: put others \
             there, or remove it, and --val-split holds some of train/ out"
        ))),
        (_, _) if found == compared => Err(Error::Usage(format!(
            "the test images {where_from} lie there once more (to the byte, all {compared}{of_all}), and training images test nothing: \
             leave one of each in train/, or put others into val/"
        ))),
        _ => Ok(Some(format!(
            "{least}{found} of {compared} test images {where_from}{of_all} are, to the byte, training images as well: they test nothing; \
             `rootlet data check` compares all"
        ))),
    }
}

/// Lists the files of an image folder, without the entries that cannot be used: what is wrong with the folder comes beside them.
///
/// # Errors
/// No folder that is laid out as one, or one whose parts are empty.
pub(super) fn list(source: &DataOptions) -> Result<(Dataset, Faults)> {
    available()?;
    let Some(dir) = source.dir.as_deref() else {
        return Err(Error::Missing {
            option: "data_dir",
            who: format!("the data set {NAME}"),
            what: format!("a folder with {EXPECTED}"),
        });
    };
    let ImageOptions { val_split, .. } = source.images;
    let (size, resize) = sizes(&source.images)?;
    if !(0.0..1.0).contains(&val_split) {
        return Err(Error::Value {
            option: "val_split",
            must: "must be at least 0 and below 1".to_owned(),
            value: val_split.to_string(),
        });
    }
    let root = root(dir)?;
    let mut faults = Faults::default();
    let all = scan(&root.join("train"), None, size, resize, &mut faults)?;
    let folder = test_folder(&root)?;
    let (mut train, mut test, test_part) = match folder {
        Some(name) => {
            let known = Some(&all.classes);
            let test = scan(&root.join(name), known, size, resize, &mut faults)?;
            (all, test, TestPart::Folder(name.to_owned()))
        }
        None => {
            // What is wrong with the images is said before what follows from it.
            let refusal = faults.refusal(source.images.skip_bad);
            if let Some(refusal) = refusal.filter(|_| val_split > 0.0) {
                return Err(refusal);
            }
            let seed = source.images.seed;
            let (train, test) = all.split_off(val_split, seed)?;
            let part = TestPart::SplitOff {
                share: val_split,
                seed,
                trained_on: false,
            };
            (train, test, part)
        }
    };
    if let Some(limit) = source.limit {
        train.truncate(limit);
        test.truncate(limit);
    }
    let class_names = train.classes.to_vec();
    let mut data = Dataset {
        name: NAME.to_owned(),
        shape: ImageShape {
            channels: 3,
            height: size as usize,
            width: size as usize,
        },
        classes: class_names.len(),
        class_names,
        normalisation: Normalisation {
            mean: MEAN.to_vec(),
            std: STD.to_vec(),
        },
        train: Arc::new(train).into(),
        test: Arc::new(test).into(),
        test_part,
        notes: Vec::new(),
        untaught: Vec::new(),
    };
    data.note_classes();
    Ok((data, faults))
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
