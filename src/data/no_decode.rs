//! Replaces the decoders if the feature `image-folder` is left out: no image from a file exists.

use crate::error::{Error, Result};

/// Longest side of an image.
pub(super) const LONGEST: u32 = 1 << 14;

/// Bytes by which a format can be recognised, and the maximum number of bytes that say nothing about the pixels.
pub(super) const START: u64 = 12;
pub(super) const BESIDES: u64 = 64 << 20;

const NONE: &str = "this build of rootlet reads no images: its feature `image-folder` is left out";

/// There is no image.
pub(super) enum Never {}

/// A decoded image.
pub(super) struct Rgb(pub(super) Never);

/// Checks that this build can read image files.
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
