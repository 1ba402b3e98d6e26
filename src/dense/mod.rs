//! The products of a full layer: blocked, without lists of connections.
//!
//! In the arena, the connections of a layer that has all of them are, in order, the rows of its weight matrix:
//! `weights[first + r * n_in + c]`. So a full layer needs no other storage, and these kernels read and write its range
//! in place; only its indices are superfluous.
//!
//! | product | kernel | its sparse counterparts |
//! |---|---|---|
//! | forward, `y = W x + bias` | [`DenseForward`] | `Spmm`, `Conv` |
//! | backward, `dx = W^T dy` | [`DenseTransposed`] | `SpmmTransposed`, `ConvTransposed` |
//! | gradient of the weights, `dW = dy x^T` | [`DenseGradient`] | `Sddmm`, `ConvSddmm` |
//!
//! A layer that has most of its connections uses the same forward and backward products, on a copy with zeros for the
//! missing ones ([`Expand`]), made where it is used; [`choose`] says for which layers.
//!
//! Each takes any [`Window`](crate::sparse::Window): the positions of a pointwise one are further lanes, and a
//! convolution is the product with its patches. All are bound by the multiply-adds, while the sparse ones are bound by
//! loads: a tile of the output stays in registers, so that each number loaded serves several of them.

mod choice;
mod expand;
mod forward;
mod gradient;
mod transposed;

pub(crate) use choice::ABOVE_GPU;
pub use choice::{Products, above, choose};
pub use expand::{Expand, ExpandParams};
pub use forward::{DenseForward, DenseForwardParams};
pub use gradient::{DenseGradient, DenseGradientParams};
pub use transposed::{DenseTransposed, DenseTransposedParams};
