//! Samples of every layer of the crate, for code that goes through all of them. A layer's file provides its own in a
//! function `samples`, by which it is found: `build.rs` writes the list.

use std::sync::Arc;

use super::definition::Layer;
use super::extent::Extent;

/// What a layer's file provides.
type Samples = fn() -> Vec<Arc<dyn Layer>>;

const SAMPLES: &[Samples] = include!(concat!(env!("OUT_DIR"), "/layers.rs"));

/// Every layer of the crate, with sizes that accept values of [`sample_input`].
pub(crate) fn samples() -> Vec<Arc<dyn Layer>> {
    SAMPLES.iter().flat_map(|of_a_file| of_a_file()).collect()
}

/// The size of the values that the samples take: tokens and planes, with odd sides where patches allow it.
pub(crate) fn sample_input() -> Extent {
    Extent {
        channels: 12,
        height: 6,
        width: 9,
    }
}
