//! What the CPU twins of the sparse and full products share.
//!
//! A twin computes what its shader does over the same buffers, in vectors as wide as the machine has them and on all
//! threads, with bits that depend on neither. None of this is a kernel; what a single layer's twins share lies beside
//! that layer.
//!
//! | file | what |
//! |---|---|
//! | `lanes.rs` | sums gathered through terms, a row of lanes at a time: the innermost loops of the sparse products |
//! | `pieces.rs` | how an output is cut into pieces that tasks write |
//! | `planes.rs` | the sparse convolution in either direction: planes gathered from planes |
//! | `dots.rs` | dot products of listed pairs' rows: the weight gradients |
//! | `product.rs`, `pack.rs` | the blocked product of full layers, and its operands in the order in which it reads them |
//! | `patches.rs` | what the positions of a plane see through a window, as the rows of a matrix |
//! | `rows.rs` | products of rows with rows: the weight gradient of full layers |

mod direction;
pub(crate) mod dots;
pub(crate) mod lanes;
pub(crate) mod pack;
pub(crate) mod patches;
pub(crate) mod pieces;
pub(crate) mod planes;
pub(crate) mod product;
pub(crate) mod rows;

pub(crate) use direction::Direction;
