//! What is usual for a kind of data: the values that a configuration has where nothing was said.

use std::path::Path;

use crate::data::is_path;
use crate::optim::OptimiserName;

/// What is usual for a kind of data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    pub optimiser: OptimiserName,
    /// The learning rate of that optimiser, if it is not its usual one.
    pub lr: Option<f64>,
    /// Why, for `config.toml`.
    pub why: &'static str,
}

/// Images: as in Heddes et al., arXiv 2401.06898.
const IMAGES: Usual = Usual {
    optimiser: OptimiserName::Sgd,
    lr: None,
    why: "as is usual for images",
};
/// Tables: the squared errors of numbers grow without bound at SGD's usual learning rate, and AdamW's steps do not
/// depend on their size. Tables are small: at a rate of 0.001 many are not learned within the usual 20 epochs
/// (docs/guide/tables.md has the measurements).
const TABLES: Usual = Usual {
    optimiser: OptimiserName::AdamW,
    lr: Some(3e-3),
    why: "as is usual for tables: its steps do not depend on the size of errors",
};

impl Usual {
    /// What is usual for the data of this name.
    pub fn of(data: &str) -> Self {
        match is_path(data) && !Path::new(data).is_dir() {
            true => TABLES,
            false => IMAGES,
        }
    }
}
