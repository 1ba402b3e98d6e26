//! The list of the kernels that no other room lists.

use super::{
    AddForward, AddInto, AveragePoolBackward, AveragePoolForward, DropoutApply, GeluBackward,
    GeluForward, GlobalAverageBackward, GlobalAverageForward, MaxPoolBackward, MaxPoolForward,
    ReluBackward, ReluForward, ShortcutBackward, ShortcutForward,
};
use crate::engine::{Kernel, KernelInfo};

/// The kernels of the layers without parameters: activations, residual connections, pooling, dropout.
pub(crate) fn simple_kernels() -> Vec<&'static KernelInfo> {
    vec![
        ReluForward::INFO,
        ReluBackward::INFO,
        GeluForward::INFO,
        GeluBackward::INFO,
        AddForward::INFO,
        AddInto::INFO,
        ShortcutForward::INFO,
        ShortcutBackward::INFO,
        MaxPoolForward::INFO,
        MaxPoolBackward::INFO,
        AveragePoolForward::INFO,
        AveragePoolBackward::INFO,
        GlobalAverageForward::INFO,
        GlobalAverageBackward::INFO,
        DropoutApply::INFO,
    ]
}
