//! Choosing which connections stay. This runs on the host, because it happens only a few times per run.

use super::probe::PerConnection;
use crate::error::option::LR;
use crate::error::{Error, Misfit, Result};
use crate::sparse::LayerState;

/// |theta| of every connection.
pub fn magnitudes(layers: &[LayerState]) -> PerConnection {
    layers
        .iter()
        .map(|layer| layer.values.iter().map(|v| v.abs()).collect())
        .collect()
}

/// A running list of the connections with the largest scores; ties go to the earlier one. Scores come in tiles, in any
/// order. Those that cannot be among the best any more are dropped, so that the list takes O(requested) memory.
pub struct Best {
    requested: usize,
    /// For each layer, the index of its first connection among all; then the total number.
    starts: Vec<usize>,
    /// Scores and connections.
    list: Vec<(f32, u32)>,
    /// The score that is needed once there are enough.
    floor: f32,
    /// The first score that is NaN, and its layer.
    odd: Option<(usize, f32)>,
}

impl Best {
    /// An empty list for `requested` of the layers' connections.
    pub fn of(layers: &[LayerState], requested: usize) -> Self {
        let mut starts = vec![0];
        starts.extend(layers.iter().scan(0, |sum, layer| {
            *sum += layer.active();
            Some(*sum)
        }));
        Best {
            requested,
            starts,
            list: Vec::new(),
            floor: f32::NEG_INFINITY,
            odd: None,
        }
    }

    /// The list of the `requested` best by `scores`.
    pub fn among(layers: &[LayerState], scores: &PerConnection, requested: usize) -> Self {
        let mut best = Best::of(layers, requested);
        for (l, scores) in scores.iter().enumerate() {
            best.offer(l, 0, scores.iter().copied());
        }
        best
    }

    /// Adds the scores of a layer's connections, in order, starting with the layer's connection `first`.
    pub fn offer(&mut self, layer: usize, first: usize, scores: impl IntoIterator<Item = f32>) {
        for (at, score) in (self.starts[layer] + first..).zip(scores) {
            if !score.is_finite() {
                self.odd.get_or_insert((at, score));
            } else if score >= self.floor {
                self.list.push((score, at as u32));
            }
            if self.list.len() >= 2 * self.requested + SLACK {
                self.trim();
            }
        }
    }

    /// Drops all but the best.
    fn trim(&mut self) {
        if self.requested == 0 {
            self.list.clear();
        } else if self.list.len() > self.requested {
            let rank = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
            let (_, last, _) = self.list.select_nth_unstable_by(self.requested - 1, rank);
            self.floor = last.0;
            self.list.truncate(self.requested);
        }
    }

    /// The best connections by layer: their indices within the layer, rising.
    ///
    /// # Errors
    /// A score was NaN.
    pub fn numbers(mut self) -> Result<Vec<Vec<usize>>> {
        if let Some((at, score)) = self.odd {
            return Err(Error::Shape(Misfit::NotFinite {
                what: format!("the score of connection {at} of the dense network ({score})"),
                way_out: format!(
                    "a lower {LR} or other images do not change that before the first step, so look at the model"
                ),
            }));
        }
        self.trim();
        let mut all: Vec<usize> = self.list.iter().map(|&(_, at)| at as usize).collect();
        all.sort_unstable();
        let mut rest = all.as_slice();
        let layers = self.starts.array_windows().map(|&[start, end]| {
            let (own, behind) = rest.split_at(rest.partition_point(|&at| at < end));
            rest = behind;
            own.iter().map(|at| at - start).collect()
        });
        Ok(layers.collect())
    }

    /// The layers reduced to the best of their connections: their weights, biases and optimiser state stay. `layers`
    /// are those that the list was made for.
    ///
    /// # Errors
    /// As [`Best::numbers`].
    pub fn keep(self, layers: &[LayerState]) -> Result<Vec<LayerState>> {
        let numbers = self.numbers()?;
        Ok((layers.iter().zip(&numbers))
            .map(|(layer, numbers)| keep(layer, numbers))
            .collect())
    }
}

/// Entries that a list may hold beyond twice the requested number before it is trimmed.
const SLACK: usize = 1 << 16;

