//! The shared part of the CPU twins of the sparse and full products.
//!
//! A twin computes the same as its shader over the same buffers, in the machine's widest vectors and on all threads,
//! with bits that depend on neither. Nothing here is a kernel; what the twins of a single layer share is beside that
//! layer.
//!
//! | file | what |
//! |---|---|
//! | `lanes.rs` | sums gathered through terms, a row of lanes at a time: the innermost loops of the sparse products |
//! | `pieces.rs` | dividing an output into pieces that tasks write |
//! | `planes.rs` | the sparse convolution in either direction: planes gathered from planes |
//! | `dots.rs`, `partial.rs` | dot products of listed pairs' rows: the weight gradients; their partial sums |
//! | `product.rs`, `pack.rs` | the blocked product of full layers, and its operands in reading order |
//! | `patches.rs` | what a plane's positions see through a window, as the rows of a matrix |
//! | `rows.rs` | products of rows with rows: the weight gradient of full layers |

mod direction;
pub(crate) mod dots;
pub(crate) mod lanes;
pub(crate) mod pack;
mod partial;
pub(crate) mod patches;
pub(crate) mod pieces;
pub(crate) mod planes;
pub(crate) mod product;
pub(crate) mod rows;

pub(crate) use direction::Direction;
