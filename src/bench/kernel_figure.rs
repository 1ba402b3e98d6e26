//! What is reported of one product.

use super::spread::Spread;
use crate::engine::TimedBy;

/// The ceiling that a product is closest to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bound {
    /// One element loaded for each multiply-add.
    Loads,
    /// The multiply-adds themselves.
    Arithmetic,
    /// The dispatch: the product is too small for this adapter.
    Dispatch,
}

impl Bound {
    /// As printed.
    pub fn name(self) -> &'static str {
        match self {
            Bound::Loads => "loads",
            Bound::Arithmetic => "arithmetic",
            Bound::Dispatch => "dispatch",
        }
    }
}

/// One product of a layer, measured.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
pub struct KernelFigure {
    /// "spmm", "spmm_transposed" or "sddmm"; "dense", "dense_transposed" or "dense_gradient" of a full layer.
    pub kernel: String,
    /// The matrix's file, where it came from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matrix: Option<String>,
    /// Units on either side of a square layer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n: Option<usize>,
    /// Output units.
    pub rows: usize,
    /// Input units.
    pub cols: usize,
    /// Members of the batch.
    pub batch: usize,
    /// Share of the pairs that is not connected; of random layers as asked for.
    pub sparsity: f64,
    /// Connections.
    pub connections: usize,
    /// Median.
    pub seconds: f64,
    /// How far the samples lie apart.
    pub seconds_spread: Spread,
    /// By which clock. None in files from before it was told, as the two fields below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timed_by: Option<TimedBy>,
    /// Two for each connection and member of the batch.
    #[serde(default)]
    pub operations: u64,
    /// Bytes that must be moved at least: everything that is read or written, once.
    #[serde(default)]
    pub bytes: u64,
    /// Two operations per connection and member of the batch, in 10^9 a second.
    pub gflop_s: f64,
    /// Bytes that must be moved at least, everything once, in 10^9 a second.
    pub gb_s: f64,
    /// That over the copy ceiling. Above 1 where caches hold what the product works on. None where that was not
    /// measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_copy: Option<f64>,
    /// Loads that this adapter manages on a buffer of this layer's size, in 10^9 elements a second. None for full
    /// layers, which use what they load several times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loads_gelem_s: Option<f64>,
    /// Which ceiling asks for the most time.
    pub bound: Bound,
    /// That time over the measured one, the median of turns in which both were taken: 1 is the ceiling. None where it
    /// cannot be trusted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share_of_ceiling: Option<f64>,
    /// Why that is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ceiling_doubt: Option<String>,
    /// Largest error of the rows compared, relative to their largest entry.
    pub max_error: f64,
    /// Why it cannot be trusted, where it was kept all the same (`--keep-doubtful`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doubt: Option<String>,
}

/// The ceiling that asks for the most seconds.
pub(super) fn bounded_by(bounds: [(f64, Bound); 3]) -> (f64, Bound) {
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