/// The layers reduced to the `count` connections with the largest `scores`, ties going to the earlier one: their
/// weights, biases and optimiser state stay.
///
/// # Errors
/// Scores are NaN, or there is not one for each connection.
pub fn keep_largest(
    layers: &[LayerState],
    scores: &PerConnection,
    count: usize,
) -> Result<Vec<LayerState>> {
    let fits = scores.len() == layers.len()
        && (layers.iter().zip(scores)).all(|(l, s)| l.active() == s.len());
    if !fits {
        return Err(Error::Shape(Misfit::Unfit {
            found: format!("{} scores", scores.len()),
            expected: "the connections, of which each is chosen by its own, in the layers' order"
                .to_owned(),
        }));
    }
    Best::among(layers, scores, count).keep(layers)
}

/// For each layer, the number of connections in `counts` with the largest |theta|, or all.
///
/// # Errors
/// As [`keep_largest`].
pub fn keep_largest_of_each(
    layers: &[LayerState],
    counts: impl IntoIterator<Item = usize>,
) -> Result<Vec<LayerState>> {
    let mut survivors = Vec::with_capacity(layers.len());
    for (layer, count) in layers.iter().zip(counts) {
        let layer = std::slice::from_ref(layer);
        survivors.extend(keep_largest(layer, &magnitudes(layer), count)?);
    }
    Ok(survivors)
}

/// A layer reduced to the connections with these indices, which rise.
fn keep(layer: &LayerState, numbers: &[usize]) -> LayerState {
    let mut row = 0;
    let pairs: Vec<(u32, u32)> = (numbers.iter())
        .map(|&j| {
            while layer.crow_indices[row + 1] as usize <= j {
                row += 1;
            }
            (row as u32, layer.col_indices[j])
        })
        .collect();
    let take = |values: &[f32]| -> Vec<f32> { numbers.iter().map(|&j| values[j]).collect() };
    LayerState {
        values: take(&layer.values),
        state: layer.state.select(numbers),
        bias: layer.bias.clone(),
        bias_state: layer.bias_state.clone(),
        ..LayerState::from_pairs(layer.n_in, layer.n_out, &pairs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Numbers, OptimiserState};

    fn layer(n_out: usize, values: &[f32]) -> LayerState {
        let n_in = values.len() / n_out;
        let pairs: Vec<(u32, u32)> = (0..values.len())
            .map(|i| ((i / n_in) as u32, (i % n_in) as u32))
            .collect();
        LayerState {
            values: values.to_vec(),
            state: OptimiserState::of([(
                "momentum".to_owned(),
                Numbers::F32(values.iter().map(|v| 10.0 * v).collect()),
            )]),
            ..LayerState::from_pairs(n_in, n_out, &pairs)
        }
    }

    #[test]
    fn the_largest_of_all_layers_stay() {
        let layers = [layer(2, &[1.0, -5.0, 3.0, 2.0]), layer(1, &[3.0, -0.5])];
        let survivors = keep_largest(&layers, &magnitudes(&layers), 3).expect("scores fit");
        // The two with magnitude 3 and the one with 5 all stay.
        assert_eq!(survivors[0].values, [-5.0, 3.0]);
        assert_eq!(survivors[0].state.f32("momentum"), [-50.0, 30.0]);
        assert_eq!(survivors[0].crow_indices, [0, 1, 2]);
        assert_eq!(survivors[0].col_indices, [1, 0]);
        assert_eq!(survivors[1].values, [3.0]);
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

    #[test]
    fn tiles_in_any_order_leave_the_same_list() {
        // Enough that the list is trimmed on the way, with plenty of ties.
        let values: Vec<f32> = (0..300_000u32).map(|i| (i * 7919 % 1013) as f32).collect();
        let layers = [layer(300, &values)];
        for requested in [0, 1, 777, 150_000, 300_000] {
            let mut order: Vec<usize> = (0..values.len()).collect();
            order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
            order.truncate(requested);
            order.sort_unstable();
            let mut best = Best::of(&layers, requested);
            for first in (0..values.len()).step_by(7001).rev() {
                let tile = &values[first..values.len().min(first + 7001)];
                best.offer(0, first, tile.iter().copied());
            }
            assert!(
                best.numbers().expect("they are numbers") == [order],
                "{requested}"
            );
        }
    }
}
