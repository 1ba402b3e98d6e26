//! Methods that begin with a dense network: they score and prune it before the first step, or prune it while it trains.
//!
//! Always-sparse methods are compared with them. By their nature they hold dense weights for a while, which the ledger
//! counts in a class of their own, [`Class::DenseWeights`](crate::engine::Class::DenseWeights). Their choices are made
//! on the host, once or a few times per run.

mod during;
mod probe;
mod saliency;
mod select;
mod start;
mod topkast;

pub use during::{Gradual, Lottery};
pub use probe::{EachTile, GradientTile, PerConnection, Probe};
pub use saliency::{GRASP_STEP, Grasp, SYNFLOW_ITERATIONS, Snip, SynFlow};
pub use select::{Best, keep_largest, keep_largest_of_each, magnitudes};
pub use start::{Choice, Moment, Prune, Start, Thinning};
pub use topkast::{TOPKAST_BACKWARD, TopKast};
