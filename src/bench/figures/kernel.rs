//! The figures of one product.

use super::spread::Spread;
use crate::engine::TimedBy;

/// The ceiling that a product is closest to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// Loading one element for each multiply-add.
    Loads,
    /// The multiply-adds themselves.
    Arithmetic,
    /// The cost of a dispatch: the product is too small for this adapter.
    Dispatch,
}

impl Bound {
    /// The printed name.
    pub fn name(self) -> &'static str {
        match self {
            Bound::Loads => "loads",
            Bound::Arithmetic => "arithmetic",
            Bound::Dispatch => "dispatch",
        }
    }
}

/// One measured product of a layer.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct KernelFigure {
    /// "spmm", "spmm_transposed" or "sddmm"; for a full layer "dense", "dense_transposed" or "dense_gradient".
    pub kernel: String,
    /// The matrix's file, if it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<String>,
    /// Units on either side of a square layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<usize>,
    /// Output units.
    pub rows: usize,
    /// Input units.
    pub cols: usize,
    /// Batch size.
    pub batch: usize,
    /// Share of the pairs that are not connected; for random layers, the sparsity asked for.
    pub sparsity: f64,
    /// Connections.
    pub connections: usize,
    /// Median time.
    pub seconds: f64,
    /// Spread of the samples.
    pub seconds_spread: Spread,
    /// The clock. None in files from before this was recorded, like the two fields below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_by: Option<TimedBy>,
    /// Two for each connection and sample of the batch.
    #[serde(default)]
    pub operations: u64,
    /// The least number of bytes that must be moved: everything that is read or written, once.
    #[serde(default)]
    pub bytes: u64,
    /// Two operations per connection and sample of the batch, in 10^9 per second.
    pub gflop_s: f64,
    /// Bytes that must be moved at least, each counted once, in 10^9 per second.
    pub gb_s: f64,
    /// That divided by the copy ceiling. It exceeds 1 if caches hold what the product works on. None if the ceiling was
    /// not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_copy: Option<f64>,
    /// Loads that this adapter manages on a buffer of this layer's size, in 10^9 elements per second. None for full
    /// layers, which use what they load several times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loads_gelem_s: Option<f64>,
    /// The ceiling that demands the most time.
    pub bound: Bound,
    /// That time divided by the measured one, as the median of turns in which both were measured: 1 is the ceiling.
    /// None if it cannot be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_ceiling: Option<f64>,
    /// Why it is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_doubt: Option<String>,
    /// Largest error of the compared rows, relative to their largest entry.
    pub max_error: f64,
    /// Why it cannot be trusted, if it was kept nevertheless (`--keep-doubtful`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// The ceiling that demands the most seconds.
pub(in crate::bench) fn bounded_by(bounds: [(f64, Bound); 3]) -> (f64, Bound) {
    let [first, rest @ ..] = bounds;
    (rest.into_iter()).fold(first, |most, b| if b.0 > most.0 { b } else { most })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slowest_resource_bounds() {
        let bounds = |loads, arithmetic, dispatch| {
            bounded_by([
                (loads, Bound::Loads),
                (arithmetic, Bound::Arithmetic),
                (dispatch, Bound::Dispatch),
            ])
        };
        assert_eq!(bounds(3.0, 2.0, 1.0), (3.0, Bound::Loads));
        assert_eq!(bounds(1.0, 2.0, 1.0), (2.0, Bound::Arithmetic));
        assert_eq!(bounds(1.0, 2.0, 4.0), (4.0, Bound::Dispatch));
    }
}
