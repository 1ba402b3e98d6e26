//! A model's layers and costs as text.

use super::text::{grouped, quantity};
use crate::model::{Model, ModelCount};
use crate::words::counted;

/// A table of the layers, and their sums.
pub fn count_text(model: &Model, count: &ModelCount, gamma: f64) -> String {
    use std::fmt::Write;
    let names = count.layers.iter().map(|l| l.name.len()).max();
    let wide = names.unwrap_or(0).max("layer".len());
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = writeln!(
        text,
        "{} for images of {}, {}\n",
        model.name(),
        model.input(),
        counted(model.classes() as u64, "class")
    );
    let _ = writeln!(
        text,
        "{:wide$}  {:>7}  {:>7}  {:>9}  {:>11}  {:>9}",
        "layer", "inputs", "outputs", "positions", "connections", "density"
    );
    for l in &count.layers {
        let density = l.active as f64 / (l.n_in as f64 * l.n_out as f64);
        let _ = writeln!(
            text,
            "{:wide$}  {:>7}  {:>7}  {:>9}  {:>11}  {:>7.2} %",
            l.name,
            l.n_in,
            l.n_out,
            l.positions,
            grouped(l.active),
            density * 100.0
        );
    }
    let sparsity = 1.0 - count.active as f64 / count.dense as f64;
    let _ = writeln!(
        text,
        "\nconnections     {} of {} ({:.3} % sparse)",
        grouped(count.active),
        grouped(count.dense),
        sparsity * 100.0
    );
    let _ = writeln!(
        text,
        "parameters      {} ({} dense): connections, {} biases, {} of norms",
        grouped(count.parameters()),
        grouped(count.dense_parameters()),
        grouped(count.biases),
        grouped(count.norms)
    );
    let _ = writeln!(
        text,
        "forward         {}FLOP an image{}",
        quantity(count.forward_flops()),
        match count.attention_flops > 0.0 {
            true => format!(", {}FLOP of it attention", quantity(count.attention_flops)),
            false => String::new(),
        }
    );
    let _ = writeln!(
        text,
        "training step   {}FLOP an image (forward f, backward 2 f)",
        quantity(count.step_flops())
    );
    let _ = write!(
        text,
        "a round         {}FLOP an image more, for the gradients of {gamma} candidates a connection",
        quantity(count.round_flops(gamma))
    );
    text
}
