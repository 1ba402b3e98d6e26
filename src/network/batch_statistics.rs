//! Batch norms' statistics of a batch in parts: their running statistics advance once a batch, by the parts' merged in
//! order, wherever the parts were computed.

use super::phase;
use crate::engine::{Buffer, Class, Device, Grid, Plan, Program, View};
use crate::error::{Error, Misfit, Result};
use crate::layer::norm::{BatchNormAdvance, BatchNormAdvanceParams, MOMENTUM};
use crate::layer::{BatchNorm, Layer, Parameters};
use crate::model::Model;

/// What the passes over a batch's parts leave of batch norms' statistics, and the program that merges it.
pub(super) struct BatchStatistics {
    /// What the last pass found, in the places of the running statistics.
    pub part: Buffer,
    program: Program,
}

impl BatchStatistics {
    /// For the batch norms of a model; `None` if there are none. `step` is the uniform that passes read.
    ///
    /// # Errors
    /// A plane is too large, or the device refuses buffers.
    pub fn new(
        device: &Device,
        model: &Model,
        parameters: &Parameters,
        step: View,
    ) -> Result<Option<Self>> {
        let places = places(model, parameters)?;
        if places.is_empty() {
            return Ok(None);
        }
        let channels = places.len() / 3;
        let scratch = |label: &str, words| device.buffer(label, Class::Scratch, words);
        let words = parameters.untrained().words();
        let part = scratch("batch_norms.part", words)?;
        device.upload(&part.range(0..words), &vec![0f32; words])?;
        let table = device.buffer_with("batch_norms.places", Class::Scratch, &places)?;
        let mut plan = Plan::new("batch norms' running statistics");
        plan.phase(phase::FORWARD);
        plan.dispatch(
            BatchNormAdvance {
                params: BatchNormAdvanceParams {
                    channels: channels as u32,
                    momentum: MOMENTUM,
                },
                step,
                places: table.all(),
                part: part.all(),
                batch: scratch("batch_norms.batch", 2 * channels)?.all(),
                running: parameters.untrained().all(),
            },
            Grid::Items(channels),
        )?;
        Ok(Some(BatchStatistics {
            part,
            program: device.prepare(&plan)?,
        }))
    }

    /// Merges the part that the last pass saw, and after the batch's last part moves the running statistics.
    pub fn program(&self) -> &Program {
        &self.program
    }
}

/// For each channel of a batch norm: where its running mean and variance are, and the positions of its plane.
fn places(model: &Model, parameters: &Parameters) -> Result<Vec<u32>> {
    let kind = BatchNorm { relu: false }.kind();
    let mut number = 0;
    let mut places = Vec::new();
    for node in model.nodes() {
        if node.layer().parameters(&model.inputs_of(node)).is_empty() {
            continue;
        }
        let own = parameters.layer(number)?;
        number += 1;
        if node.layer().kind() != kind {
            continue;
        }
        let first = |name| own.first(name).map(|first| first as u32);
        let (Ok(mean), Ok(variance)) = (first("running_mean"), first("running_variance")) else {
            continue;
        };
        let positions = node.extent().positions();
        let positions = u32::try_from(positions).map_err(|_| {
            Error::Shape(Misfit::TooMany {
                what: "positions of a batch norm".to_owned(),
                count: positions.to_string(),
                most: u32::MAX.into(),
                way_out: String::new(),
            })
        })?;
        for channel in 0..node.extent().channels as u32 {
            places.extend([mean + channel, variance + channel, positions]);
        }
    }
    Ok(places)
}
