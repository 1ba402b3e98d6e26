//! Devices side by side as a figure.

use std::path::Path;

use plotters::prelude::*;

use super::row::{PRODUCTS, Row, STEPS};
use crate::error::{Error, Result};
use crate::report::{printable, write_file};

/// One panel: a value of each device for each case.
struct Panel<'a> {
    title: String,
    unit: &'static str,
    rows: Vec<(&'a str, &'a Row)>,
}

const WIDTH: u32 = 1100;
const PANEL_HEIGHT: u32 = 330;

/// From an axis' upper end to its lower one, at most.
const DECADES: f64 = 1e12;

/// The largest value that an axis reaches.
const LARGEST: f64 = 1e100;

/// Colours that people with any sight can tell apart (Okabe and Ito).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(213, 94, 0),
    RGBColor(86, 180, 233),
    RGBColor(90, 90, 90),
];

/// Draws the products at each size and the training steps as an SVG file, with a logarithmic axis and a colour a
/// device.
pub(super) fn devices(path: &Path, names: &[String], rows: &[Row]) -> Result<()> {
    write_file(path, text(names, rows)?.as_bytes())
}

/// The SVG.
pub(super) fn text(names: &[String], rows: &[Row]) -> Result<String> {
    let panels = panels(rows);
    if panels.is_empty() {
        return Err(Error::Usage(
            "the files have neither products nor training steps that could be drawn".to_owned(),
        ));
    }
    let legend = 24 * names.len() as u32 + 12;
    let height = legend + PANEL_HEIGHT * lines(&panels).len() as u32;
    let mut text = String::new();
    plot(&mut text, (WIDTH, height), legend, names, &panels)
        .map_err(|e| Error::Shape(format!("the figure cannot be drawn: {e}")))?;
    // Devices' names are from files; XML allows none of their control characters.
    Ok(printable(&text).into_owned())
}

fn panels(rows: &[Row]) -> Vec<Panel<'_>> {
    let mut panels: Vec<Panel<'_>> = Vec::new();
    for row in rows {
        let (title, unit, label) = match row.section {
            PRODUCTS => {
                // "spmm n = 4096, batch 128, 98 %"
                let (title, label) = row.case.rsplit_once(", ").unwrap_or((&row.case, ""));
                (title.to_owned(), "GFLOP/s", label)
            }
            // "resnet20, batch 128, 98 %"
            STEPS => {
                let label = row.case.split(',').next().unwrap_or(&row.case);
                ("training steps".to_owned(), "ms", label)
            }
            _ => continue,
        };
        match panels.iter_mut().find(|p| p.title == title) {
            Some(panel) => panel.rows.push((label, row)),
            None => panels.push(Panel {
                title,
                unit,
                rows: vec![(label, row)],
            }),
        }
    }
    panels.retain(|p| p.range().is_some());
    panels
}

/// Two products beside each other; the training steps, the last panel, have long names and a line for themselves.
fn lines<'a, 'b>(panels: &'b [Panel<'a>]) -> Vec<&'b [Panel<'a>]> {
    let steps = panels.iter().position(|p| p.unit == "ms");
    let (products, steps) = panels.split_at(steps.unwrap_or(panels.len()));
    products.chunks(2).chain(steps.chunks(1)).collect()
}

impl Panel<'_> {
    /// Least and largest value, with some room. Over more decades than these an axis shows nothing, and plotters counts
    /// them one by one: a value below stands at the lower end.
    fn range(&self) -> Option<(f64, f64)> {
        let values = self
            .rows
            .iter()
            .flat_map(|(_, row)| row.values.iter().flatten());
        let positive = values.copied().filter(|v| *v > 0.0 && v.is_finite());
        let (low, high) = positive.fold((f64::MAX, 0.0f64), |(l, h), v| (l.min(v), h.max(v)));
        let high = high.min(LARGEST);
        (high > 0.0).then(|| ((low / 2.0).max(high / DECADES), high * 1.5))
    }
}

type DrawResult = std::result::Result<(), Box<dyn std::error::Error>>;

fn plot(
    text: &mut String,
    size: (u32, u32),
    legend: u32,
    names: &[String],
    panels: &[Panel<'_>],
) -> DrawResult {
    crate::report::register_font()?;
    let root = SVGBackend::with_string(text, size).into_drawing_area();
    root.fill(&WHITE)?;
    let (top, rest) = root.split_vertically(legend);
    for (i, name) in names.iter().enumerate() {
        let y = 14 + 24 * i as i32;
        let colour = COLOURS[i % COLOURS.len()].filled();
        top.draw(&Rectangle::new([(20, y), (34, y + 12)], colour))?;
        top.draw(&Text::new(name.clone(), (42, y), ("sans-serif", 15)))?;
    }
    let lines = lines(panels);
    for (area, line) in rest.split_evenly((lines.len(), 1)).iter().zip(&lines) {
        for (area, panel) in area.split_evenly((1, line.len())).iter().zip(*line) {
            bars(area, panel, names.len())?;
        }
    }
    root.present()?;
    Ok(())
}

/// Bars from the axis' lower end up, the devices side by side for each case.
fn bars<B: DrawingBackend>(
    area: &DrawingArea<B, plotters::coord::Shift>,
    panel: &Panel<'_>,
    devices: usize,
) -> DrawResult
where
    B::ErrorType: 'static,
{
    let Some((low, high)) = panel.range() else {
        return Ok(());
    };
    let cases = panel.rows.len();
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 17))
        .margin(10)
        .x_label_area_size(34)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..cases as f64, (low..high).log_scale())?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .disable_x_axis()
        .light_line_style(TRANSPARENT)
        .y_labels(6)
        .y_desc(format!("{}, log scale", panel.unit))
        .y_label_formatter(&|v| super::table::number(*v))
        .label_style(("sans-serif", 13))
        .axis_desc_style(("sans-serif", 14))
        .draw()?;
    let width = 0.8 / devices as f64;
    for (c, (label, row)) in panel.rows.iter().enumerate() {
        for (d, value) in row.values.iter().enumerate() {
            let Some(value) = value.filter(|v| *v > low && v.is_finite()) else {
                continue;
            };
            let left = c as f64 + 0.1 + d as f64 * width;
            let colour = COLOURS[d % COLOURS.len()].filled();
            let top = value.min(high);
            let bar = Rectangle::new([(left, low), (left + width * 0.94, top)], colour);
            chart.draw_series(std::iter::once(bar))?;
        }
        let (x, y) = chart.backend_coord(&(c as f64 + 0.5, low));
        let (left, top) = area.get_base_pixel();
        let style = ("sans-serif", 12).into_text_style(area);
        let centred = style.pos(plotters::style::text_anchor::Pos::new(
            plotters::style::text_anchor::HPos::Center,
            plotters::style::text_anchor::VPos::Top,
        ));
        // Every other label a line lower: neighbours' may be long.
        let lower = 6 + 14 * (c % 2) as i32;
        area.draw(&Text::new(
            (*label).to_owned(),
            (x - left, y - top + lower),
            centred,
        ))?;
    }
    Ok(())
}
