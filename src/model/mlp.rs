//! The multilayer perceptron: linear layers with a ReLU after each but the last.

use super::{Builder, Extent, Model};
use crate::error::Result;

/// A perceptron from `input`, flattened to one vector, through the `hidden` widths to `classes`.
///
/// # Errors
/// A width is 0.
pub fn mlp(input: Extent, hidden: &[usize], classes: usize) -> Result<Model> {
    let mut net = Builder::new("mlp", input);
    let mut x = net.input();
    if input.positions() > 1 {
        x = net.flatten(x);
    }
    for (l, &units) in hidden.iter().enumerate() {
        x = net.linear_relu(&format!("linear{l}"), x, units);
    }
    let logits = net.linear(&format!("linear{}", hidden.len()), x, classes);
    net.finish(logits)
}
