//! The multilayer perceptron: linear layers with a ReLU after each but the last.

use super::{Layer, Model};
use crate::sparse::Shape;

/// A perceptron from `features` over the `hidden` widths to `classes`.
pub fn mlp(features: usize, hidden: &[usize], classes: usize) -> Model {
    let widths: Vec<usize> = [&[features], hidden, &[classes]].concat();
    Model {
        layers: widths
            .windows(2)
            .enumerate()
            .map(|(l, pair)| Layer {
                name: format!("linear{l}"),
                shape: Shape {
                    n_in: pair[0],
                    n_out: pair[1],
                },
                relu: l + 2 < widths.len(),
            })
            .collect(),
    }
}
