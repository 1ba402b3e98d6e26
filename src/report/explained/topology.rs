//! How a network's units are connected: what its first layer sees, and how many connections units have.

use super::heat;
use crate::Result;
use crate::checkpoint::Checkpoint;
use crate::data::table::Preprocessing;
use crate::explain::{Degrees, InputStrength, input_strengths, layer_degrees};
use crate::layer::{Flatten, Patchify};
use crate::model::{Extent, Model, SparseNode};
use crate::report::figure::{Axis, Colour, Figure, Format, Part, Plot, Series, Sheet};
use crate::report::text::percent;
use crate::sparse::{LayerState, Shape, initialise};
use crate::train::Predictor;
use crate::words::{counted, grouped};

/// Bars of a histogram, of few units and at most.
const FEWEST_BARS: usize = 8;
const MOST_BARS: usize = 60;
/// How many units an expectation has to have to be seen.
const SEEN: f64 = 0.05;
/// Most columns of a table that are drawn.
const MOST_COLUMNS: usize = 30;

/// Where an input unit of the first layer is: the place of each unit in a picture, and what a place is called.
struct Places {
    height: usize,
    width: usize,
    place: Box<dyn Fn(usize) -> usize>,
    what: &'static str,
}

/// A network's connections: what its first layer sees, and of each layer how many connections units have, beside a
/// random graph with as many.
///
/// # Errors
/// The checkpoint's model is that of another program, or an older rootlet did not record its data.
pub fn explained_topology(network: &str, checkpoint: &Checkpoint) -> Result<Sheet> {
    let (model, data) = Predictor::described(checkpoint)?;
    let (model, rules) = (&model, data.preprocessing.as_ref());
    let averaged = checkpoint.snapshot.state.averaged();
    let layers = &(averaged.as_ref())
        .unwrap_or(&checkpoint.snapshot.state)
        .layers;
    let sparse = model.sparse();
    let mut figures = Vec::new();
    if let (Some(node), Some(layer)) = (sparse.first(), layers.first()) {
        figures.extend(first_layer(model, node, layer, rules));
    }
    // The histograms of a layer stay side by side.
    let columns = if sparse.len() > 4 { 4 } else { 2 };
    if figures.len() == 1 && columns == 2 {
        figures.extend(first_weights(layers.first(), rules));
    }
    let (mut connections, mut pairs) = (0u64, 0u64);
    for (node, layer) in sparse.iter().zip(layers) {
        let degrees = layer_degrees(layer);
        connections += degrees.connections;
        pairs = pairs.saturating_add(degrees.pairs);
        let (ins, outs) = (layer.n_in as u64, counted(layer.n_out as u64, "unit"));
        figures.push(histogram(
            &format!("{}: into its {outs}", node.name),
            "connections into a unit",
            &degrees.fan_in,
        ));
        figures.push(histogram(
            &format!("{}: from its {}", node.name, counted(ins, "input")),
            "connections from an input",
            &degrees.fan_out,
        ));
    }
    let share = 1.0 - connections as f64 / (pairs as f64).max(1.0);
    Ok(Sheet {
        title: format!("How {network} is connected"),
        lines: vec![
            format!(
                "{}: {} of {} possible connections ({} sparse) in {}.",
                model.name(),
                grouped(connections),
                grouped(pairs),
                percent(share),
                counted(sparse.len() as u64, "layer"),
            ),
            "The histograms show how many units have how many connections, and what is expected of a random graph with \
             as many connections: what clearly differs was learned. An input of a convolution is a channel at a kernel tap."
                .to_owned(),
        ],
        scale: if figures.len() > 12 { 1 } else { 2 },
        figures,
        columns,
    })
}

