//! The products of single layers, beside their ceilings.
//!
//! | file | job |
//! |---|---|
//! | `sparse.rs` | the three sparse products over sizes, sparsities and matrices |
//! | `crossover.rs` | the density above which the dense products are faster |
//! | `layer.rs`, `dense.rs` | a layer to measure: sparse, and full |
//! | `reference.rs` | the products in f64 on the host |

pub(super) mod crossover;
mod dense;
mod layer;
pub(super) mod reference;
pub(super) mod sparse;
