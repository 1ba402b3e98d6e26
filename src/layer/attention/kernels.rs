//! The list of the kernels.

use super::{Mix, Scores, ScoresBackward};
use crate::engine::{Kernel, KernelInfo};

/// The kernels of attention.
pub fn kernels() -> Vec<&'static KernelInfo> {
    vec![Scores::INFO, ScoresBackward::INFO, Mix::INFO]
}
