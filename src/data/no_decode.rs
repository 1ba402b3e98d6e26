//! In place of the decoders, where the feature `image-folder` is left out: no image of a file exists.

use crate::error::{Error, Result};

/// Longest side of an image.
pub(super) const LONGEST: u32 = 1 << 14;

/// Bytes by which a format can be recognised, and bytes that say nothing of the pixels at most.
pub(super) const START: u64 = 12;
pub(super) const BESIDES: u64 = 64 << 20;

const NONE: &str = "this build of rootlet reads no images: its feature `image-folder` is left out";

/// No image is.
pub(super) enum Never {}

/// A decoded image.
pub(super) struct Rgb(pub(super) Never);

/// Whether this build reads images' files.
pub(super) fn available() -> Result<()> {
    Err(Error::LeftOut {
        what: "reads no image folders",
        feature: "image-folder",
        way_out: "build it with that feature, or use another data set",
    })
}

pub(super) fn check_start(_: &[u8]) -> Result<(), String> {
    Err(NONE.to_owned())
}

pub(super) fn check_length(_: &[u8], _: u64) -> Result<(), String> {
    Err(NONE.to_owned())
}

pub(super) fn decode(_: &[u8]) -> Result<Rgb, String> {
    Err(NONE.to_owned())
}

pub(super) fn hash(image: &Rgb) -> u64 {
    match image.0 {}
}

pub(super) fn older_hash(_: &[u8], image: &Rgb) -> u64 {
    match image.0 {}
}
