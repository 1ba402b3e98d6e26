//! Which images a run trains on.

use std::path::PathBuf;

use super::context::Context;
use super::section::section;
use super::value::AUTO;
use crate::Result;
use crate::bounds::check;
use crate::data::{Augmentation, DataOptions, IMAGE_FOLDER, ImageOptions, NAMES};
use crate::error::option::DATA;

section! {
    /// Which images a run trains on, and how they are varied.
    pub struct DataConfig in "Data" {
        /// Data set: digits (embedded), mnist, fashion-mnist, cifar10, cifar100 or image-folder (train/CLASS/*,
        /// val/CLASS/*)
        name as "data": String = "digits".to_owned(),
            NAME, on resume Fixed;
        /// Folder with the data set's files, as they are downloaded; digits needs none
        dir as "data_dir": Option<PathBuf> = None,
            DIR, on resume Host, idle needs_no_files;
        /// Use only the first N images of each split (0: all)
        limit: Option<usize> = None,
            N, on resume Fixed;
        /// How training images are varied: none, flip, pad-crop-flip, resized-crop-flip or plain-crop-flip; auto: as is
        /// usual for the data set, not at all for mlp
        augment: String = AUTO.to_owned(),
            NAME, on resume Noted;
        /// Side of an image folder's images, in pixels
        image_size: usize = 224,
            N, on resume Fixed, idle is_no_folder;
        /// Shorter side of an image folder's images before the middle is cut out, or a plain crop [default: 8/7 of
        /// --image-size; the size itself below 128]
        resize: Option<usize> = None,
            N, on resume Fixed, idle is_no_folder;
        /// Share of an image folder's training images that test instead, by class and by --seed: where it has neither
        /// val/, validation/, valid/, test/ nor testing/
        val_split: f64 = 0.1,
            SHARE, on resume Fixed, idle is_no_folder;
        /// Go on without images of a folder that cannot be read: in training another one of the class takes the place,
        /// in tests they are left out; the end of the run lists them
        skip_bad_images: bool = false,
            BOOL, on resume Free, idle skips_none;
    }
}

impl DataConfig {
    fn needs_no_files(&self, _: &Context<'_>) -> Option<String> {
        (self.name == NAMES[0]).then(|| {
            format!("the data set digits comes with rootlet; name another one with {DATA}")
        })
    }

    fn is_no_folder(&self, context: &Context<'_>) -> Option<String> {
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
    /// The first that is not what it must be.
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
        check(
            self.val_split > 0.0 && self.val_split < 1.0,
            "val_split",
            "must be above 0 and below 1",
            self.val_split,
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

    /// Pixels of an image as far as they are known before the data set is read: those of a folder. The published images
    /// of other sets are small.
    pub(super) fn pixels(&self) -> usize {
        match self.name == IMAGE_FOLDER {
            true => self.image_size.saturating_pow(2),
            false => 0,
        }
    }

    /// The data set, which that seed may divide.
    pub fn options(&self, seed: u32) -> DataOptions {
        let defaults = ImageOptions::default();
        DataOptions {
            name: self.name.clone(),
            dir: self.dir.clone(),
            limit: self.limit,
            images: ImageOptions {
                size: self.image_size,
                resize: self.resize,
                val_split: self.val_split,
                skip_bad: self.skip_bad_images,
                // Other sets do not depend on it: runs of several seeds share them.
                seed: match self.name == IMAGE_FOLDER {
                    true => seed,
                    false => defaults.seed,
                },
            },
        }
    }
}
