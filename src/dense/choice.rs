//! Which layers' products are dense.

use crate::engine::Device;
use crate::sparse::LayerState;

/// How a layer's products are computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Products {
    /// From the lists of its connections.
    Sparse,
    /// It has all connections: its range of the arena's weights, starting at `first`, is its weight matrix.
    Full {
        /// Its first connection in the arena.
        first: usize,
    },
    /// Forward and backward use a copy of its weights with zeros for the missing connections.
    Expanded,
}

/// Above this density, the dense forward and backward products, including the expansion of the weights for each, take
/// no more time than the sparse ones. Measured by `rootlet bench --only crossover`, as the mean of a linear layer of
/// 1024 units and a 3×3 convolution of 64 channels; the figures are in docs/benchmarks.md, "Dense path".
const ABOVE_CPU: f64 = 0.55;

/// The same on a GPU: measured on llvmpipe, because no hardware GPU was available.
pub(crate) const ABOVE_GPU: f64 = 0.5;

/// The density above which products are dense on this device.
pub fn above(device: &Device) -> f64 {
    match device.is_cpu() {
        true => ABOVE_CPU,
        false => ABOVE_GPU,
    }
}

/// How the products of each of an arena's layers are computed: densely at density `above` and higher.
///
/// This holds as long as no layer's number of connections changes, since a layer's place in the arena depends on those
/// before it: for a topology that stays as it is, or that changes only within each layer.
pub fn choose(layers: &[LayerState], above: f64) -> Vec<Products> {
    let mut first = 0;
    layers
        .iter()
        .map(|layer| {
            let (active, all) = (layer.active(), layer.n_in * layer.n_out);
            let begin = first;
            first += active;
            if active == 0 || (active as f64) < above * all as f64 {
                Products::Sparse
            } else if active == all {
                Products::Full { first: begin }
            } else {
                Products::Expanded
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_dense_from_a_density_on() {
        let layer = |rows: u32, cols: u32, active: usize| {
            let pairs: Vec<_> = (0..rows)
                .flat_map(|b| (0..cols).map(move |a| (b, a)))
                .collect();
            LayerState::from_pairs(cols as usize, rows as usize, &pairs[..active])
        };
        let layers = [
            layer(2, 5, 7),
            layer(3, 3, 9),
            layer(4, 2, 0),
            layer(2, 5, 6),
            layer(1, 4, 4),
        ];
        use Products::*;
        assert_eq!(
            choose(&layers, 0.7),
            [
                Expanded,
                Full { first: 7 },
                Sparse,
                Sparse,
                Full { first: 22 }
            ]
        );
        assert_eq!(choose(&layers, 0.0)[2..4], [Sparse, Expanded]);
        assert_eq!(choose(&layers, 1.1), [Sparse; 5]);
    }
}
