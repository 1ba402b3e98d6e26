//! Replaces the decoders if the feature `image-folder` is left out: no image from a file exists.

use crate::error::{Error, Result};

/// Longest side of an image.
pub(in crate::data) const LONGEST: u32 = 1 << 14;

/// Bytes by which a format can be recognised, and the maximum number of bytes that say nothing about the pixels.
pub(in crate::data) const START: u64 = 12;
pub(in crate::data) const BESIDES: u64 = 64 << 20;

const NONE: &str = "this build of rootlet reads no images: its feature `image-folder` is left out";

/// There is no image.
pub(in crate::data) enum Never {}

/// A decoded image.
pub(in crate::data) struct Rgb(pub(in crate::data) Never);

/// Checks that this build can read image files.
pub(in crate::data) fn available() -> Result<()> {
    Err(Error::LeftOut {
        what: "reads no image folders",
        feature: "image-folder",
        way_out: "build it with that feature, or use another data set",
    })
}

pub(in crate::data) fn check_start(_: &[u8]) -> Result<(), String> {
    Err(NONE.to_owned())
}

pub(in crate::data) fn check_length(_: &[u8], _: u64) -> Result<(), String> {
    Err(NONE.to_owned())
}

pub(in crate::data) fn decode(_: &[u8]) -> Result<Rgb, String> {
    Err(NONE.to_owned())
}

pub(in crate::data) fn hash(image: &Rgb) -> u64 {
    match image.0 {}
}

pub(in crate::data) fn older_hash(_: &[u8], image: &Rgb) -> u64 {
    match image.0 {}
}
