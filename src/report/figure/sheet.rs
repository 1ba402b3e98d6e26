//! Several figures as one picture with a heading.

use plotters::prelude::*;

use super::image::encode;
use super::plot::{LETTERS, Pen};
use super::{Figure, WIDTH};
use crate::error::Fault;
use crate::report::text::printable;
use crate::{Error, Result};

/// Sizes in a figure's own units.
const TITLE: f64 = 23.0;
const LINE_HEIGHT: u32 = 20;
const MARGIN: u32 = 12;

/// Figures in rows, and above them what they are about.
#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// The heading.
    pub title: String,
    /// What a reader has to know to understand the figures, paragraph by paragraph.
    pub lines: Vec<String>,
    /// The figures.
    pub figures: Vec<Figure>,
    /// Figures in a row.
    pub columns: usize,
    /// Pixels for each unit of a figure, of which its width has 480.
    pub scale: u32,
}

/// RGB pixels.
struct Pixels {
    width: usize,
    height: usize,
    rgb: Vec<u8>,
}

impl Pixels {
    fn white(width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            rgb: vec![255; width * height * 3],
        }
    }

    /// Copies another one to this place.
    fn put(&mut self, other: &Pixels, left: usize, top: usize) {
        let width = other.width.min(self.width.saturating_sub(left));
        for y in 0..other.height.min(self.height.saturating_sub(top)) {
            let to = ((top + y) * self.width + left) * 3;
            let from = y * other.width * 3;
            self.rgb[to..to + width * 3].copy_from_slice(&other.rgb[from..from + width * 3]);
        }
    }
}

impl Sheet {
    /// The sheet as a PNG on white.
    ///
    /// # Errors
    /// None that data can cause; only a damaged font in the build.
    pub fn png(&self) -> Result<Vec<u8>> {
        let scale = self.scale.clamp(1, 8);
        let columns = self.columns.clamp(1, self.figures.len().max(1));
        let width = (columns as u32 * WIDTH * scale) as usize;
        let head = self.head(width as u32, scale)?;
        let mut drawn = Vec::new();
        for figure in &self.figures {
            let (width, height, rgb) = figure.pixels(scale)?;
            drawn.push(Pixels {
                width: width as usize,
                height: height as usize,
                rgb,
            });
        }
        let rows: Vec<usize> = (drawn.chunks(columns))
            .map(|row| row.iter().map(|figure| figure.height).max().unwrap_or(0))
            .collect();
        let mut all = Pixels::white(width, head.height + rows.iter().sum::<usize>());
        all.put(&head, 0, 0);
        let mut top = head.height;
        for (row, height) in drawn.chunks(columns).zip(rows) {
            for (column, figure) in row.iter().enumerate() {
                all.put(figure, column * (WIDTH * scale) as usize, top);
            }
            top += height;
        }
        encode(all.width as u32, all.height as u32, &all.rgb)
            .map_err(|error| failed(error.to_string()))
    }

    /// The heading and the lines below it.
    fn head(&self, width: u32, scale: u32) -> Result<Pixels> {
        let pen = Pen::new(scale)?;
        let room = width / scale - 2 * MARGIN;
        let title = pen.wrapped(&printable(&self.title), room, TITLE);
        let lines: Vec<String> = (self.lines.iter())
            .flat_map(|line| pen.wrapped(&printable(line), room, LETTERS))
            .collect();
        let height = MARGIN
            + title.len() as u32 * (LINE_HEIGHT + 8)
            + lines.len() as u32 * LINE_HEIGHT
            + MARGIN;
        let mut head = Pixels::white(width as usize, pen.px(height) as usize);
        {
            let size = (width, pen.px(height));
            let root = BitMapBackend::with_buffer(&mut head.rgb, size).into_drawing_area();
            let mut y = MARGIN;
            let sized = title.iter().map(|line| (line, TITLE, LINE_HEIGHT + 8));
            let sized = sized.chain(lines.iter().map(|line| (line, LETTERS, LINE_HEIGHT)));
            for (line, size, height) in sized {
                let place = (pen.px(MARGIN) as i32, pen.px(y) as i32);
                root.draw_text(line, &pen.style(size), place)
                    .map_err(|error| failed(error.to_string()))?;
                y += height;
            }
            root.present().map_err(|error| failed(error.to_string()))?;
        }
        Ok(head)
    }
}

fn failed(why: String) -> Error {
    Error::Device(Fault::Figure {
        id: "sheet".to_owned(),
        why,
    })
}
