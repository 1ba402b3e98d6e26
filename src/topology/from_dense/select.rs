//! Choosing which connections stay: on the host, for it happens a few times a run.

use super::PerConnection;
use crate::error::{Error, Result};
use crate::sparse::LayerState;

/// |theta| of every connection.
pub fn magnitudes(layers: &[LayerState]) -> PerConnection {
    layers
        .iter()
        .map(|layer| layer.values.iter().map(|v| v.abs()).collect())
        .collect()
}

/// The layers with their `count` connections of the largest `scores`, ties to the earlier one: weights, momentum and biases
/// stay.
///
/// # Errors
/// Scores that are not numbers, or not one for each connection.
pub fn keep_largest(
    layers: &[LayerState],
    scores: &PerConnection,
    count: usize,
) -> Result<Vec<LayerState>> {
    let fits = scores.len() == layers.len()
        && (layers.iter().zip(scores)).all(|(l, s)| l.active() == s.len());
    if !fits {
        return Err(Error::Shape(
            "connections are chosen by a score for each of them, in the layers' order".into(),
        ));
    }
    let flat: Vec<f32> = scores.iter().flatten().copied().collect();
    if let Some(at) = flat.iter().position(|s| !s.is_finite()) {
        return Err(Error::Shape(format!(
            "connection {at} of the dense network has a score of {}: its gradients are no numbers; a lower --lr or other \
             images do not change that before the first step, so look at the model",
            flat[at]
        )));
    }
    let kept = largest(&flat, count);
    let mut first = 0;
    Ok(layers
        .iter()
        .map(|layer| {
            let kept = &kept[first..first + layer.active()];
            first += layer.active();
            keep(layer, kept)
        })
        .collect())
}

/// Of each layer as many connections of the largest |theta| as `counts` says, or all.
///
/// # Errors
/// As [`keep_largest`].
pub fn keep_largest_of_each(
    layers: &[LayerState],
    counts: impl IntoIterator<Item = usize>,
) -> Result<Vec<LayerState>> {
    let mut kept = Vec::with_capacity(layers.len());
    for (layer, count) in layers.iter().zip(counts) {
        let layer = std::slice::from_ref(layer);
        kept.extend(keep_largest(layer, &magnitudes(layer), count)?);
    }
    Ok(kept)
}

/// Which of the values are the `count` largest, ties to the earlier.
pub(super) fn largest(values: &[f32], count: usize) -> Vec<bool> {
    let count = count.min(values.len());
    let mut kept = vec![false; values.len()];
    let mut order: Vec<usize> = (0..values.len()).collect();
    let rank = |&a: &usize, &b: &usize| values[b].total_cmp(&values[a]).then(a.cmp(&b));
    if count > 0 && count < order.len() {
        order.select_nth_unstable_by(count - 1, rank);
    }
    order[..count].iter().for_each(|&i| kept[i] = true);
    kept
}

fn keep(layer: &LayerState, kept: &[bool]) -> LayerState {
    let pairs: Vec<(u32, u32)> = (layer.pairs().zip(kept))
        .filter_map(|(pair, &kept)| kept.then_some(pair))
        .collect();
    let take = |values: &[f32]| -> Vec<f32> {
        (values.iter().zip(kept))
            .filter_map(|(&v, &kept)| kept.then_some(v))
            .collect()
    };
    LayerState {
        values: take(&layer.values),
        momentum: take(&layer.momentum),
        bias: layer.bias.clone(),
        bias_momentum: layer.bias_momentum.clone(),
        ..LayerState::from_pairs(layer.n_in, layer.n_out, &pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(n_out: usize, values: &[f32]) -> LayerState {
        let n_in = values.len() / n_out;
        let pairs: Vec<(u32, u32)> = (0..values.len())
            .map(|i| ((i / n_in) as u32, (i % n_in) as u32))
            .collect();
        LayerState {
            values: values.to_vec(),
            momentum: values.iter().map(|v| 10.0 * v).collect(),
            ..LayerState::from_pairs(n_in, n_out, &pairs)
        }
    }

    #[test]
    fn the_largest_of_all_layers_stay() {
        let layers = [layer(2, &[1.0, -5.0, 3.0, 2.0]), layer(1, &[3.0, -0.5])];
        let kept = keep_largest(&layers, &magnitudes(&layers), 3).expect("scores fit");
        // Of the two of magnitude 3 and the one of 5 all stay.
        assert_eq!(kept[0].values, [-5.0, 3.0]);
        assert_eq!(kept[0].momentum, [-50.0, 30.0]);
        assert_eq!(kept[0].crow_indices, [0, 1, 2]);
        assert_eq!(kept[0].col_indices, [1, 0]);
        assert_eq!(kept[1].values, [3.0]);
        let two = keep_largest(&layers, &magnitudes(&layers), 2).expect("scores fit");
        assert_eq!(
            (two[0].active(), two[1].active()),
            (2, 0),
            "ties go to the earlier"
        );
    }

    #[test]
    fn scores_that_are_no_numbers_are_refused() {
        let layers = [layer(1, &[1.0, 2.0])];
        assert!(keep_largest(&layers, &vec![vec![1.0, f32::NAN]], 1).is_err());
        assert!(keep_largest(&layers, &vec![vec![1.0]], 1).is_err());
    }
}
