//! Makes image folders, and loads them.

use std::fs;
use std::path::{Path, PathBuf};

use rootlet::data::{
    self, Augmentation, DataOptions, Dataset, ImageOptions, Images, Loader, LoaderOptions, Order,
};
use tempfile::TempDir;

/// An image in the tests' own terms.
#[derive(Clone)]
pub struct Picture {
    pub width: usize,
    pub height: usize,
    /// `[y][x]`
    pub pixels: Vec<[u8; 3]>,
}

impl Picture {
    pub fn new(width: usize, height: usize, pixel: impl Fn(usize, usize) -> [u8; 3]) -> Self {
        Picture {
            width,
            height,
            pixels: (0..width * height)
                .map(|i| pixel(i % width, i / width))
                .collect(),
        }
    }

    /// Slowly changing colours, which survive JPEG.
    pub fn smooth(width: usize, height: usize) -> Self {
        let scale = |i: usize, n: usize| (20 + 200 * i / n) as u8;
        Picture::new(width, height, |x, y| {
            [
                scale(x, width),
                scale(y, height),
                scale(x + y, width + height),
            ]
        })
    }

    /// Unlike neighbours, so that resizing has something to average.
    pub fn rough(width: usize, height: usize) -> Self {
        Picture::new(width, height, |x, y| {
            let word = rootlet::engine::random::pcg4d([x as u32, y as u32, 3, 4]);
            [word[0] as u8, word[1] as u8, word[2] as u8]
        })
    }

    /// The file `png`'s encoder makes.
    pub fn png(&self) -> Vec<u8> {
        png_of(
            self.width,
            self.height,
            png::ColorType::Rgb,
            png::BitDepth::Eight,
            &self.pixels.concat(),
            None,
        )
    }

    /// As planes, `[channel][y][x]`.
    pub fn planes(&self) -> Vec<u8> {
        (0..3)
            .flat_map(|c| self.pixels.iter().map(move |pixel| pixel[c]))
            .collect()
    }
}

/// A PNG file of any kind.
pub fn png_of(
    width: usize,
    height: usize,
    color: png::ColorType,
    depth: png::BitDepth,
    bytes: &[u8],
    palette: Option<&[u8]>,
) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if let Some(palette) = palette {
        encoder.set_palette(palette);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(bytes).unwrap();
    writer.finish().unwrap();
    file
}

/// A folder of files, by their paths inside it.
pub fn folder<C: AsRef<[u8]>>(files: impl IntoIterator<Item = (impl AsRef<Path>, C)>) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (path, content) in files {
        let path = dir.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    dir
}

pub fn source(dir: &Path, size: usize, resize: usize) -> DataOptions {
    DataOptions {
        name: "image-folder".into(),
        dir: Some(dir.to_owned()),
        images: ImageOptions {
            size,
            resize: Some(resize),
            ..ImageOptions::default()
        },
        val_split: Some(0.0),
        ..DataOptions::default()
    }
}

pub fn open(dir: &Path, size: usize, resize: usize) -> Dataset {
    data::load(&source(dir, size, resize)).unwrap()
}

/// One image as bytes `[channel][y][x]`, and its class.
pub type Loaded = (Vec<u8>, u32);

/// All images of a half as the network sees them, converted back into bytes.
pub fn read(
    set: &Dataset,
    images: &Images,
    options: LoaderOptions,
) -> rootlet::Result<Vec<Loaded>> {
    let mut read = Vec::new();
    let plane = set.shape.height * set.shape.width;
    for batch in Loader::start(images.clone(), set.shape, &set.normalisation, options)? {
        let batch = batch?;
        for lane in 0..batch.count {
            let column = batch.inputs.iter().skip(lane).step_by(options.lanes);
            let bytes = column.enumerate().map(|(feature, input)| {
                let channel = feature / plane;
                let (mean, std) = (
                    set.normalisation.mean[channel],
                    set.normalisation.std[channel],
                );
                ((input * std + mean) * 255.0).round() as u8
            });
            read.push((bytes.collect(), batch.labels()[lane]));
        }
    }
    Ok(read)
}

/// A training epoch's options.
pub fn training(batch: usize, epoch: u32, augmentation: Augmentation) -> LoaderOptions {
    LoaderOptions {
        order: Order::Shuffled { seed: 11, epoch },
        augmentation,
        ..LoaderOptions::of_batch(batch)
    }
}

/// The image of a folder with a single one, cropped from the middle.
pub fn middle(name: &str, content: &[u8], size: usize, resize: usize) -> rootlet::Result<Vec<u8>> {
    let dir = folder([(PathBuf::from("train/a").join(name), content)]);
    let set = open(dir.path(), size, resize);
    read(&set, &set.train, LoaderOptions::of_batch(1)).map(|mut images| images.remove(0).0)
}
