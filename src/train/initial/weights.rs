//! Initial weights, and the initial state of a run that uses them.

use std::collections::BTreeMap;

use crate::data::ImageHashes;
use crate::error::Result;
use crate::layer::ParameterState;
use crate::network::NetworkState;
use crate::sparse::LayerState;
use crate::topology::from_dense::keep_largest_of_each;
use crate::words::counted;

/// Weights to begin with.
#[derive(Debug)]
pub(in crate::train) struct Initial {
    /// For each sparse layer, the connections that have weights; `None` for a layer that is drawn.
    pub layers: Vec<Option<LayerState>>,
    /// The dense parameters, in the model's order.
    pub parameters: Vec<ParameterState>,
    /// The images that the weights were learned from; `None` if that is not known.
    pub learned: Option<ImageHashes>,
    /// What a user must know about them.
    pub notes: Vec<String>,
}

impl Initial {
    /// All connections of a drawn dense network, with the weights in their places and 0 elsewhere.
    pub fn dense(&self, mut drawn: NetworkState) -> NetworkState {
        for (layer, own) in drawn.layers.iter_mut().zip(&self.layers) {
            let Some(own) = own else {
                continue;
            };
            let weights: BTreeMap<(u32, u32), f32> =
                own.pairs().zip(own.values.iter().copied()).collect();
            let of = |pair| weights.get(&pair).copied().unwrap_or(0.0);
            layer.values = layer.pairs().map(of).collect();
            layer.bias.clone_from(&own.bias);
        }
        drawn.parameters.clone_from(&self.parameters);
        drawn
    }

    /// A sparse network: each layer has as many connections as were drawn, unless the total equals that of the
    /// connections with weights: then each layer keeps its own. If a layer has more, the largest stay; if it has fewer,
    /// some of the drawn ones are added, with weight 0 like grown ones. Also says what was done.
    ///
    /// # Errors
    /// A weight is not a number.
    pub fn sparse(&self, drawn: NetworkState) -> Result<(NetworkState, String)> {
        let pairs = || drawn.layers.iter().zip(&self.layers);
        let kept =
            pairs().filter_map(|(drawn, own)| Some((drawn.active(), own.as_ref()?.active())));
        let (asked, there) = kept.fold((0, 0), |sum, (a, b)| (sum.0 + a, sum.1 + b));
        let (mut left_out, mut added) = (0, 0);
        let mut layers = Vec::new();
        for (drawn, own) in pairs() {
            let Some(own) = own else {
                layers.push(drawn.clone());
                continue;
            };
            let count = if asked == there {
                own.active()
            } else {
                drawn.active()
            };
            left_out += own.active().saturating_sub(count);
            added += count.saturating_sub(own.active());
            layers.push(sized(own, drawn, count)?);
        }
        let done = match (left_out, added) {
            (0, 0) => format!("all {} stay", counted(there as u64, "connection")),
            (0, added) => format!(
                "all {} stay, and {added} come besides, with weight 0",
                counted(there as u64, "connection")
            ),
            (left_out, 0) => format!(
                "the largest {} of {there} connections stay",
                there - left_out
            ),
            (left_out, added) => format!(
                "the largest {} of {there} connections stay, and {added} come besides, with weight 0",
                there - left_out
            ),
        };
        let state = NetworkState {
            layers,
            parameters: self.parameters.clone(),
            ..drawn
        };
        Ok((state, done))
    }
}

/// A layer with `count` connections: its own, the largest of them, or with some of the drawn ones.
fn sized(own: &LayerState, drawn: &LayerState, count: usize) -> Result<LayerState> {
    if own.active() > count {
        let one = keep_largest_of_each(std::slice::from_ref(own), [count])?;
        return Ok(one.into_iter().next().unwrap_or_default());
    }
    let mut weights: BTreeMap<(u32, u32), f32> =
        own.pairs().zip(own.values.iter().copied()).collect();
    let further: Vec<(u32, u32)> = drawn
        .pairs()
        .filter(|pair| !weights.contains_key(pair))
        .collect();
    let missing = count - own.active();
    // Evenly over the rows: drawn ones come in their order.
    let places = (0..missing).map(|n| n * further.len() / missing.max(1));
    weights.extend(places.map(|at| (further[at], 0.0)));
    let pairs: Vec<(u32, u32)> = weights.keys().copied().collect();
    Ok(LayerState {
        values: weights.into_values().collect(),
        bias: own.bias.clone(),
        ..LayerState::from_pairs(own.n_in, own.n_out, &pairs)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(pairs: &[(u32, u32)], values: &[f32]) -> LayerState {
        LayerState {
            values: values.to_vec(),
            ..LayerState::from_pairs(4, 3, pairs)
        }
    }

    #[test]
    fn a_layer_gets_as_many_connections_as_are_asked_for() {
        let own = layer(&[(0, 1), (1, 0), (2, 3)], &[0.5, -2.0, 1.0]);
        let drawn = layer(&[(0, 0), (0, 1), (1, 2), (2, 0), (2, 2)], &[9.0; 5]);
        let two = sized(&own, &drawn, 2).unwrap();
        assert_eq!(two.pairs().collect::<Vec<_>>(), [(1, 0), (2, 3)]);
        assert_eq!(two.values, [-2.0, 1.0]);
        let five = sized(&own, &drawn, 5).unwrap();
        five.check().unwrap();
        assert_eq!(five.active(), 5);
        let weights: Vec<f32> = five.values.iter().copied().filter(|w| *w != 0.0).collect();
        assert_eq!(weights, [0.5, -2.0, 1.0]);
        assert_eq!(sized(&own, &drawn, 3).unwrap(), own);
    }

    #[test]
    fn as_many_in_all_stay_where_they_are() {
        let own = |pairs: &[(u32, u32)]| Some(layer(pairs, &vec![1.0; pairs.len()]));
        let initial = Initial {
            layers: vec![own(&[(0, 0), (1, 1), (2, 2)]), own(&[(0, 3)]), None],
            parameters: Vec::new(),
            learned: None,
            notes: Vec::new(),
        };
        let drawn = |counts: [usize; 3]| NetworkState {
            layers: counts
                .map(|n| layer(&[(0, 0), (0, 1), (1, 0), (1, 1)][..n], &vec![7.0; n]))
                .into(),
            ..NetworkState::default()
        };
        let counts = |state: &NetworkState| {
            state
                .layers
                .iter()
                .map(LayerState::active)
                .collect::<Vec<_>>()
        };
        let (state, done) = initial.sparse(drawn([2, 2, 3])).unwrap();
        assert_eq!(counts(&state), [3, 1, 3]);
        assert_eq!(done, "all 4 connections stay");
        assert_eq!(state.layers[2].values, [7.0; 3]);
        let (state, done) = initial.sparse(drawn([1, 2, 1])).unwrap();
        assert_eq!(counts(&state), [1, 2, 1]);
        assert_eq!(
            done,
            "the largest 2 of 4 connections stay, and 1 come besides, with weight 0"
        );
        let dense = initial.dense(drawn([4, 4, 4]));
        assert_eq!(dense.layers[0].values, [1.0, 0.0, 0.0, 1.0]);
        assert_eq!(dense.layers[2].values, [7.0; 4]);
    }
}
