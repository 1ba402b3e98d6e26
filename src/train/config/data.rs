//! Which data a run trains on.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::context::Context;
use super::section::section;
use super::value::AUTO;
use crate::bounds::check;
use crate::data::table::{Missing, TableOptions};
use crate::data::{
    Augmentation, DataOptions, IMAGE_FOLDER, ImageOptions, Mixing, NAMES, Operations, is_path,
};
use crate::error::OptionName;
use crate::error::option::{DATA, DATA_DIR, TEST};
use crate::{Error, Result};

section! {
    /// Which data a run trains on, and how images are varied.
    pub struct DataConfig in "Data" {
        /// Data set: digits (embedded), mnist, fashion-mnist, cifar10, cifar100 or image-folder (train/CLASS/*,
        /// val/CLASS/*); or the path of a table (CSV, .npy, .npz, safetensors, svmlight) or of an image folder
        name as "data": String = "digits".to_owned(),
            NAME, on resume Fixed;
        /// Column of a table to learn, or several, as in a,b [default: the last column; for arrays y, target or labels;
        /// for svmlight its labels]
        target: Option<String> = None,
            NAMES, on resume Fixed, idle is_no_table;
        /// Columns of a table to leave out, as in id,name
        ignore: Option<String> = None,
            NAMES, on resume Fixed, idle is_no_table;
        /// Column of a table with the weight of each row in training, a number of 0 or more [default: all count the
        /// same]
        weight: Option<String> = None,
            NAME, on resume Fixed, idle is_no_table;
        /// How to treat a table's cells without a value
        missing: Missing = Missing::Refuse,
            NAME, on resume Fixed, idle is_no_table;
        /// File with the rows to test on, for a table
        test: Option<PathBuf> = None,
            FILE, on resume Host, idle is_no_table;
        /// Folder with the data set's files, as downloaded; digits needs none
        dir as "data_dir": Option<PathBuf> = None,
            DIR, on resume Host, idle needs_no_files;
        /// Use only the first N images of each split (0: all)
        limit: Option<usize> = None,
            N, on resume Fixed;
        /// How training images are varied: none, flip, pad-crop-flip, resized-crop-flip or plain-crop-flip; auto: as is
        /// usual for the data set, not at all for mlp
        augment: String = AUTO.to_owned(),
            NAME, on resume Noted;
        /// Random operations on each training image: how many, and their strength from 0 to 30 (RandAugment), as in 2,9
        /// [default: none]
        rand_augment: Vec<usize> = Vec::new(),
            NUMBERS, on resume Noted;
        /// Mix each training sample with another one of its batch, with a share from Beta(ALPHA, ALPHA), as in 0.2; 0:
        /// not at all
        mixup: f64 = 0.0,
            ALPHA, on resume Noted;
        /// Put a part of another image of its batch into each training image, with an area from Beta(ALPHA, ALPHA), as
        /// in 1; with --mixup too, each image gets one of the two; 0: not at all
        cutmix: f64 = 0.0,
            ALPHA, on resume Noted;
        /// Side length of an image folder's images, in pixels
        image_size: usize = 224,
            N, on resume Fixed, idle is_no_folder;
        /// Shorter side of an image folder's images before the centre or a plain crop is cut out [default: 8/7 of
        /// --image-size; the size itself below 128]
        resize: Option<usize> = None,
            N, on resume Fixed, idle is_no_folder;
        /// Share of the training images or rows to hold out for validation, per class and by --seed: it chooses the
        /// best weights, and nothing else does [default: nothing for data with a test part, otherwise 0.1 of images and
        /// 0.2 of rows]
        val_split: Option<f64> = None,
            SHARE, on resume Fixed;
        /// Continue without images of a folder that cannot be read: in training another one of the class takes the
        /// place, in tests they are left out; the end of the run lists them
        skip_bad_images: bool = false,
            BOOL, on resume Free, idle skips_none;
    }
}

impl DataConfig {
    fn needs_no_files(&self, context: &Context<'_>) -> Option<String> {
        if context.is_table() {
            return Some(format!("{DATA} names the table's file itself"));
        }
        (self.name == NAMES[0]).then(|| {
            format!("the data set digits comes with rootlet; name another one with {DATA}")
        })
    }

    fn is_no_table(&self, context: &Context<'_>) -> Option<String> {
        (!context.is_table()).then(|| {
            format!(
                "it is for tables, and {} are images; name a table's file with {DATA}",
                self.name
            )
        })
    }

    fn is_no_folder(&self, context: &Context<'_>) -> Option<String> {
        if context.is_table() {
            return Some("the data are a table".to_owned());
        }
        (!context.is_folder()).then(|| {
            format!(
                "the images of {} have their size and their parts; it is for {DATA} {IMAGE_FOLDER}",
                self.name
            )
        })
    }

