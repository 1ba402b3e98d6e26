//! The choice among a kernel's variants, by measurement.
//!
//! | file | job |
//! |---|---|
//! | `tune.rs` | measures variants on a device |
//! | `choices.rs` | those that a device has chosen |

pub(super) mod choices;
pub mod tune;
