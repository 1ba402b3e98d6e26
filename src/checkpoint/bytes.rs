//! Checkpoints in memory, for programs that keep them elsewhere than in a folder.

use std::path::Path;

use super::folder::{MANIFEST, MODEL};
use super::load::{self, Checkpoint};
use super::manifest::Manifest;
use super::save;
use super::snapshot::Snapshot;
use crate::error::{Error, Misfit, Result};

/// What stands for the folder of such a checkpoint in messages.
const NAME: &str = "(in memory)";

/// The bytes of the two files that [`save()`](super::save()) would write: `model.safetensors` and `manifest.json`.
///
/// # Errors
/// The snapshot breaks the rules of a checkpoint.
pub fn to_bytes(snapshot: &Snapshot, config_toml: &str) -> Result<[Vec<u8>; 2]> {
    let step = snapshot.progress.step;
    let (model, manifest) = save::encode(snapshot, config_toml, None)
        .map_err(|why| Error::Shape(Misfit::Unsaveable { step, why }))?;
    Ok([model, manifest])
}

/// The checkpoint whose two files have these bytes, checked like one on a disk.
///
/// # Errors
/// [`Error::Checkpoint`] if a byte is not what was saved.
pub fn from_bytes([model, manifest]: [&[u8]; 2]) -> Result<Checkpoint> {
    let wrong = |reason: String| Error::Checkpoint {
        path: NAME.into(),
        reason,
    };
    let manifest =
        Manifest::decode(manifest).map_err(|reason| wrong(format!("{MANIFEST} {reason}")))?;
    let (found, expected) = (model.len() as u64, manifest.tensors.bytes);
    if found != expected {
        return Err(wrong(format!(
            "{MODEL} has {found} bytes instead of {expected}"
        )));
    }
    load::decode(manifest, model, Path::new(NAME)).map_err(wrong)
}
