//! Reads a published set, whatever the form of its files.

use std::path::Path;

use super::entry::{Entry, Format};
use super::{cifar, digits, idx};
use crate::data::sources::Halves;
use crate::error::Result;

/// The images of a set, from its files in `dir` or in its folder there.
pub(in crate::data) fn read(set: &Entry, dir: Option<&Path>) -> Result<Halves> {
    match &set.format {
        Format::Embedded => digits::load(),
        Format::Idx => idx::load(set, &set.folder(dir)?),
        Format::Cifar(layout) => cifar::load(set, layout, &set.folder(dir)?),
    }
}
