//! Pooling: the largest or the mean value of every window, or the mean of a whole plane. Forward and backward are side
//! by side.
//!
//! Backward passes gather: an input position reads the outputs whose windows cover it, so nothing is scattered between
//! invocations, and no index is kept from the forward pass.

pub(super) mod average;
pub(super) mod global;
pub(super) mod max;
mod twin;
mod windows;

pub use average::{
    AveragePool, AveragePoolBackward, AveragePoolBackwardParams, AveragePoolForward,
    AveragePoolForwardParams, AveragePoolPass,
};
pub use global::{
    GlobalAverage, GlobalAverageBackward, GlobalAverageBackwardParams, GlobalAverageForward,
    GlobalAverageForwardParams, GlobalAveragePass,
};
pub use max::{
    MaxPool, MaxPoolBackward, MaxPoolBackwardParams, MaxPoolForward, MaxPoolForwardParams,
    MaxPoolPass,
};
pub use windows::Windows;
