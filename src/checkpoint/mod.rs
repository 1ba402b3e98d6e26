//! Checkpoints: everything that a run needs to continue, in files that other programs can read.
//!
//! A checkpoint is a folder, `RUN/checkpoints/step-0000000123/`, with two files:
//! - `model.safetensors`: per layer `l` the tensors `layers.{l}.crow_indices`, `layers.{l}.col_indices` (I32, PyTorch's
//!   names for compressed sparse rows; a row is an output unit), `layers.{l}.values`, `layers.{l}.momentum`,
//!   `layers.{l}.bias` and `layers.{l}.bias_momentum` (F32); per norm `i` the tensors `norms.{i}.weight`,
//!   `norms.{i}.bias`, `norms.{i}.weight_momentum`, `norms.{i}.bias_momentum` and, for a batch norm,
//!   `norms.{i}.running_mean` and `norms.{i}.running_variance` (F32). If a model has dense parameters in layers of
//!   other kinds, all of them are instead in `parameters.{i}.{name}` and, for trained arrays,
//!   `parameters.{i}.{name}_momentum`. A method that keeps dense weights beside its network has `reserve.{l}` per layer
//!   (F32, `[n_out * n_in]`). A run that follows what its rounds explore also has, per layer, the pairs that were once
//!   active and no longer are: `layers.{l}.past_crow_indices` and `layers.{l}.past_col_indices` (I32). For images there
//!   is `data.learned_images` (I64): hashes of those that the network has learned from.
//!
//!   The tensors `…momentum` are those of SGD. Another optimiser has its own arrays in their place, under the names
//!   that it gives them: F32, or U32 for counts.
//! - `manifest.json`: format, version, progress, the layers' and norms' sizes, the optimiser unless it is SGD, what the
//!   data were, the tensor file's bytes and CRC-32, the whole configuration, and a CRC-32 of the manifest itself.
//!
//! [`save()`] never touches a complete checkpoint before the next one is on the disk, so that a crash, a full disk or a
//! kill at any moment leaves one to go on from. [`load()`] trusts no byte: whatever is in the files, it returns either
//! exactly what was saved or an [`Error::Checkpoint`](crate::Error::Checkpoint) that says what to do.

mod best;
mod bytes;
mod checked;
mod columns;
#[cfg(test)]
mod faults;
mod folder;
mod layer_shape;
mod load;
mod manifest;
mod objective;
mod optimiser;
mod origin;
mod parameters;
mod past;
mod progress;
mod rules;
mod save;
mod snapshot;
mod sums;
mod tensors;

pub use crate::layer::{ParameterArray, ParameterState};
pub use crate::network::NetworkState;
pub use crate::sparse::LayerState;
#[doc(hidden)]
pub use best::{Best, Which};
pub use bytes::{from_bytes, to_bytes};
pub(crate) use folder::is_file_of_one;
#[doc(hidden)]
pub use layer_shape::LayerShape;
#[doc(hidden)]
pub use load::load_which;
pub(crate) use load::newest_manifest;
pub use load::{Checkpoint, load};
#[doc(hidden)]
pub use manifest::TensorFile;
pub(crate) use manifest::fuzz as fuzz_manifest;
pub use manifest::{FORMAT, Manifest};
pub use objective::Objective;
#[doc(hidden)]
pub use optimiser::{NumberType, OptimiserShape, StateShape};
pub use origin::{Change, Origin, Tested};
#[doc(hidden)]
pub use parameters::{ArrayShape, NormKind, NormShape, ParameterShape};
pub use past::PastConnections;
pub use progress::Progress;
pub use save::save;
#[doc(hidden)]
pub use save::save_best;
pub(crate) use save::save_of;
pub use snapshot::Snapshot;
pub(crate) use tensors::fuzz as fuzz_tensors;
