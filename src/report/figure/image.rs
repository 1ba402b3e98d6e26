//! A figure as SVG, and as PNG with the embedded font, so that it works on machines without fonts.

use crate::error::Fault;
use std::path::Path;

use fast_image_resize::images::Image;
use fast_image_resize::{PixelType, Resizer};
use plotters::prelude::*;

use super::colour::stylesheet;
use super::plot::Pen;
use super::{Figure, FigureSize};
use crate::report::text::printable;
use crate::report::write_file;
use crate::{Error, Result};

/// The SVG is drawn with coordinates in half units, because plotters takes whole numbers.
const SVG_SCALE: u32 = 2;

/// A PNG is drawn this many times larger and then scaled down, which smooths its edges.
const SMOOTHING: u32 = 2;

impl Figure {
    /// The figure as an SVG element without a background. It can also be opened on its own.
    ///
    /// # Errors
    /// None that data can cause; only a damaged font in the build.
    pub fn svg(&self) -> Result<String> {
        let pen = Pen::new(SVG_SCALE)?;
        let mut text = String::new();
        {
            let root = SVGBackend::with_string(&mut text, pen.size(self)).into_drawing_area();
            pen.plot(self, &root)?;
        }
        // The figure contains names from files, and XML forbids their control characters.
        Ok(printable(&text).into_owned())
    }

    /// Writes the figure as a file of its own: PNG if the name ends so, otherwise SVG, on white or, for readers who
    /// prefer it, on black.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        if path
            .extension()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("png"))
        {
            return self.write_png(path, FigureSize::default());
        }
        let svg = self.svg()?;
        // The writer begins with its element; a ground goes behind all that is in it.
        let (head, rest) = svg.split_once('>').unwrap_or((&svg, ""));
        let style = format!(
            "<style>svg{{color-scheme:light dark}}.ground{{fill:#fff}}@media (prefers-color-scheme: dark)\
             {{.ground{{fill:#14171a}}{}}}</style><rect class=\"ground\" width=\"100%\" height=\"100%\"/>",
            stylesheet("svg")
        );
        write_file(path, format!("{head}>{style}{rest}").as_bytes())
    }

    /// Writes the figure as a PNG on white.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_png(&self, path: &Path, size: FigureSize) -> Result<()> {
        let (width, height, pixels) = self.pixels(size.scale.clamp(1, 8))?;
        let bytes = encode(width, height, &pixels)
            .map_err(std::io::Error::from)
            .map_err(Error::io("write", path))?;
        write_file(path, &bytes)
    }

    /// Width, height and RGB pixels on white, `scale` for each unit.
    pub(super) fn pixels(&self, scale: u32) -> Result<(u32, u32, Vec<u8>)> {
        let pen = Pen::new(scale * SMOOTHING)?;
        let (width, height) = pen.size(self);
        let mut pixels = vec![255; width as usize * height as usize * 3];
        {
            let root = BitMapBackend::with_buffer(&mut pixels, (width, height));
            pen.plot(self, &root.into_drawing_area())?;
        }
        let failed = |what: String| {
            Error::Device(Fault::Figure {
                id: self.id.clone(),
                why: what,
            })
        };
        let large = Image::from_vec_u8(width, height, pixels, PixelType::U8x3)
            .map_err(|error| failed(error.to_string()))?;
        let (width, height) = (width / SMOOTHING, height / SMOOTHING);
        let mut small = Image::new(width, height, PixelType::U8x3);
        Resizer::new()
            .resize(&large, &mut small, None)
            .map_err(|error| failed(error.to_string()))?;
        Ok((width, height, small.into_vec()))
    }
}

pub(super) fn encode(
    width: u32,
    height: u32,
    pixels: &[u8],
) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}
