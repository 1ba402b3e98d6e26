//! In place of the decoders and the resizer, where the feature `image-folder` is left out: no image of a file exists.

enum Never {}

pub(super) mod decode {
    use super::Never;
    use crate::error::{Error, Result};

    /// Longest side of an image.
    pub(in crate::data) const LONGEST: u32 = 1 << 14;

    /// Bytes by which a format can be recognised, and bytes that say nothing of the pixels at most.
    pub(in crate::data) const START: u64 = 8;
    pub(in crate::data) const BESIDES: u64 = 64 << 20;

    const NONE: &str =
        "this build of rootlet reads no images: its feature `image-folder` is left out";

    /// A decoded image.
    pub(in crate::data) struct Rgb(pub(super) Never);

    /// Whether this build reads images' files.
    pub(in crate::data) fn available() -> Result<()> {
        Err(Error::Usage(
            "this build of rootlet reads no image folders: its feature `image-folder` is left out; build it with that feature, or \
             use another data set"
                .into(),
        ))
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

    pub(in crate::data) fn hash(_: &[u8], image: &Rgb) -> u64 {
        match image.0 {}
    }
}

pub(super) mod crop {
    use super::super::augmentation::Part;
    use super::decode::Rgb;

    /// Cuts parts out of images.
    pub(in crate::data) struct Cutter;

    impl Cutter {
        pub fn new(_size: u32, _resize: u32) -> Self {
            Cutter
        }

        pub fn cut(&mut self, image: &Rgb, _: Part, _: &mut [u8]) -> Result<(), String> {
            match image.0 {}
        }
    }
}
