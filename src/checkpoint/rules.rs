//! The conditions for writing a state: matching lengths, and ordered rows.

use super::checked::Checked;
use super::layer_shape::LayerShape;
use crate::data::ImageHashes;
use crate::network::NetworkState;
use crate::sparse::LayerState;

/// The rules of compressed sparse rows, within the sizes that a checkpoint can have.
pub(super) fn layer(l: usize, layer: &LayerState) -> Checked<()> {
    // Independent of what the optimiser keeps, whose lengths follow from these.
    LayerShape::of(layer).bytes(l, 0)?;
    let wrong = |reason| format!("layer {l}: {reason}");
    layer.rules().map_err(wrong)
}

/// Checks that there are dense weights either for every layer or for none.
pub(super) fn dense_weights(state: &NetworkState) -> Checked<()> {
    let sizes = state.layers.iter().map(|layer| layer.n_in * layer.n_out);
    match state.dense_weights.is_empty() || state.dense_weights.iter().map(Vec::len).eq(sizes) {
        true => Ok(()),
        false => Err("the dense weights beside the network do not fit the layers".to_owned()),
    }
}

/// Checks that the hashes of images occur once each.
pub(super) fn learned_images(images: &ImageHashes) -> Checked<()> {
    let rise = |hashes: &[u64]| hashes.windows(2).all(|pair| pair[0] < pair[1]);
    match rise(&images.pixels) && rise(&images.older) {
        true => Ok(()),
        false => Err("the hashes of the images that were learned from do not rise".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optim::{Numbers, OptimiserState};

    fn momentum(values: &[f32]) -> OptimiserState {
        OptimiserState::of([("momentum".to_owned(), Numbers::F32(values.to_vec()))])
    }

    fn example() -> LayerState {
        LayerState {
            n_in: 4,
            n_out: 3,
            crow_indices: vec![0, 2, 2, 4],
            col_indices: vec![0, 3, 1, 2],
            values: vec![1.0, f32::NAN, -0.0, f32::INFINITY],
            state: momentum(&[0.5; 4]),
            bias: vec![1.0; 3],
            bias_state: momentum(&[2.0; 3]),
        }
    }

    fn refuse(change: impl Fn(&mut LayerState), expected: &str) {
        let mut layer = example();
        change(&mut layer);
        let error = super::layer(0, &layer).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn the_rules_of_sparse_rows() {
        super::layer(0, &example()).unwrap();
        refuse(|x| x.crow_indices = vec![0, 2, 4], "`crow_indices` has 3");
        refuse(|x| x.crow_indices[0] = 1, "must start at 0");
        refuse(|x| x.crow_indices[3] = 3, "end at the 4");
        let downwards = |x: &mut LayerState| {
            x.crow_indices = vec![0, 3, 2, 4];
            x.col_indices = vec![0, 1, 3, 2];
        };
        refuse(downwards, "at row 1");
        refuse(|x| x.crow_indices[1] = u32::MAX, "at row 0");
        refuse(|x| x.col_indices[1] = 0, "increase inside row 0");
        refuse(|x| x.col_indices[2] = 3, "increase inside row 2");
        refuse(|x| x.col_indices[3] = 4, "passes the 4 inputs in row 2");
        refuse(|x| x.col_indices[3] = u32::MAX, "passes the 4 inputs");
        refuse(|x| x.values.push(0.0), "`values` has 5");
        refuse(|x| x.state = momentum(&[]), "`momentum` has 0");
        refuse(|x| x.bias.clear(), "`bias` has 0");
        refuse(
            |x| x.bias_state = momentum(&[0.0; 4]),
            "`bias_momentum` has 4",
        );
        refuse(|x| x.n_in = usize::MAX, "32-bit");
    }
}
