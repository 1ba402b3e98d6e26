//! Draws pictures side by side, each pixel as a square, with a scale of colours and lines of text below.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::plot::{LETTERS, Pen};
use super::{ColourScale, Picture, WIDTH};

const MARGIN: u32 = 12;
const LINE_HEIGHT: u32 = 20;
/// Height of the scale's colours.
const SCALE: u32 = 12;
/// The widest scale.
const SCALE_WIDTH: u32 = 170;

/// Sizes of a row of pictures in units.
pub(super) struct Sizes {
    /// Width of each picture.
    width: u32,
    /// Height of the highest one.
    height: u32,
    /// What stands below, line by line.
    lines: Vec<String>,
}

impl Sizes {
    fn below(&self, scale: bool) -> u32 {
        let scale = if scale { LINE_HEIGHT + 6 } else { 0 };
        scale + self.lines.len() as u32 * LINE_HEIGHT
    }

    pub fn total(&self, scale: bool) -> u32 {
        self.height + LINE_HEIGHT + 6 + self.below(scale) + MARGIN
    }
}

impl Pen {
    pub(super) fn picture_sizes(self, pictures: &[Picture], lines: &[String]) -> Sizes {
        let count = pictures.len().max(1) as u32;
        let width = ((WIDTH - MARGIN * (count + 1)) / count).max(1);
        let height = |picture: &Picture| {
            let share = picture.height as f64 / picture.width.max(1) as f64;
            // A picture that is much higher than wide becomes narrower.
            (f64::from(width) * share)
                .ceil()
                .min(1.5 * f64::from(width)) as u32
        };
        Sizes {
            width,
            height: pictures.iter().map(height).max().unwrap_or(1).max(1),
            lines: (lines.iter())
                .flat_map(|line| self.wrapped(line, WIDTH - 2 * MARGIN, LETTERS))
                .collect(),
        }
    }

    /// A text in lines that are not wider than `room`; a word that is wider has a line of its own.
    pub(super) fn wrapped(self, text: &str, room: u32, size: f64) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        for word in text.split_whitespace() {
            if let Some(line) = lines.last_mut()
                && self.width(&format!("{line} {word}"), size) <= room
            {
                line.push(' ');
                line.push_str(word);
                continue;
            }
            lines.push(word.to_owned());
        }
        lines
    }

    pub(super) fn pictures<DB: DrawingBackend>(
        self,
        area: &DrawingArea<DB, Shift>,
        pictures: &[Picture],
        scale: Option<&ColourScale>,
        lines: &[String],
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let sizes = self.picture_sizes(pictures, lines);
        let at = |x: u32, y: u32| (self.px(x) as i32, self.px(y) as i32);
        for (place, picture) in pictures.iter().enumerate() {
            let left = MARGIN + place as u32 * (sizes.width + MARGIN);
            self.picture(area, picture, at(left, 0), &sizes)?;
            let style = self.style(LETTERS).pos(Pos::new(HPos::Center, VPos::Top));
            let caption = self.fitted(&picture.caption, sizes.width);
            area.draw_text(
                &caption,
                &style,
                at(left + sizes.width / 2, sizes.height + 5),
            )?;
        }
        let mut y = sizes.height + LINE_HEIGHT + 6;
        if let Some(scale) = scale {
            self.scale(area, scale, y)?;
            y += LINE_HEIGHT + 6;
        }
        for line in &sizes.lines {
            area.draw_text(line, &self.style(LETTERS), at(MARGIN, y))?;
            y += LINE_HEIGHT;
        }
        Ok(())
    }

    /// A picture in its place, all of whose pixels have the same size if there is room for that.
    fn picture<DB: DrawingBackend>(
        self,
        area: &DrawingArea<DB, Shift>,
        picture: &Picture,
        corner: (i32, i32),
        sizes: &Sizes,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let (width, height) = (picture.width.max(1), picture.height.max(1));
        let room = [
            self.px(sizes.width) as usize,
            self.px(sizes.height) as usize,
        ];
        let fits = (room[0] / width).min(room[1] / height);
        let scale = (room[0] as f64 / width as f64).min(room[1] as f64 / height as f64);
        // Where a row or a column begins.
        let edge = |cells: usize| match fits {
            0 => (cells as f64 * scale) as i32,
            _ => (cells * fits) as i32,
        };
        let left = corner.0 + (room[0] as i32 - edge(width)) / 2;
        let top = corner.1 + (room[1] as i32 - edge(height)) / 2;
        for y in 0..height {
            for x in 0..width {
                let Some(&[r, g, b]) = picture.pixels.get(y * width + x) else {
                    continue;
                };
                let from = (left + edge(x), top + edge(y));
                let to = (left + edge(x + 1), top + edge(y + 1));
                if to.0 > from.0 && to.1 > from.1 {
                    let fill = RGBColor(r, g, b).filled();
                    area.draw(&Rectangle::new([from, to], fill))?;
                }
            }
        }
        Ok(())
    }

    fn scale<DB: DrawingBackend>(
        self,
        area: &DrawingArea<DB, Shift>,
        scale: &ColourScale,
        y: u32,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let widths = scale.ends.each_ref().map(|end| self.width(end, LETTERS));
        let width = (WIDTH - 4 * MARGIN)
            .saturating_sub(widths[0] + widths[1])
            .clamp(40, SCALE_WIDTH);
        let all = widths[0] + width + widths[1] + 16;
        let left = WIDTH.saturating_sub(all) / 2 + widths[0] + 8;
        let middle = y + LINE_HEIGHT / 2;
        let at = |x: u32, y: u32| (self.px(x) as i32, self.px(y) as i32);
        let count = scale.colours.len().max(1);
        for (step, &[r, g, b]) in scale.colours.iter().enumerate() {
            let x = |step: usize| {
                self.px(left) as i32 + (self.px(width) as usize * step / count) as i32
            };
            let (top, bottom) = (at(0, middle - SCALE / 2).1, at(0, middle + SCALE / 2).1);
            let corners = [(x(step), top), (x(step + 1), bottom)];
            area.draw(&Rectangle::new(corners, RGBColor(r, g, b).filled()))?;
        }
        let style = |end: HPos| self.style(LETTERS).pos(Pos::new(end, VPos::Center));
        area.draw_text(&scale.ends[0], &style(HPos::Right), at(left - 8, middle))?;
        area.draw_text(
            &scale.ends[1],
            &style(HPos::Left),
            at(left + width + 8, middle),
        )
    }
}
