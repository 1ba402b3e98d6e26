//! The parts of a data set that nothing is learned from: validation and test.
//!
//! | file | job |
//! |---|---|
//! | `definition.rs` | which parts there are |
//! | `test_part.rs` | where the samples of a part come from |
//! | `split_off.rs` | holding a part out of the training samples |
//! | `evaluation.rs` | on which part a network is evaluated |

mod definition;
mod evaluation;
mod split_off;
mod test_part;

pub use definition::{DataPart, HeldOut};
pub(in crate::data) use split_off::chosen;
pub use test_part::TestPart;
