//! Which data set is loaded, and how.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::catalogue::NAMES;
use super::table::TableOptions;

/// Which data set to load, and from where. The default is the embedded digits, which need no files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DataOptions {
    /// One of [`NAMES`], or the path of a table's file or of an image folder.
    pub name: String,
    /// Folder that holds the set's files, or that holds a folder of the set's name with them. The embedded digits
    /// ignore it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dir: Option<PathBuf>,
    /// Use only the first so many training images, and the first so many test images. More than there are means all. Of
    /// an image folder these are the first of every class, then the second of every class, and so on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// What an image folder's images become; other sets have sizes and parts of their own.
    #[serde(default)]
    pub images: ImageOptions,
    /// What a table is read as.
    #[serde(default)]
    pub table: TableOptions,
}

/// The size that a folder's images get, and which of them test where nothing else does.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImageOptions {
    /// Sides of the part of an image that the network sees, in pixels.
    pub size: usize,
    /// Length of an image's shorter side before the part is cut out, in an evaluation and for plain crops. `None` is
    /// 8/7 of `size`, as 256 is of ImageNet's 224; below 128 it is `size` itself, since small images are whole already.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,
    /// Share of the training images that test where the folder has none for that: neither `val`, `validation`, `valid`,
    /// `test` nor `testing`. With 0 there are no test images then.
    pub val_split: f64,
    /// What chooses them.
    pub seed: u32,
    /// Whether images that cannot be read are left out, rather than being an error: in training another one of the
    /// class takes the place.
    pub skip_bad: bool,
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
            val_split: 0.1,
            seed: 1,
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
            images: ImageOptions::default(),
            table: TableOptions::default(),
        }
    }
}
