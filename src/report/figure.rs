//! Figures: what is to be seen, apart from how it is drawn. One drawing serves the page (SVG) and files (PNG).

mod axis;
mod colour;
mod image;
mod plot;

pub use colour::Colour;
pub(super) use colour::stylesheet;
pub use plot::register_font;

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Unique in a page; a file's name.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What has to be known to read it; may be empty.
    pub note: String,
    /// The figure.
    pub plot: Plot,
}

/// The two kinds of figures.
#[derive(Clone, Debug, PartialEq)]
pub enum Plot {
    /// Lines over a numeric axis.
    Lines {
        /// To the right.
        x: Axis,
        /// Upwards.
        y: Axis,
        /// The lines.
        series: Vec<Series>,
    },
    /// Horizontal bars made of parts.
    Bars {
        /// To the right.
        x: Axis,
        /// Names of the bars, top to bottom.
        bars: Vec<String>,
        /// The number that stands behind each.
        totals: Vec<String>,
        /// The parts, left to right.
        parts: Vec<Part>,
    },
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// What is measured, with its unit.
    pub label: String,
    /// Whether equal factors are equal lengths.
    pub log: bool,
    /// How its numbers are written.
    pub format: Format,
}

impl Axis {
    /// A linear axis of plain numbers.
    pub fn new(label: &str) -> Self {
        Self {
            label: label.to_owned(),
            log: false,
            format: Format::Plain,
        }
    }

    /// With numbers written so.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// With a logarithmic scale.
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// As they are.
    Plain,
    /// As they are, of things that are counted: ticks are whole numbers.
    Whole,
    /// With the prefixes k, M, G…
    Prefixed,
}

/// A line.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// Its name in the legend.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// Points, by x.
    pub points: Vec<(f64, f64)>,
    /// Around the line: x, lower and upper end; may be empty.
    pub band: Vec<(f64, f64, f64)>,
    /// Whether the points are marked: where they are few.
    pub marked: bool,
}

/// A part of bars.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Its name in the legend.
    pub name: String,
    /// Its colour.
    pub colour: Colour,
    /// Its length in each bar.
    pub values: Vec<f64>,
}

/// How large a figure is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FigureSize {
    /// Pixels of a PNG for each of the figure's own 480.
    pub scale: u32,
}

impl Default for FigureSize {
    fn default() -> Self {
        Self { scale: 3 }
    }
}

/// Width of a figure in its own units: as wide as a phone shows without making letters too small.
const WIDTH: u32 = 480;

/// Most points of a line. More than there are columns to draw them in only make the page larger.
const MOST_POINTS: usize = 400;

impl Figure {
    /// The name of a file for it: its id with what a file's name cannot have replaced.
    pub fn file_name(&self, extension: &str) -> String {
        let plain = |c: char| match c.is_alphanumeric() || "-_.".contains(c) {
            true => c,
            false => '-',
        };
        let stem: String = self.id.chars().map(plain).collect();
        format!("{stem}.{extension}")
    }

    /// Whether there is anything in it.
    pub fn has_content(&self) -> bool {
        match &self.plot {
            Plot::Lines { series, .. } => series.iter().any(|s| !s.points.is_empty()),
            Plot::Bars { parts, bars, .. } => {
                !bars.is_empty() && parts.iter().any(|p| p.values.iter().any(|v| *v > 0.0))
            }
        }
    }
}

/// At most [`MOST_POINTS`] of the points, evenly taken, the first and the last among them.
pub(super) fn thinned<T: Copy>(points: &[T]) -> Vec<T> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let last = points.len() - 1;
    (0..MOST_POINTS)
        .map(|i| points[i * last / (MOST_POINTS - 1)])
        .collect()
}
