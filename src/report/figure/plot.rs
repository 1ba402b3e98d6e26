//! Draws a figure on any of plotters' backends.

use crate::error::Fault;
use std::sync::OnceLock;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::FontStyle;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::axis::Scale;
use super::colour::{self, Colour};
use super::{Figure, Part, Plot, Series, WIDTH};
use crate::{Error, Result};

/// The name of the font family: browsers use their own font of that kind, bitmaps the one that is registered below.
const FAMILY: &str = "sans-serif";

/// Sizes in a figure's own units. plotters' font sizes are 1.24 times those of CSS.
pub(super) const TITLE: f64 = 19.0;
pub(super) const LETTERS: f64 = 16.0;
const LINE_HEIGHT: u32 = 20;
const PLOT_HEIGHT: u32 = 270;
const BAR_HEIGHT: u32 = 30;
const SWATCH: u32 = 18;

/// The largest share of a figure's width that the names of bars may take.
const NAMES_SHARE: f64 = 0.45;

/// Registers the embedded font with plotters as `sans-serif`, once. Any code of this process that draws letters with
/// plotters needs this first: there is no other font.
///
/// # Errors
/// The font in the build is damaged.
pub fn register_font() -> Result<()> {
    static DONE: OnceLock<bool> = OnceLock::new();
    let done = DONE.get_or_init(|| {
        let bytes = include_bytes!("font/roboto-latin-greek.ttf");
        plotters::style::register_font(FAMILY, FontStyle::Normal, bytes).is_ok()
    });
    match done {
        true => Ok(()),
        false => Err(Error::Device(Fault::Figure {
            id: "of any kind".to_owned(),
            why: "their font is damaged in this build of rootlet".to_owned(),
        })),
    }
}

fn failed<E: std::fmt::Display>(figure: &Figure) -> impl Fn(E) -> Error {
    let id = figure.id.clone();
    move |error| {
        Error::Device(Fault::Figure {
            id: id.clone(),
            why: error.to_string(),
        })
    }
}

/// A pen of a certain size: a figure's units in pixels.
#[derive(Clone, Copy)]
pub(super) struct Pen {
    scale: u32,
}

/// A line of the legend: names, and where each begins.
type LegendLine = Vec<(u32, String, Colour)>;

impl Pen {
    pub(super) fn new(scale: u32) -> Result<Self> {
        register_font()?;
        Ok(Self { scale })
    }

    pub(super) fn px(self, units: u32) -> u32 {
        units * self.scale
    }

