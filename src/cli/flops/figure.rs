//! The comparison as a figure: FLOPs over sparsity, one line per method.

use plotters::prelude::*;
use rootlet::error::Fault;
use rootlet::report::counted;
use rootlet::{Error, Result};

use super::comparison::{Comparison, percent};

/// Pixels.
const SIZE: (u32, u32) = (760, 480);

/// Distinguishable with any kind of colour vision (Okabe and Ito 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(230, 159, 0),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// The text of an SVG file. The sparsity axis is logarithmic in the density; the FLOP axis is logarithmic too.
pub(super) fn plot(comparison: &Comparison) -> Result<String> {
    let mut svg = String::new();
    chart(comparison, &mut svg).map_err(|e| {
        Error::Device(Fault::Figure {
            id: "of FLOPs".to_owned(),
            why: e.to_string(),
        })
    })?;
    Ok(svg)
}

/// The number of nines in a sparsity: 1 for 90 %, 2 for 99 %.
fn nines(sparsity: f64) -> f64 {
    -(1.0 - sparsity).log10()
}

fn chart(
    comparison: &Comparison,
    svg: &mut String,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let rows: Vec<_> = (comparison.rows.iter())
        .filter(|row| row.skipped.is_none())
        .collect();
    let steps = || rows.iter().flat_map(|row| &row.methods).map(|m| m.step);
    let low = steps().fold(comparison.dense_step, f64::min) / 1.5;
    let high = steps().fold(comparison.dense_step, f64::max) * 1.5;
    let xs = || rows.iter().map(|row| nines(row.sparsity));
    let left = xs().fold(f64::INFINITY, f64::min).min(1.0);
    let right = xs().fold(0.0, f64::max).max(left + 1.0);

    rootlet::report::register_font()?;
    let area = SVGBackend::with_string(svg, SIZE).into_drawing_area();
    area.fill(&WHITE)?;
    let title = format!(
        "Training FLOPs of {}: a round every {}, gamma {}",
        comparison.model,
        counted(comparison.round_every, "step"),
        comparison.gamma
    );
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(14)
        .margin_right(34)
        .x_label_area_size(46)
        .y_label_area_size(74)
        .build_cartesian_2d(left..right, (low..high).log_scale())?;
    let images = counted(comparison.batch, "image");
    chart
        .configure_mesh()
        .x_desc("sparsity")
        .y_desc(format!("FLOPs of a step on {images}"))
        .label_style(("sans-serif", 14))
        .axis_desc_style(("sans-serif", 15))
        .light_line_style(WHITE)
        .x_labels(10)
        .x_label_formatter(&|&x| match (x - x.round()).abs() < 1e-6 {
            true => percent(1.0 - 10f64.powf(-x)),
            false => String::new(),
        })
        .y_label_formatter(&|&y| format!("{y:.0e}"))
        .draw()?;
    let dense = comparison.dense_step;
    chart
        .draw_series(LineSeries::new(
            [(left, dense), (right, dense)],
            BLACK.mix(0.4).stroke_width(1),
        ))?
        .label("dense step")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 18, y)], BLACK.mix(0.4)));
    let names = rows.first().map_or(0, |row| row.methods.len());
    for method in 0..names {
        let colour = COLOURS[method % COLOURS.len()];
        let points = rows
            .iter()
            .map(|row| (nines(row.sparsity), row.methods[method].step));
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)).point_size(3))?
            .label(rows[0].methods[method].method.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}
