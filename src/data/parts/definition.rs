//! The parts of a data set that nothing is learned from: one for choosing, and one for testing what was chosen.

use super::test_part::TestPart;
use crate::choice::choice;
use crate::data::sources::Images;

choice! {
    /// A part that nothing is learned from.
    pub enum DataPart {
        /// It may be looked at during training: it chooses weights, and when a training stops
        Validation = "validation",
        /// It chooses nothing
        Test = "test",
    }
}

/// Samples that nothing is learned from, and where they come from.
#[derive(Clone, Debug)]
pub struct HeldOut {
    /// The samples.
    pub images: Images,
    /// Where they come from.
    pub part: TestPart,
}
