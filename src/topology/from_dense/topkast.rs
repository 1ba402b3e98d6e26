//! Top-KAST: dense weights that are looked at now and then, and two sparse sets of them that are trained.

use super::start::Start;
use crate::topology::cost::Cost;
use crate::topology::method::Method;

/// Top-KAST (Jayakumar et al. 2020): the forward pass uses the set A of the requested connections, in each layer those
/// of the largest |theta|; gradients are computed for the wider set B, and every T steps B is chosen anew by magnitude
/// from all weights, those outside B included, which stay what they were when they left it.
///
/// Weights of B outside A have their weight decay divided by the forward pass's density, the paper's exploration
/// penalty. A is selected anew in every step. Every product walks all of B, A's weights and zeros, so a step's measured
/// time is that of B.
pub struct TopKast {
    /// Connections of B for each of A.
    pub backward: f64,
}

/// [`TopKast::backward`] where no other is asked for.
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
