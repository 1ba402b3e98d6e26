//! How many connections the units of a layer have, and would have in the random graph that a training begins with.

use crate::sparse::LayerState;

/// How many units of one side of a layer have how many connections.
#[derive(Clone, Debug, PartialEq)]
pub struct Degrees {
    /// For each number of connections, from 0 to the largest, how many units have it.
    pub units: Vec<u64>,
    /// How many units a random graph with as many connections is expected to have for each number of connections, from
    /// 0 on; it may be longer or shorter than `units`.
    pub expected: Vec<f64>,
}

/// The degrees of a sparse layer.
#[derive(Clone, Debug, PartialEq)]
pub struct LayerDegrees {
    /// Connections of the layer.
    pub connections: u64,
    /// All pairs of an input and an output unit.
    pub pairs: u64,
    /// Of its output units: connections that come in.
    pub fan_in: Degrees,
    /// Of its input units: connections that go out.
    pub fan_out: Degrees,
}

/// The degrees of a layer's units.
pub fn layer_degrees(layer: &LayerState) -> LayerDegrees {
    let ins = (layer.crow_indices.windows(2)).map(|row| u64::from(row[1].saturating_sub(row[0])));
    let mut outs = vec![0u64; layer.n_in];
    for &input in &layer.col_indices {
        if let Some(own) = outs.get_mut(input as usize) {
            *own += 1;
        }
    }
    let (n_in, n_out) = (layer.n_in as u64, layer.n_out as u64);
    let (connections, pairs) = (layer.active() as u64, n_in.saturating_mul(n_out));
    LayerDegrees {
        connections,
        pairs,
        fan_in: Degrees {
            units: counted(ins),
            expected: expected(n_out, n_in, connections, pairs),
        },
        fan_out: Degrees {
            units: counted(outs.into_iter()),
            expected: expected(n_in, n_out, connections, pairs),
        },
    }
}

/// How often each number is among `degrees`.
fn counted(degrees: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut counts = Vec::new();
    for degree in degrees {
        let degree = degree as usize;
        if counts.len() <= degree {
            counts.resize(degree + 1, 0);
        }
        counts[degree] += 1;
    }
    counts
}

/// How many of `units` units, each part of `most` pairs, have 0, 1, 2 … of `connections` that are drawn from `pairs`
/// without replacement: a hypergeometric distribution. Ends where less than a thousandth of a unit is left.
fn expected(units: u64, most: u64, connections: u64, pairs: u64) -> Vec<f64> {
    if pairs == 0 {
        return Vec::new();
    }
    let (units, most, all, drawn) = (units as f64, most as f64, pairs as f64, connections as f64);
    // The logarithm of the probability of the number of connections that is most likely, relative to itself, is 0; the
    // others follow by the ratio of neighbours.
    let peak = ((drawn + 1.0) * (most + 1.0) / (all + 2.0)).floor();
    let peak = peak
        .clamp((drawn + most - all).max(0.0), drawn.min(most))
        .max(0.0);
    let ratio = |k: f64| ((most - k) * (drawn - k)) / ((k + 1.0) * (all - most - drawn + k + 1.0));
    let mut shares = vec![0f64; peak as usize + 1];
    shares[peak as usize] = 1.0;
    let mut share = 1.0;
    for k in (0..peak as usize).rev() {
        let up = ratio(k as f64);
        share = if up > 0.0 && up.is_finite() {
            share / up
        } else {
            0.0
        };
        shares[k] = share;
    }
    share = 1.0;
    let mut k = peak;
    while k < drawn.min(most) {
        share *= ratio(k).max(0.0);
        k += 1.0;
        if share * units < 1e-3 {
            break;
        }
        shares.push(share);
    }
    let sum: f64 = shares.iter().sum();
    shares.iter().map(|share| share / sum * units).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sparse::{Shape, initialise};

    #[test]
    fn the_expectation_is_the_hypergeometric_distribution() {
        // C(4, k) C(6, 3 - k) / C(10, 3).
        let told = expected(120, 4, 3, 10);
        let exact = [20.0, 60.0, 36.0, 4.0];
        assert_eq!(told.len(), exact.len());
        for (told, exact) in told.iter().zip(exact) {
            assert!((told - exact).abs() < 1e-9, "{told} for {exact}");
        }
        assert_eq!(
            expected(5, 4, 20, 20),
            [0.0, 0.0, 0.0, 0.0, 5.0],
            "a dense layer"
        );
        assert_eq!(expected(5, 4, 0, 20), [5.0], "no connections");
    }

    #[test]
    fn a_random_graph_has_the_degrees_that_are_expected_of_it() {
        let shape = Shape {
            n_in: 2000,
            n_out: 3000,
        };
        let told = layer_degrees(&initialise(shape, 30_000, 1, 0));
        assert_eq!((told.connections, told.pairs), (30_000, 6_000_000));
        for (degrees, units) in [(&told.fan_in, 3000), (&told.fan_out, 2000)] {
            assert_eq!(degrees.units.iter().sum::<u64>(), units);
            let sum: f64 = degrees.expected.iter().sum();
            assert!((sum - units as f64).abs() < 1e-6);
            // Chi squared over degrees with enough units to count.
            let pairs = degrees.units.iter().zip(&degrees.expected);
            let large: Vec<_> = pairs.filter(|(_, e)| **e >= 5.0).collect();
            let chi: f64 = (large.iter())
                .map(|(n, e)| (**n as f64 - *e).powi(2) / *e)
                .sum();
            assert!(chi < 3.0 * large.len() as f64, "{chi} over {}", large.len());
        }
    }
}