/// What the first layer sees: of images a picture, of tables bars.
fn first_layer(
    model: &Model,
    node: &SparseNode,
    layer: &LayerState,
    rules: Option<&Preprocessing>,
) -> Vec<Figure> {
    let own = input_strengths(layer);
    if let Some(rules) = rules {
        return columns_of(rules, &own).into_iter().collect();
    }
    let Some(places) = places(model, node) else {
        return Vec::new();
    };
    let size = places.height * places.width;
    let sums = |all: &[InputStrength]| {
        let mut found = vec![InputStrength::default(); size];
        for (unit, own) in all.iter().enumerate() {
            if let Some(sum) = found.get_mut((places.place)(unit)) {
                sum.connections += own.connections;
                sum.strength += own.strength;
            }
        }
        found
    };
    let now = sums(&own);
    let shape = Shape {
        n_in: layer.n_in,
        n_out: layer.n_out,
    };
    let random = sums(&input_strengths(&initialise(
        shape,
        layer.active() as u64,
        0,
        0,
    )));
    let counts = |all: &[InputStrength]| -> Vec<f64> {
        all.iter().map(|one| one.connections as f64).collect()
    };
    let (now_counts, random_counts) = (counts(&now), counts(&random));
    let most = |values: &[f64]| values.iter().copied().fold(0.0, f64::max);
    let highest = most(&now_counts).max(most(&random_counts));
    let (low, high) = spread(&now_counts);
    let (random_low, random_high) = spread(&random_counts);
    let plane = [places.height, places.width];
    let unused = now_counts.iter().filter(|&&count| count == 0.0).count();
    let mut lines = vec![format!(
        "{} has {low:.1} ± {high:.1} connections, and {random_low:.1} ± {random_high:.1} in the random graph.",
        places.what
    )];
    if unused > 0 {
        lines.push(format!(
            "{} of {} {} none (grey).",
            grouped(unused as u64),
            grouped(size as u64),
            if unused == 1 { "has" } else { "have" }
        ));
    }
    let seen = Figure {
        id: "first-layer".to_owned(),
        title: format!("What {} sees: connections", node.name),
        note: String::new(),
        plot: Plot::Pictures {
            pictures: vec![
                heat::heat_map("this network", plane, &now_counts, highest),
                heat::heat_map("a random graph", plane, &random_counts, highest),
            ],
            scale: Some(heat::scale("1", &grouped(highest as u64))),
            lines,
        },
    };
    let strength: Vec<f64> = now.iter().map(|one| one.strength).collect();
    let mean: Vec<f64> = (now.iter())
        .map(|one| one.strength / one.connections.max(1) as f64)
        .collect();
    let (of_strength, of_mean) = (most(&strength), most(&mean));
    let weights = Figure {
        id: "first-layer-weights".to_owned(),
        title: format!("What {} sees: weights", node.name),
        note: String::new(),
        plot: Plot::Pictures {
            pictures: vec![
                heat::heat_map("sum of |w|", plane, &strength, of_strength),
                heat::heat_map("mean of |w|", plane, &mean, of_mean),
            ],
            scale: Some(heat::scale("0", "most")),
            lines: vec![format!(
                "{} has at most {of_strength:.3} in sum and {of_mean:.3} in the mean.",
                places.what
            )],
        },
    };
    vec![seen, weights]
}

/// Mean and standard deviation.
fn spread(values: &[f64]) -> (f64, f64) {
    let count = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / count;
    let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
    (mean, variance.sqrt())
}

/// Where the first layer's input units are, if they make a picture.
fn places(model: &Model, node: &SparseNode) -> Option<Places> {
    let taps = node.window.taps();
    if taps > 1 {
        let [height, width] = node.window.kernel;
        return Some(Places {
            height,
            width,
            place: Box::new(move |unit| unit % taps),
            what: "A tap of the kernel",
        });
    }
    // Back to the image, through layers that leave units where they are.
    let nodes = model.nodes();
    let mut at = *nodes.get(node.node)?.inputs().first()?;
    loop {
        let here = nodes.get(at)?;
        let Some(&before) = here.inputs().first() else {
            break;
        };
        let from = nodes.get(before)?.extent();
        if let Some(&Patchify { size }) = here.layer_as() {
            let channels = from.channels.max(1);
            return Some(Places {
                height: size,
                width: size,
                place: Box::new(move |unit| unit / channels),
                what: "A pixel of a patch",
            });
        }
        if here.layer_as::<Flatten>().is_none() && here.extent() != from {
            return None;
        }
        at = before;
    }
    let Extent { height, width, .. } = model.input();
    let plane = height * width;
    // A layer over the pixels of an image by themselves sees only channels.
    let is_flat = node.shape.n_in == model.input().size();
    (plane > 1 && is_flat).then(|| Places {
        height,
        width,
        place: Box::new(move |unit| unit % plane),
        what: "A pixel",
    })
}

