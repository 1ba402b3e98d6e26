//! The figures that are measured, as they are stored and shown.
//!
//! | file | job |
//! |---|---|
//! | `identity.rs` | what was measured: the adapter and its driver |
//! | `spread.rs` | the median of samples, with its quartiles |
//! | `kernel.rs`, `crossover.rs` | a product; a layer from lists of connections and densely |
//! | `step.rs`, `model.rs`, `scaling.rs` | a training step, a model, the growth with the width |

mod crossover;
mod identity;
mod kernel;
mod model;
mod scaling;
mod spread;
mod step;

pub use crossover::{AtDensity, CrossoverFigure};
pub use identity::Identity;
pub(super) use kernel::bounded_by;
pub use kernel::{Bound, KernelFigure};
pub use model::{KernelTime, ModelFigure};
pub use scaling::{Exponents, ScalingFigure};
pub use spread::Spread;
pub use step::StepFigure;
