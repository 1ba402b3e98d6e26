//! Figures as data, separate from how they are drawn. One drawing serves the page (SVG) and files (PNG).

mod axis;
mod colour;
mod image;
mod letters;
mod matrix;
mod pictures;
mod plot;
mod sheet;

pub use colour::Colour;
pub(super) use colour::stylesheet;
pub use plot::register_font;
pub use sheet::Sheet;

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// Unique within a page; also the name of a file.
    pub id: String,
    /// What it shows.
    pub title: String,
    /// What a reader has to know to understand it; may be empty.
    pub note: String,
    /// The figure.
    pub plot: Plot,
}

/// The kinds of figures.
#[derive(Clone, Debug, PartialEq)]
pub enum Plot {
    /// Lines over a numeric axis.
    Lines {
        /// The horizontal axis.
        x: Axis,
        /// The vertical axis.
        y: Axis,
        /// The lines.
        series: Vec<Series>,
    },
    /// Horizontal bars made of parts.
    Bars {
        /// The horizontal axis.
        x: Axis,
        /// Names of the bars, top to bottom.
        bars: Vec<String>,
        /// The number printed after each bar.
        totals: Vec<String>,
        /// The parts, left to right.
        parts: Vec<Part>,
    },
    /// Counts of pairs of two equal lists of things, such as classes and what was answered; a cell's shade is its share
    /// of its row.
    Matrix {
        /// What the rows and the columns are.
        labels: [String; 2],
        /// The names of the things.
        names: Vec<String>,
        /// `[row][column]`.
        counts: Vec<Vec<u64>>,
    },
    /// Pictures side by side.
    Pictures {
        /// The pictures, left to right.
        pictures: Vec<Picture>,
        /// What their colours mean, if that needs saying.
        scale: Option<ColourScale>,
        /// What stands below, paragraph by paragraph.
        lines: Vec<String>,
    },
}

/// A picture whose pixels are drawn as squares.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What it is.
    pub caption: String,
    /// Pixels in a row.
    pub width: usize,
    /// Rows.
    pub height: usize,
    /// `[row][column]`: red, green and blue.
    pub pixels: Vec<[u8; 3]>,
}

/// Colours for numbers from low to high.
#[derive(Clone, Debug, PartialEq)]
pub struct ColourScale {
    /// The colours, from low to high.
    pub colours: Vec<[u8; 3]>,
    /// What the first and the last one mean.
    pub ends: [String; 2],
}

/// An axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Axis {
    /// The quantity, with its unit.
    pub label: String,
    /// Whether the scale is logarithmic.
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

    /// Sets how its numbers are written.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Makes the scale logarithmic.
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }
}

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Unchanged.
    Plain,
    /// Unchanged, for things that are counted: ticks are whole numbers.
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
    /// The band around the line: x, lower and upper end; may be empty.
    pub band: Vec<(f64, f64, f64)>,
    /// Whether the points are marked, as they are if there are few.
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

/// Width of a figure in its own units: what a phone can show without making the letters too small.
const WIDTH: u32 = 480;

/// Most points of a line. More points than there are columns to draw them in only make the page larger.
const MOST_POINTS: usize = 400;

impl Figure {
    /// A file name for the figure: its id, with the characters replaced that a file name cannot have.
    pub fn file_name(&self, extension: &str) -> String {
        let plain = |c: char| match c.is_alphanumeric() || "-_.".contains(c) {
            true => c,
            false => '-',
        };
        let stem: String = self.id.chars().map(plain).collect();
        format!("{stem}.{extension}")
    }

    /// Whether its letters are so small that it should have the width of several figures.
    pub(super) fn is_wide(&self) -> bool {
        matches!(&self.plot, Plot::Matrix { names, .. } if names.len() > 10)
    }

    /// Whether the figure shows anything.
    pub fn has_content(&self) -> bool {
        match &self.plot {
            Plot::Lines { series, .. } => series.iter().any(|s| !s.points.is_empty()),
            Plot::Bars { parts, bars, .. } => {
                !bars.is_empty() && parts.iter().any(|p| p.values.iter().any(|v| *v > 0.0))
            }
            Plot::Matrix { counts, .. } => counts.iter().flatten().any(|&count| count > 0),
            Plot::Pictures { pictures, .. } => pictures.iter().any(|one| !one.pixels.is_empty()),
        }
    }
}

/// At most [`MOST_POINTS`] of the points, evenly spaced, including the first and the last.
pub(super) fn thinned<T: Copy>(points: &[T]) -> Vec<T> {
    if points.len() <= MOST_POINTS {
        return points.to_vec();
    }
    let last = points.len() - 1;
    (0..MOST_POINTS)
        .map(|i| points[i * last / (MOST_POINTS - 1)])
        .collect()
}
