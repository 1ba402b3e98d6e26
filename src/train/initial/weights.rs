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
    /// How many units of each layer the weights are for; further ones are drawn.
    pub known_units: Vec<usize>,
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
        let own = self.layers.iter().zip(&self.known_units);
        for (layer, (own, &known)) in drawn.layers.iter_mut().zip(own) {
            let Some(own) = own else {
                continue;
            };
            let weights: BTreeMap<(u32, u32), f32> =
                own.pairs().zip(own.values.iter().copied()).collect();
            let of = |(pair, drawn): ((u32, u32), f32)| match (pair.0 as usize) < known {
                true => weights.get(&pair).copied().unwrap_or(0.0),
                false => drawn,
            };
            layer.values = (layer.pairs().zip(layer.values.iter().copied()))
                .map(of)
                .collect();
            layer.bias = biases(own, layer, known);
        }
        drawn.parameters.clone_from(&self.parameters);
        drawn
    }

    /// A sparse network: each layer has as many connections as were drawn, unless the total equals that of the
    /// connections with weights: then each layer keeps its own. If a layer has more, the largest stay; if it has fewer,
    /// some of the drawn ones are added, with weight 0 like grown ones. In a wider layer the own connections come first,
    /// and units that are not known have of those drawn for them what is left, but at least one each. Also says what
    /// was done.
    ///
    /// # Errors
    /// A weight is not a number.
    pub fn sparse(&self, drawn: NetworkState) -> Result<(NetworkState, String)> {
        let pairs = || {
            let own = self.layers.iter().zip(&self.known_units);
            (drawn.layers.iter().zip(own)).map(|(drawn, (own, &known))| (drawn, own, known))
        };
        let kept =
            pairs().filter_map(|(drawn, own, _)| Some((drawn.active(), own.as_ref()?.active())));
        let (asked, there) = kept.fold((0, 0), |sum, (a, b)| (sum.0 + a, sum.1 + b));
        let (mut left_out, mut added, mut new) = (0, 0, 0);
        let mut layers = Vec::new();
        for (drawn, own, known) in pairs() {
            let Some(own) = own else {
                layers.push(drawn.clone());
                continue;
            };
            let count = match (asked == there, known == drawn.n_out) {
                (true, true) => own.active(),
                (false, true) => drawn.active(),
                (_, false) => of_known(own, drawn, known),
            };
            left_out += own.active().saturating_sub(count);
            added += count.saturating_sub(own.active());
            let layer = sized(own, drawn, known, count)?;
            new += layer.active() - count;
            layers.push(layer);
        }
        let mut done = match (left_out, added) {
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
        if new > 0 {
            done += &format!("; {new} are drawn for new units");
        }
        let state = NetworkState {
            layers,
            parameters: self.parameters.clone(),
            ..drawn
        };
        Ok((state, done))
    }
}

/// How many connections the first `known` units of a wider layer have.
fn of_known(own: &LayerState, drawn: &LayerState, known: usize) -> usize {
    let drawn_for_known = drawn.crow_indices.get(known).map_or(0, |&end| end as usize);
    let drawn_for_new = drawn.active() - drawn_for_known;
    let most = drawn.active() - drawn_for_new.min(drawn.n_out - known);
    own.active().min(most).max(drawn_for_known)
}

/// A layer whose first `known` units have `count` connections: its own, the largest of them, or with some of the drawn
/// ones. Further units have some of those drawn for them, as many as the drawn layer has in all.
fn sized(own: &LayerState, drawn: &LayerState, known: usize, count: usize) -> Result<LayerState> {
    let kept = match own.active() > count {
        true => keep_largest_of_each(std::slice::from_ref(own), [count])?.pop(),
        false => None,
    };
    let kept = kept.as_ref().unwrap_or(own);
    let mut weights: BTreeMap<(u32, u32), f32> =
        kept.pairs().zip(kept.values.iter().copied()).collect();
    let (old, new): (Vec<_>, Vec<_>) = (drawn.pairs().zip(drawn.values.iter().copied()))
        .partition(|((row, _), _)| (*row as usize) < known);
    let further: Vec<(u32, u32)> = (old.into_iter().map(|(pair, _)| pair))
        .filter(|pair| !weights.contains_key(pair))
        .collect();
    // Evenly over the rows: drawn ones come in their order.
    let places = |some: usize, all: usize| (0..some).map(move |n| n * all / some.max(1));
    let missing = count.saturating_sub(kept.active());
    weights.extend(places(missing, further.len()).map(|at| (further[at], 0.0)));
    let left = drawn.active().saturating_sub(count).min(new.len());
    weights.extend(places(left, new.len()).map(|at| new[at]));
    let pairs: Vec<(u32, u32)> = weights.keys().copied().collect();
    Ok(LayerState {
        values: weights.into_values().collect(),
        bias: biases(own, drawn, known),
        ..LayerState::from_pairs(own.n_in, own.n_out, &pairs)
    })
}

/// The biases of the first `known` units, and those drawn for further ones.
fn biases(own: &LayerState, drawn: &LayerState, known: usize) -> Vec<f32> {
    let further = drawn.bias.iter().skip(known);
    own.bias
        .iter()
        .take(known)
        .chain(further)
        .copied()
        .collect()
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
        let two = sized(&own, &drawn, 3, 2).unwrap();
        assert_eq!(two.pairs().collect::<Vec<_>>(), [(1, 0), (2, 3)]);
        assert_eq!(two.values, [-2.0, 1.0]);
        let five = sized(&own, &drawn, 3, 5).unwrap();
        five.check().unwrap();
        assert_eq!(five.active(), 5);
        let weights: Vec<f32> = five.values.iter().copied().filter(|w| *w != 0.0).collect();
        assert_eq!(weights, [0.5, -2.0, 1.0]);
        assert_eq!(sized(&own, &drawn, 3, 3).unwrap(), own);
    }

    #[test]
    fn new_units_of_a_wider_layer_have_what_the_known_ones_leave() {
        let own = layer(&[(0, 1), (1, 0), (1, 2)], &[0.5, -2.0, 1.0]);
        let pairs = [(0, 0), (1, 3), (2, 0), (2, 1), (2, 3)];
        let drawn = layer(&pairs, &[9.0, 8.0, 7.0, 6.0, 5.0]);
        assert_eq!(of_known(&own, &drawn, 2), 3);
        let wider = sized(&own, &drawn, 2, 3).unwrap();
        wider.check().unwrap();
        let expected = [(0, 1), (1, 0), (1, 2), (2, 0), (2, 1)];
        assert_eq!(wider.pairs().collect::<Vec<_>>(), expected);
        assert_eq!(wider.values, [0.5, -2.0, 1.0, 7.0, 6.0]);
        // At least one for each new unit, if there are fewer.
        let drawn = layer(&pairs[1..4], &[8.0, 7.0, 6.0]);
        assert_eq!(of_known(&own, &drawn, 2), 2);
        let wider = sized(&own, &drawn, 2, 2).unwrap();
        assert_eq!(wider.pairs().collect::<Vec<_>>(), [(1, 0), (1, 2), (2, 0)]);
        assert_eq!(wider.values, [-2.0, 1.0, 7.0]);
    }

    #[test]
    fn as_many_in_all_stay_where_they_are() {
        let own = |pairs: &[(u32, u32)]| Some(layer(pairs, &vec![1.0; pairs.len()]));
        let initial = Initial {
            layers: vec![own(&[(0, 0), (1, 1), (2, 2)]), own(&[(0, 3)]), None],
            known_units: vec![3; 3],
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
