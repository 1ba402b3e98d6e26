//! Several devices in one figure: a case has a dot for each device, one below another, and the cases of a unit share a
//! logarithmic axis.
//!
//! Horizontal places are shares of the width, and texts keep their size, so that the figure fits both wide and narrow
//! pages.

use std::path::Path;

use maud::{Markup, PreEscaped, html};

use super::row::{PRODUCTS, Row, STEPS};
use crate::bench::report::table::number;
use crate::error::{Error, Result};
use crate::report::{printable, write_file};

/// Where the axis begins and ends, in percent of the width.
const AXIS: (f64, f64) = (38.0, 95.0);

/// Heights in pixels: a line of text, the least height of a case, and the space between sections.
const LINE: usize = 20;
const CASE: usize = 22;
const GAP: usize = 18;

/// Distance between the dots of two devices in a case, so that none hides another: twice a dot's radius.
const LANE: usize = 9;

/// Letters in a line of text that fits the narrowest page.
const LETTERS: usize = 46;

/// Largest ratio of an axis' ends; values beyond it are drawn at its end.
const DECADES: f64 = 1e12;

/// The largest value that an axis reaches.
const LARGEST: f64 = 1e100;

/// Colours that people can tell apart with any colour vision (Okabe and Ito), on white and on black.
const COLOURS: [(&str, &str); 7] = [
    ("#0072B2", "#56B4E9"),
    ("#E69F00", "#E69F00"),
    ("#009E73", "#2FCFA0"),
    ("#CC79A7", "#E19AC4"),
    ("#D55E00", "#FF8A3D"),
    ("#56B4E9", "#A6DAF7"),
    ("#5A5A5A", "#B8B8B8"),
];

/// The cases of one unit, grouped by heading.
struct Section<'a> {
    title: &'static str,
    groups: Vec<(String, Vec<(&'a str, &'a Row)>)>,
}

/// Draws the products at each size and the training steps as an SVG file.
pub(super) fn devices(path: &Path, names: &[String], rows: &[Row]) -> Result<()> {
    write_file(path, text(names, rows)?.as_bytes())
}

/// The SVG text.
pub(super) fn text(names: &[String], rows: &[Row]) -> Result<String> {
    let sections = sections(rows);
    if sections.is_empty() {
        return Err(Error::Nothing {
            what: "drawn: the files have neither products nor training steps".to_owned(),
        });
    }
    let mut drawing = Drawing {
        marks: Vec::new(),
        y: GAP,
    };
    for (device, name) in names.iter().enumerate() {
        drawing.legend(device, name);
    }
    for section in &sections {
        drawing.section(section);
    }
    let height = drawing.y + GAP;
    let svg = html! {
        svg xmlns="http://www.w3.org/2000/svg" width="100%" height=(height) style="max-width:960px" role="img"
            aria-label="Devices side by side" font-family="system-ui, sans-serif" font-size="13" {
            style { (PreEscaped(style())) }
            rect.page width="100%" height="100%" {}
            @for mark in &drawing.marks { (mark) }
        }
    };
    // The devices' names come from files, and XML forbids their control characters.
    Ok(printable(&(svg.into_string() + "\n")).into_owned())
}

fn style() -> String {
    let dots = |pick: fn(&(&'static str, &'static str)) -> &'static str| -> String {
        let of = |(i, colours)| format!(".d{i}{{fill:{}}}", pick(colours));
        COLOURS.iter().enumerate().map(of).collect()
    };
    format!(
        ".page{{fill:#fff}}text{{fill:#1a1a1a}}.minor{{fill:#555}}line{{stroke:#ddd}}.span{{stroke:#aaa}}\
         circle{{stroke:#fff}}{}\
         @media(prefers-color-scheme:dark){{.page{{fill:#15171a}}text{{fill:#eee}}.minor{{fill:#aaa}}\
         line{{stroke:#34383d}}.span{{stroke:#70767d}}circle{{stroke:#15171a}}{}}}",
        dots(|colours| colours.0),
        dots(|colours| colours.1)
    )
}