    fn skips_none(&self, context: &Context<'_>) -> Option<String> {
        (!context.is_folder() && self.skip_bad_images)
            .then(|| format!("the data set {} is read and checked as a whole", self.name))
    }

    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<()> {
        check(
            !self.name.is_empty(),
            "data",
            "must name a data set",
            &self.name,
        )?;
        check(
            (1..=1 << 14).contains(&self.image_size),
            "image_size",
            "must be 1 to 16384 pixels",
            self.image_size,
        )?;
        check(
            self.resize
                .is_none_or(|resize| (self.image_size..=1 << 14).contains(&resize)),
            "resize",
            "must be at least the image size, and at most 16384 pixels",
            self.resize.unwrap_or(0),
        )?;
        self.operations()?;
        self.mixing()?;
        check(
            self.val_split
                .is_none_or(|share| share > 0.0 && share < 1.0),
            "val_split",
            "must be above 0 and below 1",
            self.val_split.unwrap_or(0.0),
        )?;
        check(
            self.augment == AUTO || self.augment.parse::<Augmentation>().is_ok(),
            "augment",
            &format!(
                "must be one of {}, or auto",
                Augmentation::names().join(", ")
            ),
            &self.augment,
        )
    }

    /// The operations that vary training images.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value) for anything but two numbers in their range, or none.
    pub fn operations(&self) -> Result<Operations> {
        let word = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        match self.rand_augment[..] {
            [] => Ok(Operations::default()),
            [count, strength] => Operations::new(word(count), word(strength)),
            _ => {
                let given: Vec<String> = self.rand_augment.iter().map(usize::to_string).collect();
                check(
                    false,
                    "rand_augment",
                    "must be two numbers, of the operations and of their strength, as in 2,9",
                    given.join(","),
                )?;
                Ok(Operations::default())
            }
        }
    }

    /// How training samples are mixed.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value) for an impossible number.
    pub fn mixing(&self) -> Result<Mixing> {
        Mixing::new(self.mixup, self.cutmix)
    }

    /// Whether training samples are varied in ways that the device, which can make batches itself, does not support.
    pub(crate) fn needs_loader(&self) -> bool {
        !self.rand_augment.is_empty() || self.mixup > 0.0 || self.cutmix > 0.0
    }

    /// Pixels of an image as far as known before the data set is read: those of a folder's images. The published images
    /// of other sets are small.
    pub(super) fn pixels(&self) -> usize {
        match self.name == IMAGE_FOLDER {
            true => self.image_size.saturating_pow(2),
            false => 0,
        }
    }

    /// The data set's part of a run's name: for a file, its name without the extension.
    pub fn title(&self) -> &str {
        let stem = Path::new(&self.name).file_stem().and_then(OsStr::to_str);
        match is_path(&self.name) {
            true => stem.unwrap_or("table"),
            false => &self.name,
        }
    }

    /// Makes paths absolute, so that they mean the same from anywhere: that of the file or folder which
    /// [`name`](Self::name) may be, and that of the file to test on.
    ///
    /// # Errors
    /// The path is not UTF-8 text, or the system cannot determine it.
    pub(super) fn resolve(&mut self) -> Result<()> {
        let path = Path::new(&self.name);
        if !NAMES.contains(&self.name.as_str()) && (is_path(&self.name) || path.exists()) {
            let full = absolute(path, DATA)?;
            match path.is_dir() && self.dir.is_none() {
                true => {
                    self.name = IMAGE_FOLDER.to_owned();
                    self.dir = Some(full);
                }
                false => self.name = full.to_string_lossy().into_owned(),
            }
        }
        if let Some(dir) = &self.dir {
            self.dir = Some(absolute(dir, DATA_DIR)?);
        }
        if let Some(test) = &self.test {
            self.test = Some(absolute(test, TEST)?);
        }
        Ok(())
    }

    /// The data set, which this seed may divide.
    pub fn options(&self, seed: u32) -> DataOptions {
        let defaults = DataOptions::default();
        // Sets with their own parts do not depend on it, so that runs of several seeds share them.
        let is_divided = match self.val_split {
            Some(_) => true,
            None if is_path(&self.name) => self.test.is_none(),
            None => self.name == IMAGE_FOLDER,
        };
        DataOptions {
            name: self.name.clone(),
            dir: self.dir.clone(),
            limit: self.limit,
            images: ImageOptions {
                size: self.image_size,
                resize: self.resize,
                skip_bad: self.skip_bad_images,
            },
            table: self.table(),
            val_split: self.val_split,
            seed: match is_divided {
                true => seed,
                false => defaults.seed,
            },
        }
    }

    /// How to read a table; other sets do not depend on it.
    fn table(&self) -> TableOptions {
        if !is_path(&self.name) {
            return TableOptions::default();
        }
        TableOptions {
            target: self.target.clone(),
            ignore: self.ignore.clone(),
            weight: self.weight.clone(),
            missing: self.missing,
            test: self.test.clone(),
            ..TableOptions::default()
        }
    }
}

/// An absolute path, as config.toml can store it.
fn absolute(path: &Path, option: OptionName<'_>) -> Result<PathBuf> {
    let full = std::path::absolute(path).map_err(Error::io("find", path))?;
    match full.to_str() {
        Some(_) => Ok(full),
        None => Err(Error::Folder {
            option: option.0.to_owned(),
            path: full,
            why: "has a name that is no text in UTF-8, as config.toml, which keeps it, has to be; rename it",
        }),
    }
}
