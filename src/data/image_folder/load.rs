//! An image folder: `train/<class>/*` and `val/<class>/*`, JPEG, PNG, WebP and BMP files of any size, one folder per
//! class. ImageNet and Tiny-ImageNet are commonly laid out like this. If there is no folder to test on, a part of
//! `train` is split off for validation; if there are folders for both, each has its own.
//!
//! Only the names are held in memory. A file is read and decoded by the loader's threads when its image is needed.

use std::sync::Arc;

use super::bad_images::BadImages;
use super::copies::{Copies, copies};
use super::decode::{LONGEST, available};
use super::scan::{
    EXPECTED, Faults, TEST_FOLDERS, root, scan, second_folder, test_folder, tests_alone,
    unused_folders,
};
use super::split::FolderSplit;
use crate::data::dataset::Dataset;
use crate::data::normalisation::Normalisation;
use crate::data::options::{DataOptions, ImageOptions};
use crate::data::parts::{DataPart, HeldOut, TestPart};
use crate::data::published::IMAGE_FOLDER;
use crate::data::shape::ImageShape;
use crate::error::option::VAL_SPLIT;
use crate::error::{Error, Refusal, Result};

/// The commonly used mean and standard deviation of ImageNet's training images.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Lists the files of an image folder. `to_train`: whether a network will learn from them.
///
/// # Errors
/// The folder is not laid out as an image folder, or has entries that cannot be used and are not to be left out; for a
/// training, also a folder whose test images are all training images.
pub(in crate::data) fn load(source: &DataOptions, to_train: bool) -> Result<Dataset> {
    let (mut data, faults) = list_parts(source, to_train)?;
    let skip = source.images.skip_bad;
    if let Some(refusal) = faults.refusal(skip) {
        return Err(refusal);
    }
    for part in DataPart::ALL {
        match judged_by_others(&data, part) {
            Some(Shared::All(found, way_out)) if to_train => {
                return Err(Error::refused(Refusal::TestsNothing { found, way_out }));
            }
            Some(Shared::All(what, _)) => {
                (data.notes).push(format!(
                    "{what}, and tests no network that learns from these"
                ));
            }
            Some(Shared::Some(note)) => data.notes.push(note),
            None => {}
        }
    }
    if skip {
        let bad = Arc::new(BadImages::from(faults.entries));
        let validation = data.validation.as_mut().map(|held| &mut held.images);
        for images in [&mut data.train, &mut data.test]
            .into_iter()
            .chain(validation)
        {
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

/// Images of a part that are training images, in words.
enum Shared {
    /// All that were compared are: the fact, and what to do about it.
    All(String, String),
    Some(String),
}

/// Looks for images of a part that are training images, as links or copies under whatever names.
fn judged_by_others(data: &Dataset, part: DataPart) -> Option<Shared> {
    let HeldOut { images, part: from } = data.part(part)?;
    let (train, held_out) = (data.train.folder()?, images.folder()?);
    let Copies {
        compared,
        found,
        perhaps_more,
    } = copies(train, held_out);
    let least = match perhaps_more {
        true => "at least ",
        false => "",
    };
    let of_all = match compared == held_out.len() {
        true => String::new(),
        false => format!(" of its {} that were compared", held_out.len()),
    };
    let where_from = match &from {
        TestPart::Folder(name) => format!("in {name}/"),
        _ => format!("that {VAL_SPLIT} holds out of train/"),
    };
    let how = format!("(by their pixels, all {compared}{of_all})");
    let shared = match (found, &from) {
        (0, _) => return None,
        (_, TestPart::Folder(name)) if found == compared => Shared::All(
            format!("{name}/ has the images of train/ {how}"),
            format!("put others there, or remove it, and {VAL_SPLIT} holds some of train/ out"),
        ),
        (_, _) if found == compared => Shared::All(
            format!("the {part} images {where_from} lie there once more {how}"),
            "leave one of each in train/, or put others into val/".to_owned(),
        ),
        _ => Shared::Some(format!(
            "{least}{found} of {compared} {part} images {where_from}{of_all} are, by their pixels, training images as \
             well, and test no network that learns from these; `rootlet data check` compares all"
        )),
    };
    Some(shared)
}

/// Lists the files of an image folder, without the entries that cannot be used; faults of the folder are returned
/// beside them.
///
/// # Errors
/// The folder is not laid out as an image folder, or one of its parts is empty.
pub(in crate::data) fn list(source: &DataOptions) -> Result<(Dataset, Faults)> {
    list_parts(source, true)
}

/// As [`list`]; if not `to_train`, `train` may be missing beside a folder of test images, whose classes are then all
/// classes.
fn list_parts(source: &DataOptions, to_train: bool) -> Result<(Dataset, Faults)> {
    available()?;
    let Some(dir) = source.dir.as_deref() else {
        return Err(Error::Missing {
            option: "data_dir",
            who: format!("the data set {IMAGE_FOLDER}"),
            what: format!("a folder with {EXPECTED}"),
        });
    };
    let (size, resize) = sizes(&source.images)?;
    let tests_alone = !to_train && tests_alone(dir)?;
    let root = match tests_alone {
        true => dir.to_owned(),
        false => root(dir)?,
    };
    let mut faults = Faults::default();
    let first = test_folder(&root)?;
    let share = source.share(first.is_some())?;
    let train = root.join("train");
    let all = match tests_alone {
        true => None,
        false => Some(scan(&train, None, size, resize, &mut faults)?),
    };
    let mut scan_part = |name: &String, known| {
        let images = scan(&root.join(name), known, size, resize, &mut faults)?;
        Ok::<_, Error>((images, TestPart::Folder(name.clone())))
    };
    let known = all.as_ref().map(|all| &all.classes);
    let (mut test, mut second) = (None, None);
    if let Some(first) = &first {
        let (images, part) = scan_part(first, known)?;
        second = second_folder(&root, first, &images.classes)?;
        test = Some((images, part));
    }
    let mut validation = None;
    if let Some(second) = &second {
        let known = known
            .or(test.as_ref().map(|(images, _)| &images.classes))
            .cloned();
        validation = test.replace(scan_part(second, known.as_ref())?);
    }
    let mut train = match (all, &test) {
        (Some(all), _) => all,
        (None, Some((images, _))) => images.none_of(train),
        // Without a folder to test on there was one to train on.
        (None, None) => scan(&train, None, size, resize, &mut faults)?,
    };
    if share > 0.0 && validation.is_none() && !tests_alone {
        // Faults of the images are reported before their consequences.
        if let Some(refusal) = faults.refusal(source.images.skip_bad) {
            return Err(refusal);
        }
        let (rest, held_out) = train.split_off(share, source.seed)?;
        validation = Some((held_out, TestPart::split_off(share, source.seed)));
        train = rest;
    }
    let (mut test, test_part) =
        test.unwrap_or_else(|| (train.none_of(root.join("test")), TestPart::Nothing));
    let used: Vec<&str> = first.iter().chain(&second).map(String::as_str).collect();
    let unused = unused_folders(&root, &used, &train.classes)?;
    if let Some(limit) = source.limit {
        train.truncate(limit);
        test.truncate(limit);
        if let Some((images, _)) = &mut validation {
            images.truncate(limit);
        }
    }
    let unused = unused.iter().map(|path| {
        format!(
            "{} has folders of the same classes, and its images are not used: those that test are {test_part}; a \
             folder of such is called {}",
            path.display(),
            TEST_FOLDERS.join(", ")
        )
    });
    let mut notes: Vec<String> = unused.collect();
    if tests_alone {
        notes.push(format!(
            "there is no folder `train` in {}: the classes are those of {test_part}",
            root.display()
        ));
    }
    let class_names = train.classes.to_vec();
    let mut data = Dataset {
        name: IMAGE_FOLDER.to_owned(),
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
        validation: validation.map(|(images, part)| HeldOut {
            images: Arc::new(images).into(),
            part,
        }),
        test: Arc::new(test).into(),
        test_part,
        notes,
        untaught: Vec::new(),
        preprocessing: None,
    };
    data.note_classes();
    if tests_alone {
        data.untaught.clear();
    }
    Ok((data, faults))
}

/// The size of the part and of the shorter side.
fn sizes(options: &ImageOptions) -> Result<(u32, u32)> {
    let (size, resize) = (options.size, options.resize());
    if size == 0 || size > resize || resize > LONGEST as usize {
        return Err(Error::refused(Refusal::ImageSizes {
            size,
            resize,
            most: LONGEST,
        }));
    }
    Ok((size as u32, resize as u32))
}
