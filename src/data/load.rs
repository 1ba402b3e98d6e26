//! Loads a data set by its name.

use std::path::Path;

use super::dataset::Dataset;
use super::normalisation::Normalisation;
use super::options::DataOptions;
use super::parts::{HeldOut, TestPart};
use super::published::{self, Format, IMAGE_FOLDER};
use super::sources::Halves;
use super::table::Watch;
use super::{image_folder, table};
use crate::error::{Error, Result};

/// Reads and checks the whole data set; for an image folder only the names. A name that is a path stands for a table's
/// file or an image folder.
///
/// # Errors
/// [`Error::Value`] for an unknown name or a `limit` of 0, [`Error::Missing`] for a set that needs a `dir`,
/// [`Error::Data`] for a file that is missing, truncated or corrupt, [`Error::Io`] for one that cannot be read, and
/// [`Error::Refused`] for a folder whose test images are all training images.
pub fn load(source: &DataOptions) -> Result<Dataset> {
    load_as(source, true, &|_, _| ())
}

/// As [`load`], and calls `watch` while a table is read.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_watched(source: &DataOptions, watch: Watch<'_>) -> Result<Dataset> {
    load_as(source, true, watch)
}

/// As [`load`], for a network that is already trained: if all test images are training images as well, this is only a
/// note, because the network may have learned from others. Calls `watch` while a table is read.
///
/// # Errors
/// As [`load`].
pub fn load_to_test(source: &DataOptions, watch: Watch<'_>) -> Result<Dataset> {
    load_as(source, false, watch)
}

fn load_as(source: &DataOptions, to_train: bool, watch: Watch<'_>) -> Result<Dataset> {
    if source.limit == Some(0) {
        return Err(Error::Value {
            option: "limit",
            must: "must be at least 1 sample, or be left out to use them all".to_owned(),
            value: "0".to_owned(),
        });
    }
    // An invalid share is reported before anything is read.
    source.share(true)?;
    let path = Path::new(&source.name);
    let is_path = published::is_path(&source.name);
    if source.name == IMAGE_FOLDER {
        return image_folder::load(source, to_train);
    }
    if is_path && path.is_dir() {
        let folder = DataOptions {
            name: IMAGE_FOLDER.to_owned(),
            dir: Some(path.to_owned()),
            ..source.clone()
        };
        return image_folder::load(&folder, to_train);
    }
    if is_path {
        return table::load(source, watch);
    }
    let set = published::find(&source.name)?;
    let Halves {
        shape,
        mut train,
        mut test,
        notes,
    } = published::read(set, source.dir.as_deref())?;
    let (share, seed) = (source.share(true)?, source.seed);
    let mut held_out = None;
    if share > 0.0 {
        let (rest, held) = train.split_off(share, seed)?;
        train = rest;
        held_out = Some(held);
    }
    if let Some(limit) = source.limit {
        let parts = [&mut train, &mut test].into_iter().chain(&mut held_out);
        parts.for_each(|part| part.truncate(limit));
    }
    let mut data = Dataset {
        name: set.name.to_owned(),
        shape,
        classes: set.classes(),
        class_names: set
            .class_names
            .iter()
            .map(|&name| name.to_owned())
            .collect(),
        normalisation: Normalisation {
            mean: set.mean.to_vec(),
            std: set.std.to_vec(),
        },
        train: train.into(),
        validation: held_out.map(|images| HeldOut {
            images: images.into(),
            part: TestPart::split_off(share, seed),
        }),
        test: test.into(),
        // Notes say which set the files' contents belong to.
        test_part: match (&set.format, notes.is_empty()) {
            (Format::Idx, false) => TestPart::Given,
            _ => TestPart::Published,
        },
        notes,
        untaught: Vec::new(),
        preprocessing: None,
    };
    data.note_classes();
    Ok(data)
}