fn sections(rows: &[Row]) -> Vec<Section<'_>> {
    let mut sections = [
        Section {
            title: "Products, GFLOP/s: more is better",
            groups: Vec::new(),
        },
        Section {
            title: "Training steps, ms: less is better",
            groups: Vec::new(),
        },
    ];
    for row in rows {
        let (section, title, label) = match row.section {
            PRODUCTS => {
                // "spmm n = 4096, batch 128, 98 %"
                let (title, label) = row.case.rsplit_once(", ").unwrap_or((&row.case, ""));
                (0, title, label)
            }
            // "resnet20, batch 128, 98 %"
            STEPS => {
                let (label, title) = row.case.split_once(", ").unwrap_or((&row.case, ""));
                (1, title, label)
            }
            _ => continue,
        };
        if !row.values.iter().flatten().any(|v| drawn(*v)) {
            continue;
        }
        let groups = &mut sections[section].groups;
        match groups.iter_mut().find(|group| group.0 == title) {
            Some(group) => group.1.push((label, row)),
            None => groups.push((title.to_owned(), vec![(label, row)])),
        }
    }
    let mut sections = Vec::from(sections);
    sections.retain(|section| !section.groups.is_empty());
    sections
}

/// Whether a value has a place on a logarithmic axis.
fn drawn(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

/// A logarithmic axis with some room at its ends.
struct Axis {
    low: f64,
    high: f64,
}

impl Axis {
    fn of<'a>(rows: impl Iterator<Item = &'a Row>) -> Self {
        let values = rows.flat_map(|row| row.values.iter().flatten().copied());
        let (low, high) = values
            .filter(|v| drawn(*v))
            .fold((LARGEST, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
        let high = high.min(LARGEST);
        Axis {
            low: low.max(high / DECADES) / 1.3,
            high: high * 1.3,
        }
    }

    /// The place in percent of the width.
    fn place(&self, value: f64) -> String {
        let share = (value / self.low).ln() / (self.high / self.low).ln();
        let (begin, end) = AXIS;
        format!("{:.2}%", begin + (end - begin) * share.clamp(0.0, 1.0))
    }

    /// Powers of ten, and also twice and five times those if only few fit.
    fn ticks(&self) -> Vec<f64> {
        let (first, last) = (
            self.low.log10().floor() as i32,
            self.high.log10().ceil() as i32,
        );
        let wide = self.high / self.low;
        // Each number needs a tenth of a narrow page.
        let every = ((last - first) as usize).div_ceil(6).max(1);
        let steps: &[f64] = match wide {
            w if w < 30.0 => &[1.0, 2.0, 5.0],
            w if w < 1e3 => &[1.0, 3.0],
            _ => &[1.0],
        };
        (first..=last)
            .step_by(every)
            .flat_map(|power| steps.iter().map(move |step| step * 10f64.powi(power)))
            .filter(|tick| (self.low..=self.high).contains(tick))
            .collect()
    }
}

/// What has been drawn so far, from the top down.
struct Drawing {
    marks: Vec<Markup>,
    y: usize,
}

impl Drawing {
    /// A text from the left edge, in as many lines as it needs.
    fn words(&mut self, x: usize, words: &str, weight: &str) {
        for line in wrapped(words) {
            self.y += LINE;
            self.marks.push(html! {
                text x=(x) y=(self.y - 6) font-weight=(weight) { (line) }
            });
        }
    }

    fn legend(&mut self, device: usize, name: &str) {
        let y = self.y + LINE / 2;
        self.marks.push(html! {
            circle class={ "d" (device % COLOURS.len()) } cx="18" cy=(y) r="6" {}
        });
        self.words(32, name, "normal");
    }

    fn section(&mut self, section: &Section<'_>) {
        let axis = Axis::of(section.groups.iter().flat_map(|g| g.1.iter().map(|c| c.1)));
        self.y += GAP;
        self.words(12, section.title, "bold");
        self.numbers(&axis);
        // This goes behind whatever follows.
        let (grid, top) = (self.marks.len(), self.y);
        for (title, cases) in &section.groups {
            self.words(12, title, "normal");
            for (label, row) in cases {
                self.case(&axis, label, row);
            }
        }
        let lines = axis.ticks().into_iter().map(|tick| {
            let x = axis.place(tick);
            html! { line x1=(x) x2=(x) y1=(top) y2=(self.y) {} }
        });
        let lines: Vec<Markup> = lines.collect();
        self.marks.splice(grid..grid, lines);
        self.numbers(&axis);
    }

    fn numbers(&mut self, axis: &Axis) {
        self.y += LINE;
        for tick in axis.ticks() {
            self.marks.push(html! {
                text.minor x=(axis.place(tick)) y=(self.y - 6) text-anchor="middle" font-size="11" { (short(tick)) }
            });
        }
    }

    /// A dot for each device that has a value, in the order of the legend from the top down, and a line from the first
    /// to the last.
    fn case(&mut self, axis: &Axis, label: &str, row: &Row) {
        let devices = row.values.len();
        let height = CASE.max((devices + 1) * LANE);
        let y = self.y + height / 2;
        let lane = |device: usize| y + device * LANE - (devices - 1) * LANE / 2;
        let values = row.values.iter().enumerate();
        let dots: Vec<(usize, f64)> = values
            .filter_map(|(device, value)| Some((device, value.filter(|v| drawn(*v))?)))
            .collect();
        let (low, high) =
            (dots.iter()).fold((f64::MAX, 0.0f64), |(l, h), d| (l.min(d.1), h.max(d.1)));
        self.marks.push(html! {
            text.minor x="24" y=(y + 4) font-size="12" { (label) }
            line.span x1=(axis.place(low)) x2=(axis.place(high)) y1=(y) y2=(y) {}
            @for (device, value) in dots {
                circle class={ "d" (device % COLOURS.len()) } cx=(axis.place(value)) cy=(lane(device)) r=(LANE / 2) {
                    title { (number(value)) }
                }
            }
        });
        self.y += height;
    }
}

/// A tick's number: 0.001, 5, 2000, 1e6.
fn short(tick: f64) -> String {
    match tick {
        t if !(1e-4..1e6).contains(&t) => format!("{t:.0e}"),
        t if t >= 1.0 => format!("{t:.0}"),
        t => format!("{t:.*}", (-t.log10()).ceil() as usize),
    }
}

/// Lines of at most [`LETTERS`] letters, broken at spaces if there are any.
fn wrapped(words: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        for piece in word.chars().collect::<Vec<_>>().chunks(LETTERS) {
            let piece: String = piece.iter().collect();
            let last = lines.len() - 1;
            let line = &mut lines[last];
            if !line.is_empty() && line.chars().count() + 1 + piece.chars().count() > LETTERS {
                lines.push(piece);
            } else {
                if !line.is_empty() {
                    line.push(' ');
                }
                line.push_str(&piece);
            }
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_and_within_the_axis() {
        for (low, high) in [
            (0.9, 1.1),
            (3.0, 80.0),
            (0.02, 4000.0),
            (1e-9, 1e9),
            (1e-3, 1e6),
        ] {
            let axis = Axis { low, high };
            let ticks = axis.ticks();
            assert!((1..=8).contains(&ticks.len()), "{low} {high}: {ticks:?}");
            assert!(ticks.iter().all(|tick| (low..=high).contains(tick)));
        }
        let shown = [0.001, 0.02, 5.0, 2000.0, 1e6, 1e-9].map(short);
        assert_eq!(shown, ["0.001", "0.02", "5", "2000", "1e6", "1e-9"]);
    }

    #[test]
    fn long_names_take_several_lines() {
        let long = format!("a device {} of a long name", "x".repeat(60));
        let lines = wrapped(&long);
        assert!(lines.iter().all(|line| line.chars().count() <= LETTERS));
        assert_eq!(lines.concat().replace(' ', ""), long.replace(' ', ""));
        assert_eq!(wrapped(""), [""]);
    }
}
