//! Top-KAST: dense weights that are consulted now and then, and two sparse sets of them that are trained.

use super::start::Start;
use crate::topology::cost::Cost;
use crate::topology::method::Method;

/// Top-KAST (Jayakumar et al. 2020). The forward pass uses the set A of the requested connections, in each layer those
/// with the largest |theta|. Gradients are computed for a wider set B. Every T steps B is chosen anew by magnitude from
/// all weights, including those outside B, which keep the values with which they left it.
///
/// For weights of B outside A, the weight decay is divided by the forward pass's density: the paper's exploration
/// penalty. A is selected anew in every step. Every product walks through all of B (A's weights and zeros), so a step's
/// measured time is that of B.
pub struct TopKast {
    /// Number of connections of B for each one of A.
    pub backward: f64,
}

/// The default of [`TopKast::backward`].
pub const TOPKAST_BACKWARD: f64 = 2.0;

impl TopKast {
    pub(in crate::topology) const NAME: &str = "topkast";
}

impl Method for TopKast {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn start(&self) -> Start<'_> {
        Start::Backed(self.backward)
    }

    fn cost(&self) -> Cost {
        Cost {
            backward: self.backward,
            ..Cost::SPARSE
        }
    }
}
