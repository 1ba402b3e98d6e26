//! The part of `rootlet tune` about layers: their products in both ways.

use std::fmt::Write;

use rootlet::network::{Compared, LayerCrossover};
use serde_json::{Value, json};

/// What a network can compute densely for a layer that is not full.
const TOGETHER: &str = "together, by --dense-above";

/// A table of layers, a line for each product.
pub(super) fn table(layers: &[LayerCrossover]) -> String {
    let mut rows = Vec::new();
    for layer in layers {
        let names = match &layer.layers[..] {
            [name] => name.clone(),
            [first, more @ ..] => format!("{first} and {} more", more.len()),
            [] => String::new(),
        };
        rows.push([
            format!("{} ({names})", layer.class),
            String::new(),
            String::new(),
            String::new(),
        ]);
        let products = layer
            .products
            .iter()
            .map(|(product, found)| (product.name(), found));
        let together = layer.together.iter().map(|found| (TOGETHER, found));
        for (name, found) in products.chain(together) {
            rows.push([
                format!("  {name}"),
                milliseconds(found.dense_seconds),
                format!(
                    "{} at {}",
                    milliseconds(found.sparse_seconds),
                    percent(layer.sparsity)
                ),
                below(found.crossover),
            ]);
        }
        if let Some(doubt) = &layer.doubt {
            rows.push([
                format!("  not kept: {doubt}"),
                String::new(),
                String::new(),
                String::new(),
            ]);
        }
    }
    if rows.is_empty() {
        return String::new();
    }
    let heads = [
        "layer, and its products",
        "dense, ms",
        "sparse, ms",
        "dense is faster",
    ];
    rows.insert(0, heads.map(str::to_owned));
    // A heading or a doubt may be longer than its column.
    let filled = |row: &&[String; 4]| !row[3].is_empty();
    let wide = |column: usize| {
        rows.iter()
            .filter(filled)
            .map(|row| row[column].chars().count())
            .max()
    };
    let [a, b, c] = [0, 1, 2].map(|column| wide(column).unwrap_or(0));
    let mut text = String::new();
    for [name, dense, sparse, below] in &rows {
        let line = format!("{name:a$}  {dense:>b$}  {sparse:>c$}  {below}");
        // Appending to a text cannot fail.
        let _ = writeln!(text, "{}", line.trim_end());
    }
    text
}

/// The same as JSON.
pub(super) fn json(layer: &LayerCrossover) -> Value {
    let found = |found: &Compared| {
        json!({
            "dense_seconds": found.dense_seconds, "sparse_seconds": found.sparse_seconds,
            "crossover_sparsity": found.crossover,
        })
    };
    let products: Vec<Value> = (layer.products.iter())
        .map(|(product, compared)| {
            let mut value = found(compared);
            value["product"] = json!(product.name());
            value
        })
        .collect();
    json!({
        "class": layer.class, "layers": layer.layers, "sparsity": layer.sparsity, "products": products,
        "together": layer.together.as_ref().map(found), "doubt": layer.doubt,
    })
}

fn milliseconds(seconds: f64) -> String {
    format!("{:.4}", seconds * 1e3)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn below(crossover: Option<f64>) -> String {
    match crossover {
        None => "never".to_owned(),
        Some(1.0) => "always".to_owned(),
        Some(sparsity) => format!("below {} sparse", percent(sparsity)),
    }
}
