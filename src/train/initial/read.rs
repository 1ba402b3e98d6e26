//! The initial weights that a configuration names.

use super::weights::Initial;
use super::{from_checkpoint, from_dense};
use crate::data::Dataset;
use crate::error::{Error, Refusal, Result};
use crate::model::Model;
use crate::train::TrainConfig;

/// Reads them, if the configuration names any, for this model and data.
///
/// # Errors
/// A file that cannot be read, or weights of another model.
pub(in crate::train) fn initial_weights(
    config: &TrainConfig,
    model: &Model,
    data: &Dataset,
) -> Result<Option<Initial>> {
    match (&config.model.init, &config.model.init_dense) {
        (None, None) => Ok(None),
        (Some(path), None) => from_checkpoint::read(path, model, data).map(Some),
        (None, Some(path)) => from_dense::read(path, model).map(Some),
        (Some(_), Some(_)) => Err(Error::refused(Refusal::BothInits)),
    }
}