    pub(super) fn style(self, size: f64) -> TextStyle<'static> {
        (FAMILY, size * f64::from(self.scale))
            .into_font()
            .color(&colour::text())
    }

    /// Width of a text in units.
    pub(super) fn width(self, text: &str, size: f64) -> u32 {
        let style = self.style(size);
        let width = style.font.layout_box(text).map_or(0, |b| b.1.0 - b.0.0);
        width.max(0) as u32 / self.scale
    }

    /// Whether the names of bars are too wide to stand beside them, and so stand above.
    fn names_above(self, bars: &[String]) -> bool {
        let room = (f64::from(WIDTH) * NAMES_SHARE) as u32;
        bars.iter().any(|name| self.width(name, LETTERS) > room)
    }

    /// Height in units of a bar with its name.
    fn bar_height(self, bars: &[String]) -> u32 {
        match self.names_above(bars) {
            true => BAR_HEIGHT + LINE_HEIGHT,
            false => BAR_HEIGHT,
        }
    }

    /// Width and height of a figure in pixels.
    pub(super) fn size(self, figure: &Figure) -> (u32, u32) {
        let plot = match &figure.plot {
            Plot::Lines { .. } => PLOT_HEIGHT,
            Plot::Bars { bars, .. } => self.bar_height(bars) * bars.len() as u32 + 60,
            Plot::Matrix { names, .. } => self.matrix_sizes(names).height(),
            Plot::Pictures {
                pictures,
                scale,
                lines,
            } => self.picture_sizes(pictures, lines).total(scale.is_some()),
        };
        let height = self.head(figure) + plot;
        (self.px(WIDTH), self.px(height))
    }

    /// Height in units of the title and the legend.
    fn head(self, figure: &Figure) -> u32 {
        32 + self.legend(figure).len() as u32 * LINE_HEIGHT
    }

    /// The legend's names in lines as wide as the figure; empty if there is only one series.
    fn legend(self, figure: &Figure) -> Vec<LegendLine> {
        let mut names: Vec<(&str, Colour)> = match &figure.plot {
            Plot::Lines { series, .. } => {
                series.iter().map(|s| (s.name.as_str(), s.colour)).collect()
            }
            Plot::Bars { parts, .. } => parts.iter().map(|p| (p.name.as_str(), p.colour)).collect(),
            Plot::Matrix { .. } | Plot::Pictures { .. } => return Vec::new(),
        };
        names.retain(|(_, colour)| *colour != Colour::Quiet);
        if names.iter().all(|(name, _)| name.is_empty()) {
            return Vec::new();
        }
        let mut lines: Vec<LegendLine> = vec![Vec::new()];
        let mut at = 12;
        for (name, colour) in names {
            let name = self.fitted(name, WIDTH - 24 - SWATCH - 6);
            let width = SWATCH + 6 + self.width(&name, LETTERS) + 14;
            if at + width > WIDTH && at > 12 {
                lines.push(Vec::new());
                at = 12;
            }
            if let Some(line) = lines.last_mut() {
                line.push((at, name, colour));
            }
            at += width;
        }
        lines
    }

    /// Draws the figure over the whole of `area`, which has the size given by [`Pen::size`].
    pub(super) fn plot<DB: DrawingBackend>(
        self,
        figure: &Figure,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<()> {
        let (head, body) = area.split_vertically(self.px(self.head(figure)));
        self.draw_head(figure, &head).map_err(failed(figure))?;
        match &figure.plot {
            Plot::Lines { x, y, series } => {
                let xs = series.iter().flat_map(|s| s.points.iter().map(|p| p.0));
                let ys = series.iter().flat_map(|s| {
                    let band = s.band.iter().flat_map(|b| [b.1, b.2]);
                    s.points.iter().map(|p| p.1).chain(band)
                });
                let scales = (Scale::tight(x, xs), Scale::around(y, ys, false));
                self.lines(&body, scales, [&x.label, &y.label], series)
            }
            Plot::Bars {
                x,
                bars,
                totals,
                parts,
            } => self.bars(&body, x, (bars, totals), parts),
            Plot::Matrix {
                labels,
                names,
                counts,
            } => self.matrix(&body, labels, names, counts),
            Plot::Pictures {
                pictures,
                scale,
                lines,
            } => self.pictures(&body, pictures, scale.as_ref(), lines),
        }
        .map_err(failed(figure))?;
        area.present().map_err(failed(figure))
    }

    fn draw_head<DB: DrawingBackend>(
        self,
        figure: &Figure,
        area: &DrawingArea<DB, Shift>,
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let (title, size) = self.title(figure);
        let at = |x: u32, y: u32| (self.px(x) as i32, self.px(y) as i32);
        area.draw_text(&title, &self.style(size), at(12, 8))?;
        let style = self.style(LETTERS).pos(Pos::new(HPos::Left, VPos::Center));
        for (row, line) in self.legend(figure).into_iter().enumerate() {
            let y = 32 + row as u32 * LINE_HEIGHT + LINE_HEIGHT / 2;
            for (x, name, colour) in line {
                let (left, right) = (at(x, y), at(x + SWATCH, y));
                match (&figure.plot, colour.dashed()) {
                    (Plot::Bars { .. } | Plot::Matrix { .. } | Plot::Pictures { .. }, _) => {
                        let corners = [at(x, y - 6), at(x + 12, y + 6)];
                        area.draw(&Rectangle::new(corners, colour.rgb().filled()))?;
                    }
                    (Plot::Lines { .. }, false) => {
                        let stroke = colour.rgb().stroke_width(self.px(3));
                        area.draw(&PathElement::new(vec![left, right], stroke))?;
                    }
                    (Plot::Lines { .. }, true) => {
                        let middle = [at(x + 7, y), at(x + 11, y)];
                        let stroke = colour.rgb().stroke_width(self.px(3));
                        area.draw(&PathElement::new(vec![left, middle[0]], stroke))?;
                        area.draw(&PathElement::new(vec![middle[1], right], stroke))?;
                    }
                }
                area.draw_text(&name, &style, at(x + SWATCH + 6, y))?;
            }
        }
        Ok(())
    }

    fn lines<DB: DrawingBackend>(
        self,
        area: &DrawingArea<DB, Shift>,
        (x, y): (Scale, Scale),
        labels: [&str; 2],
        series: &[Series],
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let widest = y
            .ticks(5)
            .into_iter()
            .map(|t| self.width(&y.text(t), LETTERS));
        let left = widest.max().unwrap_or(0) + 34;
        let mut chart = ChartBuilder::on(area)
            .margin_top(self.px(8))
            .margin_left(self.px(6))
            .margin_right(self.px(22))
            .margin_bottom(self.px(6))
            .x_label_area_size(self.px(44))
            .y_label_area_size(self.px(left))
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_labels(6)
            .y_labels(5)
            .max_light_lines(0)
            .bold_line_style(colour::grid().stroke_width(self.px(1)))
            .axis_style(colour::axis().stroke_width(self.px(1)))
            .label_style(self.style(LETTERS))
            .axis_desc_style(self.style(LETTERS))
            .x_desc(labels[0])
            .y_desc(labels[1])
            .set_all_tick_mark_size(self.px(4))
            .draw()?;
        let count = series.len();
        for series in series {
            let outline = series.band.iter().map(|b| (b.0, b.2));
            let outline: Vec<_> = outline
                .chain(series.band.iter().rev().map(|b| (b.0, b.1)))
                .collect();
            if series.band.len() > 1 && series.colour != Colour::Quiet {
                chart
                    .draw_series([Polygon::new(outline, series.colour.rgb().mix(0.2).filled())])?;
            }
        }
        for (index, series) in series.iter().enumerate() {
            // Wider lines go below narrower ones, so that lines that coincide can all be seen.
            let width = 2 + (count - 1 - index).min(2) as u32;
            let stroke = series.colour.rgb().stroke_width(self.px(width));
            let points = series.points.clone();
            match series.colour.dashed() {
                true => {
                    let dash = DashedPathElement::new(points, self.px(6), self.px(4), stroke);
                    chart.draw_series([dash])?;
                }
                false => {
                    chart.draw_series([PathElement::new(points, stroke)])?;
                }
            }
            if series.marked {
                let dots = series.points.iter();
                let dots =
                    dots.map(|p| Circle::new(*p, self.px(width + 2), series.colour.rgb().filled()));
                chart.draw_series(dots)?;
            }
        }
        Ok(())
    }

    fn bars<DB: DrawingBackend>(
        self,
        area: &DrawingArea<DB, Shift>,
        axis: &super::Axis,
        (bars, totals): (&[String], &[String]),
        parts: &[Part],
    ) -> Result<(), DrawingAreaErrorKind<DB::ErrorType>> {
        let total = |bar: usize| -> f64 {
            let values = parts.iter().filter_map(|p| p.values.get(bar));
            values.filter(|v| v.is_finite()).sum()
        };
        let longest = (0..bars.len()).map(total).fold(0.0, f64::max);
        // Leave room for the number after the longest bar.
        let x = Scale::around(axis, [0.0, longest * 1.18].into_iter(), true);
        let above = self.names_above(bars);
        let beside = match above {
            true => 0,
            false => (bars.iter().map(|name| self.width(name, LETTERS)).max()).unwrap_or(0),
        };
        // The share of a bar's height at which its name stands above it.
        let share = match above {
            true => f64::from(LINE_HEIGHT) / f64::from(self.bar_height(bars)),
            false => 0.0,
        };
        let y = Scale::around(
            &super::Axis::new(""),
            [0.0, bars.len() as f64 / 1.04].into_iter(),
            true,
        );
        let mut chart = ChartBuilder::on(area)
            .margin_top(self.px(6))
            .margin_right(self.px(22))
            .margin_bottom(self.px(6))
            .x_label_area_size(self.px(44))
            .y_label_area_size(self.px(beside + 18))
            .build_cartesian_2d(x, y)?;
        chart
            .configure_mesh()
            .x_labels(5)
            .y_labels(0)
            .disable_y_mesh()
            .max_light_lines(0)
            .bold_line_style(colour::grid().stroke_width(self.px(1)))
            .axis_style(colour::axis().stroke_width(self.px(1)))
            .label_style(self.style(LETTERS))
            .axis_desc_style(self.style(LETTERS))
            .x_desc(&axis.label)
            .set_all_tick_mark_size(self.px(4))
            .draw()?;
        let rows = bars.len() as f64;
        let shown = match above {
            true => self.fitted_apart(bars, WIDTH - 60),
            false => bars.to_vec(),
        };
        for (bar, name) in shown.iter().enumerate() {
            let top = rows - bar as f64;
            let middle = top - share - (1.0 - share) / 2.0;
            let half = 0.36 * (1.0 - share);
            let mut from = 0.0;
            for part in parts {
                let value = part.values.get(bar).copied().unwrap_or(0.0);
                if value.is_finite() && value > 0.0 {
                    let corners = [(from, middle + half), (from + value, middle - half)];
                    let fill = part.colour.rgb().filled();
                    chart.draw_series([Rectangle::new(corners, fill)])?;
                    from += value;
                }
            }
            let (end, y) = chart.plotting_area().map_coordinate(&(from, middle));
            let (start, _) = chart.plotting_area().map_coordinate(&(0.0, middle));
            let here = |x: i32| {
                // Coordinates count from the corner of the whole picture, texts from that of the area.
                let base = area.get_base_pixel();
                (x - base.0, y - base.1)
            };
            let gap = self.px(7) as i32;
            let letters = self.style(LETTERS);
            match above {
                true => {
                    let style = letters.pos(Pos::new(HPos::Left, VPos::Bottom));
                    let (_, y) = chart.plotting_area().map_coordinate(&(0.0, middle + half));
                    let place = (
                        here(start).0,
                        y - area.get_base_pixel().1 - self.px(2) as i32,
                    );
                    area.draw_text(name, &style, place)?;
                }
                false => {
                    let style = letters.pos(Pos::new(HPos::Right, VPos::Center));
                    area.draw_text(name, &style, here(start - gap))?;
                }
            }
            let sum_style = self.style(LETTERS).pos(Pos::new(HPos::Left, VPos::Center));
            let sum = totals.get(bar).map_or("", String::as_str);
            area.draw_text(sum, &sum_style, here(end + gap))?;
        }
        Ok(())
    }
}
