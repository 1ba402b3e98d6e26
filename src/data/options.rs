//! Which data set to load, and how.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::published::{NAMES, is_path};
use crate::data::table::TableOptions;
use crate::error::option::VAL_SPLIT;
use crate::error::{Error, Result};

/// Which data set to load, and from where. The default is the embedded digits, which need no files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataOptions {
    /// One of [`NAMES`], or the path of a table's file or of an image folder.
    pub name: String,
    /// Folder that holds the set's files, or a folder of the set's name with them. The embedded digits ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Use only this many training images and this many test images, the first ones. A larger number means all. For an
    /// image folder these are the first of every class, then the second of every class, and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// Share of the training samples to hold out for validation, per class and by `seed`; if a folder has validation
    /// images beside its test images, those are used. `None` is a tenth of the images or a fifth of the rows for a set
    /// without a test part, and nothing for others.
    #[serde(default)]
    pub val_split: Option<f64>,
    /// The seed that chooses the samples that are held out.
    #[serde(default = "first_seed")]
    pub seed: u32,
    /// How an image folder's images are prepared; other sets have their own sizes and parts.
    #[serde(default)]
    pub images: ImageOptions,
    /// How a table is read.
    #[serde(default)]
    pub table: TableOptions,
}

/// The size that a folder's images get, and what happens to those that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageOptions {
    /// Side length of the part of an image that the network sees, in pixels.
    pub size: usize,
    /// Length of an image's shorter side before the part is cut out, in an evaluation and for plain crops. `None` is
    /// 8/7 of `size`, as 256 is of ImageNet's 224; below 128 it is `size` itself, since small images are used whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,
    /// Whether images that cannot be read are left out instead of being an error: in training, another image of the
    /// class takes the place.
    pub skip_bad: bool,
}

fn first_seed() -> u32 {
    1
}

impl DataOptions {
    /// Share of the training samples that is held out. `tests`: whether the set has others to test on.
    ///
    /// # Errors
    /// The share is invalid.
    pub(super) fn share(&self, tests: bool) -> Result<f64> {
        let usual = match (tests, is_path(&self.name)) {
            (true, _) => 0.0,
            (false, true) => 0.2,
            (false, false) => 0.1,
        };
        match self.val_split {
            Some(share) if !(0.0..1.0).contains(&share) => Err(Error::Value {
                option: VAL_SPLIT.0,
                must: "must be at least 0 and below 1".to_owned(),
                value: share.to_string(),
            }),
            share => Ok(share.unwrap_or(usual)),
        }
    }
}

impl ImageOptions {
    /// Length of an image's shorter side before the part is cut out.
    pub fn resize(&self) -> usize {
        self.resize.unwrap_or_else(|| match self.size {
            0..128 => self.size,
            size => size.saturating_add(size / 7),
        })
    }
}

impl Default for ImageOptions {
    fn default() -> Self {
        Self {
            size: 224,
            resize: None,
            skip_bad: false,
        }
    }
}

impl Default for DataOptions {
    fn default() -> Self {
        Self {
            name: NAMES[0].to_owned(),
            dir: None,
            limit: None,
            val_split: None,
            seed: first_seed(),
            images: ImageOptions::default(),
            table: TableOptions::default(),
        }
    }
}