/// The connections of a table's columns as bars.
fn columns_of(rules: &Preprocessing, inputs: &[InputStrength]) -> Option<Figure> {
    bars(
        rules,
        inputs,
        "connections",
        |own| own.connections as f64,
        Colour::Series(0),
    )
}

/// The weights of a table's columns as bars.
fn first_weights(layer: Option<&LayerState>, rules: Option<&Preprocessing>) -> Option<Figure> {
    let inputs = input_strengths(layer?);
    bars(
        rules?,
        &inputs,
        "sum of |w|",
        |own| own.strength,
        Colour::Series(2),
    )
}

fn bars(
    rules: &Preprocessing,
    inputs: &[InputStrength],
    what: &str,
    of: impl Fn(&InputStrength) -> f64,
    colour: Colour,
) -> Option<Figure> {
    let mut at = 0;
    let mut columns: Vec<(&str, f64)> = (rules.columns.iter())
        .map(|column| {
            let own = inputs.get(at..at + column.rule.inputs()).unwrap_or(&[]);
            at += column.rule.inputs();
            (column.name.as_str(), own.iter().map(&of).sum())
        })
        .collect();
    columns.sort_by(|a, b| b.1.total_cmp(&a.1));
    let all = columns.len();
    columns.truncate(MOST_COLUMNS);
    let title = match all > columns.len() {
        true => format!(
            "Columns by {what}, the first {MOST_COLUMNS} of {}",
            grouped(all as u64)
        ),
        false => format!("Columns by {what}"),
    };
    (!columns.is_empty()).then(|| Figure {
        id: format!("columns-by-{what}"),
        title,
        note: String::new(),
        plot: Plot::Bars {
            x: Axis::new(what),
            bars: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
            totals: (columns.iter())
                .map(|(_, x)| match x.fract() == 0.0 {
                    true => grouped(*x as u64),
                    false => format!("{x:.2}"),
                })
                .collect(),
            parts: vec![Part {
                name: String::new(),
                colour,
                values: columns.iter().map(|(_, x)| *x).collect(),
            }],
        },
    })
}

/// How many units have how many connections.
fn histogram(title: &str, what: &str, degrees: &Degrees) -> Figure {
    let none = degrees.units.first().copied().unwrap_or(0);
    let top = degrees.units.len().max(degrees.expected.len());
    let is_wide = is_heavy(&degrees.units);
    let first = (0..top).find(|&degree| {
        let now = degrees.units.get(degree).is_some_and(|&count| count > 0);
        now || degrees
            .expected
            .get(degree)
            .is_some_and(|&count| count >= SEEN)
    });
    // With few units, narrow bars would only show which numbers happen to be there.
    let units: u64 = degrees.units.iter().sum();
    let bars = ((2.0 * (units as f64).sqrt()) as usize).clamp(FEWEST_BARS, MOST_BARS);
    let edges = edges(first.unwrap_or(0), top, bars, is_wide);
    let now: Vec<f64> = degrees.units.iter().map(|&count| count as f64).collect();
    let series = |name: &str, colour, values: &[f64], filled: bool| {
        let points = steps(&edges, values);
        let band = points.iter().map(|&(x, y)| (x, 0.0, y));
        Series {
            name: name.to_owned(),
            colour,
            band: if filled { band.collect() } else { Vec::new() },
            points,
            marked: false,
        }
    };
    let x = Axis::new(what).format(Format::Whole);
    Figure {
        id: title.to_owned(),
        title: match none {
            0 => title.to_owned(),
            none => format!("{title}, {} without", grouped(none)),
        },
        note: String::new(),
        plot: Plot::Lines {
            x: if is_wide { x.log() } else { x },
            y: Axis::new("units").format(match units {
                // Nobody has half a unit.
                0..1000 => Format::Whole,
                _ => Format::Prefixed,
            }),
            series: vec![
                series("this network", Colour::Series(0), &now, true),
                series(
                    "a random graph",
                    Colour::Series(1),
                    &degrees.expected,
                    false,
                ),
            ],
        },
    }
}

