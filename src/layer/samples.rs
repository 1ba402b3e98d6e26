//! One of each layer of the crate, for what goes through all of them. A layer's file gives its own, by a function
//! `samples`, and is found by that: `build.rs` writes the list.

use std::sync::Arc;

use super::definition::Layer;
use super::extent::Extent;

/// What a layer's file gives.
type Samples = fn() -> Vec<Arc<dyn Layer>>;

const SAMPLES: &[Samples] = include!(concat!(env!("OUT_DIR"), "/layers.rs"));

/// Each layer of the crate, of sizes that take values of [`sample_input`].
pub(crate) fn samples() -> Vec<Arc<dyn Layer>> {
    SAMPLES.iter().flat_map(|of_a_file| of_a_file()).collect()
}

/// The size of the values that the samples take: tokens and planes, of odd sides where patches leave the choice.
pub(crate) fn sample_input() -> Extent {
    Extent {
        channels: 12,
        height: 6,
        width: 9,
    }
}
