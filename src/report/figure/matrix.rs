//! Draws a matrix of counts: a cell's shade is its share of its row.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::WIDTH;
use super::colour::{self, Colour, SHADES};
use super::plot::{LETTERS, Pen};

/// The largest share of a figure's width that names may take.
const NAMES_SHARE: f64 = 0.3;
/// Largest side of a cell, and the smallest height of letters, in units.
const LARGEST: u32 = 44;
const SMALLEST: f64 = 8.0;
/// Room for what rows and columns are, and between names and cells.
const LABEL: u32 = 24;
const GAP: u32 = 6;

/// Sizes of a matrix in units.
pub(super) struct Sizes {
    /// Room for a name.
    room: u32,
    /// The side of a cell.
    cell: u32,
    cells: u32,
    /// The height of the letters of names.
    letters: f64,
}

impl Sizes {
    pub fn height(&self) -> u32 {
        self.cell * self.cells + self.room + GAP + LABEL + 12
    }

    /// Where the cells begin, from the left.
    fn left(&self) -> u32 {
        LABEL + self.room + GAP
    }
}

impl Pen {
    pub(super) fn matrix_sizes(self, names: &[String]) -> Sizes {
        let widest = names.iter().map(|name| self.width(name, LETTERS)).max();
        let widest = widest.unwrap_or(0).max(1);
        let most = (f64::from(WIDTH) * NAMES_SHARE) as u32;
        let cells = names.len().max(1) as u32;
        let room = widest.min(most);
        let cell = ((WIDTH - LABEL - room - GAP - 14) / cells).clamp(1, LARGEST);
        let fits = (f64::from(room) / f64::from(widest)).min(f64::from(cell) / LETTERS);
        Sizes {
            room,
            cell,
            cells,
            letters: (LETTERS * fits.min(1.0)).max(SMALLEST),
        }
    }

    /// `counts` are `[row][column]`.
    pub(super) fn matrix<DB: DrawingBackend>(
        self,
        area: &DrawingArea<DB, Shift>,
        labels: &[String; 2],
        names: &[String],
        counts: &[Vec<u64>],
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let sizes = self.matrix_sizes(names);
        let (left, cell) = (sizes.left(), sizes.cell);
        let at = |x: u32, y: u32| (self.px(x) as i32, self.px(y) as i32);
        let longest = counts
            .iter()
            .flatten()
            .max()
            .copied()
            .unwrap_or(0)
            .to_string();
        let fits =
            f64::from(cell.saturating_sub(3)) / f64::from(self.width(&longest, LETTERS).max(1));
        let letters = LETTERS * fits.min(f64::from(cell) / LETTERS / 1.1).min(1.0);
        for (row, of_row) in counts.iter().enumerate() {
            let all: u64 = of_row.iter().sum();
            for (column, &count) in of_row.iter().enumerate() {
                let (x, y) = (left + column as u32 * cell, row as u32 * cell);
                let shade = shade(count, all);
                let corners = [at(x, y), at(x + cell, y + cell)];
                let (fill, edge) = (Colour::Shade(shade).rgb(), colour::grid());
                area.draw(&Rectangle::new(corners, fill.filled()))?;
                area.draw(&Rectangle::new(corners, edge.stroke_width(1)))?;
                if count > 0 {
                    let ink = colour::text_on(shade);
                    let style = self.style(letters).color(&ink);
                    let style = style.pos(Pos::new(HPos::Center, VPos::Center));
                    let middle = at(2 * x + cell, 2 * y + cell);
                    area.draw_text(&count.to_string(), &style, (middle.0 / 2, middle.1 / 2))?;
                }
            }
        }
        let end = cell * sizes.cells;
        for (place, name) in names.iter().enumerate() {
            let middle = place as u32 * cell + cell / 2;
            let style = self.style(sizes.letters);
            let beside = style.pos(Pos::new(HPos::Right, VPos::Center));
            area.draw_text(name, &beside, at(left - GAP, middle))?;
            let below = self.turned(sizes.letters, HPos::Right);
            area.draw_text(name, &below, at(left + middle, end + GAP))?;
        }
        let below = self
            .style(LETTERS)
            .pos(Pos::new(HPos::Center, VPos::Bottom));
        let bottom = end + GAP + sizes.room + LABEL;
        area.draw_text(&labels[1], &below, at(left + end / 2, bottom))?;
        area.draw_text(
            &labels[0],
            &self.turned(LETTERS, HPos::Center),
            at(14, end / 2),
        )
    }

    /// Letters that are read from below.
    fn turned(self, size: f64, end: HPos) -> TextStyle<'static> {
        let turned = self.style(size).transform(FontTransform::Rotate270);
        turned.pos(Pos::new(end, VPos::Center))
    }
}

/// The shade of a count in a row with `all`: none for nothing, and at least the first for anything.
fn shade(count: u64, all: u64) -> usize {
    match count {
        0 => 0,
        _ => ((count as f64 / all.max(1) as f64 * (SHADES - 1) as f64).round() as usize).max(1),
    }
}