/// Whether some units have far more connections than half of those that have any: then a linear axis shows only these.
fn is_heavy(units: &[u64]) -> bool {
    let with: u64 = units.iter().skip(1).sum();
    let mut below = 0;
    let median = (units.iter().enumerate().skip(1)).find(|(_, count)| {
        below += **count;
        2 * below >= with
    });
    let most = units.len().saturating_sub(1);
    most >= 20 && median.is_some_and(|(median, _)| most > 6 * median)
}

/// Where bars begin and end, halfway between whole numbers from `first` (for a logarithmic axis at least 1) to
/// `top - 1`; at most `bars` of the same width, or on a logarithmic axis ever wider ones.
fn edges(first: usize, top: usize, bars: usize, is_log: bool) -> Vec<f64> {
    let last = top as f64 - 0.5;
    if !is_log {
        let span = top.saturating_sub(first).max(1);
        let width = span.div_ceil(bars.max(1));
        let count = span.div_ceil(width);
        return (0..=count)
            .map(|bar| (first + bar * width) as f64 - 0.5)
            .collect();
    }
    let mut end = first.max(1) as f64 - 0.5;
    let mut edges = vec![end];
    while end < last {
        end = (end + 1.0).max((end * 1.25).floor() + 0.5);
        edges.push(end);
    }
    edges
}

/// The outline of bars: each has the sum of the values at the whole numbers between its edges.
fn steps(edges: &[f64], values: &[f64]) -> Vec<(f64, f64)> {
    let sum = |from: f64, to: f64| -> f64 {
        let whole = |edge: f64| ((edge + 0.5).max(0.0) as usize).min(values.len());
        values[whole(from)..whole(to)].iter().sum()
    };
    let mut points = Vec::with_capacity(2 * edges.len() + 2);
    points.extend(edges.first().map(|&edge| (edge, 0.0)));
    for pair in edges.windows(2) {
        let height = sum(pair[0], pair[1]);
        points.extend([(pair[0], height), (pair[1], height)]);
    }
    points.extend(edges.last().map(|&edge| (edge, 0.0)));
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_hold_every_unit_once() {
        for (first, top, is_log) in [
            (0, 1, false),
            (0, 7, false),
            (3, 7, false),
            (0, 500, false),
            (150, 500, false),
            (0, 500, true),
            (20, 500, true),
            (1, 2, true),
        ] {
            let value = |i: usize| if i < first { 0.0 } else { (i % 5) as f64 + 1.0 };
            let values: Vec<f64> = (0..top).map(value).collect();
            let edges = edges(first, top, MOST_BARS, is_log);
            assert!(edges.windows(2).all(|pair| pair[0] < pair[1]), "{edges:?}");
            assert!(edges.len() <= MOST_BARS + 2, "{} bars", edges.len());
            let points = steps(&edges, &values);
            let inner = &points[1..points.len() - 1];
            let held: f64 = inner.iter().step_by(2).map(|(_, height)| height).sum();
            // A logarithmic axis has no place for 0.
            let without = if is_log { values[0] } else { 0.0 };
            assert_eq!(held, values.iter().sum::<f64>() - without, "{top}");
        }
    }

    #[test]
    fn a_few_large_units_make_the_axis_logarithmic() {
        let mut units = vec![0, 50, 80, 30];
        assert!(!is_heavy(&units));
        units.resize(100, 0);
        units[99] = 1;
        assert!(is_heavy(&units));
        assert!(!is_heavy(&[]));
    }
}
