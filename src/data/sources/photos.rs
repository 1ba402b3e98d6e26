//! Image files that a network is to predict for: single files and folders of them, without classes.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::definition::{DataSource, Inputs, Reader, Reading};
use crate::data::augmentation::{Augmentation, Draws};
use crate::data::image_folder::{
    BadImage, BadImages, File, FolderSplit, Hashes, LONGEST, available, images_below,
};
use crate::data::options::ImageOptions;
use crate::data::shape::ImageShape;
use crate::data::targets::TargetKind;
use crate::error::{Error, Misfit, Result};

/// Image files as a network sees them. They have no classes: each has the label 0.
#[derive(Debug)]
pub struct Photos {
    files: FolderSplit,
    /// Whether the network takes one grey channel instead of three colours.
    grey: bool,
}

impl Photos {
    /// The images at these paths, in their order: files, and folders with all images in them and below. They are
    /// resized and cut as `options` say, for a network that takes images of `shape`. With `options.skip_bad`, what
    /// cannot be read is left out ([`DataSource::fault`]).
    ///
    /// # Errors
    /// A path does not exist or holds no images, the shape is not that of an image, or a folder holds something else.
    pub fn of(paths: &[PathBuf], shape: ImageShape, options: &ImageOptions) -> Result<Self> {
        available()?;
        let ImageShape {
            channels,
            height,
            width,
        } = shape;
        let resize = options.resize();
        if height != width
            || height > resize
            || resize > LONGEST as usize
            || ![1, 3].contains(&channels)
        {
            return Err(Error::Shape(Misfit::Unfit {
                found: "image files".to_owned(),
                expected: format!(
                    "a network for inputs of {channels} × {height} × {width}: it takes no square images of one or \
                     three channels"
                ),
            }));
        }
        let (mut files, mut bad) = (Vec::new(), Vec::new());
        for path in paths {
            let about = fs::metadata(path).map_err(Error::io("read", path))?;
            if !about.is_dir() {
                files.push(path.clone());
                continue;
            }
            let before = files.len();
            images_below(path, &mut files, &mut bad)?;
            if files.len() == before {
                return Err(Error::Data {
                    path: path.clone(),
                    reason: "it holds no images".to_owned(),
                });
            }
        }
        if let (false, Some(BadImage { path, reason })) = (options.skip_bad, bad.first()) {
            return Err(Error::Data {
                path: path.clone(),
                reason: reason.clone(),
            });
        }
        if u32::try_from(files.len()).is_err() {
            return Err(Error::Shape(Misfit::TooMany {
                what: "images".to_owned(),
                count: files.len().to_string(),
                most: u32::MAX.into(),
                way_out: String::new(),
            }));
        }
        let file = |path: PathBuf| File {
            class: 0,
            bytes: 0,
            name: path.into_os_string().into_boxed_os_str(),
        };
        Ok(Self {
            files: FolderSplit {
                // A file's name is its whole path here.
                folder: PathBuf::new(),
                classes: Arc::new([String::new()]),
                files: files.into_iter().map(file).collect(),
                size: height as u32,
                resize: resize as u32,
                bad: options.skip_bad.then(|| Arc::new(BadImages::from(bad))),
                hashes: Hashes::default(),
            },
            grey: channels == 1,
        })
    }
}

impl DataSource for Photos {
    fn len(&self) -> usize {
        self.files.len()
    }

    fn features(&self) -> usize {
        match self.grey {
            true => self.files.features() / 3,
            false => self.files.features(),
        }
    }

    fn targets(&self) -> TargetKind {
        TargetKind::Labels
    }

    fn name(&self, number: usize) -> Option<String> {
        let name: Option<&OsStr> = self.files.files.get(number).map(|file| &*file.name);
        name.map(|name| Path::new(name).display().to_string())
    }

    fn fault(&self, number: usize) -> Option<String> {
        self.files.fault(number)
    }

    fn read(&self, number: usize, draws: Draws, inputs: &mut [f32], _: &mut [f32]) -> Result<()> {
        if !self.grey {
            return DataSource::read(&self.files, number, draws, inputs, &mut []);
        }
        let mut colours = vec![0.0; self.files.features()];
        DataSource::read(&self.files, number, draws, &mut colours, &mut [])?;
        let [red, green, blue] = thirds(&colours);
        for (at, input) in inputs.iter_mut().enumerate() {
            let of = |channel: &[f32]| (channel[at] * 255.0).round() as u8;
            *input = f32::from(luma(of(red), of(green), of(blue))) / 255.0;
        }
        Ok(())
    }

    fn check(&self, augmentation: Augmentation, shape: ImageShape) -> Result<()> {
        augmentation.check(shape, false)
    }

    fn open<'a>(&'a self, reading: &'a Reading, most: usize) -> Result<Box<dyn Reader + 'a>> {
        let colours = self.files.open(reading, most)?;
        if !self.grey {
            return Ok(colours);
        }
        Ok(Box::new(Grey {
            colours,
            features: self.features(),
            bytes: vec![0; most * self.features()],
        }))
    }
}

/// The same images with one grey channel.
struct Grey<'a> {
    colours: Box<dyn Reader + 'a>,
    features: usize,
    bytes: Vec<u8>,
}

impl Reader for Grey<'_> {
    fn fetch(&mut self, numbers: &[usize]) -> Result<Vec<usize>> {
        let ready = self.colours.fetch(numbers)?;
        for (place, &number) in ready.iter().enumerate() {
            if let Inputs::Bytes(colours) = self.colours.inputs(place, number) {
                let [red, green, blue] = thirds(colours);
                let grey = &mut self.bytes[place * self.features..][..self.features];
                for (at, grey) in grey.iter_mut().enumerate() {
                    *grey = luma(red[at], green[at], blue[at]);
                }
            }
        }
        Ok(ready)
    }

    fn inputs(&self, place: usize, _: usize) -> Inputs<'_> {
        Inputs::Bytes(&self.bytes[place * self.features..][..self.features])
    }
}

/// The three channels of an image.
fn thirds<T>(colours: &[T]) -> [&[T]; 3] {
    let plane = colours.len() / 3;
    [0, 1, 2].map(|channel| &colours[channel * plane..][..plane])
}

/// The brightness of a colour by ITU-R 601, in Pillow's integers (its mode "L").
fn luma(red: u8, green: u8, blue: u8) -> u8 {
    let [red, green, blue] = [red, green, blue].map(u32::from);
    ((red * 19_595 + green * 38_470 + blue * 7_471 + 0x8000) >> 16) as u8
}

#[cfg(test)]
mod tests {
    use super::luma;

    /// Pillow 13: `Image.new("RGB", (1, 1), colour).convert("L").getpixel((0, 0))`.
    #[test]
    fn brightness_is_pillows() {
        for (colour, grey) in [
            ([0, 0, 0], 0),
            ([255, 255, 255], 255),
            ([255, 0, 0], 76),
            ([0, 255, 0], 150),
            ([0, 0, 255], 29),
            ([12, 200, 77], 130),
        ] {
            assert_eq!(luma(colour[0], colour[1], colour[2]), grey, "{colour:?}");
        }
    }
}
