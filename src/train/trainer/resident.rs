//! The training images on the device.

use crate::data::{Augmentation, Dataset, ResidentImages};
use crate::engine::Device;
use crate::error::Result;
use crate::network::{Network, Resident};
use crate::train::TrainConfig;

/// Puts the training images on the device, if the configuration or the device calls for it.
pub(super) fn reside(
    device: &Device,
    network: &Network,
    config: &TrainConfig,
    data: &Dataset,
    augmentation: Augmentation,
) -> Result<Option<Resident>> {
    let Some(split) = data.train.memory() else {
        return Ok(None);
    };
    if !config
        .machine
        .resident
        .unwrap_or(ResidentImages::pays(device, split))
    {
        return Ok(None);
    }
    let normalisation = &data.normalisation;
    let resident = network.reside(device, split, data.shape, normalisation, augmentation)?;
    Ok(Some(resident))
}
