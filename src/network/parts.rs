//! How much of a batch fits the device at once.

use super::buffers::Buffers;
use super::options::{NetworkOptions, Purpose};
use super::recording::recorder::{PassOptions, Recorder};
use crate::dense::Products;
use crate::engine::Device;
use crate::engine::lifetime::Layout;
use crate::error::{Error, Remedies, Result};
use crate::layer::Parameters;
use crate::model::Model;
use crate::ranks::Ranks;
use crate::sparse::Arena;
use crate::topology::StepPass;

/// Share of the free memory that activations may take: the loader, the round's scratch memory and the system need some
/// too.
const SHARE: f64 = 0.8;

/// The largest divisor of the batch whose activations fit, or the one that was requested.
pub(super) fn choose(
    device: &Device,
    model: &Model,
    arena: &Arena,
    parameters: &Parameters,
    options: &NetworkOptions,
    products: &[Products],
) -> Result<usize> {
    let batch = options.batch;
    // Each rank takes as much of it as the others, if that fits.
    let trains = options.purpose == Purpose::Training;
    let ranks = device.ranks().filter(|_| trains).map_or(1, Ranks::size);
    let share = batch.div_ceil(ranks);
    if let Some(asked) = options.micro_batch {
        return Ok(asked.clamp(1, batch.max(1)));
    }
    let room = device
        .free_memory()
        .map(|free| (free as f64 * SHARE) as u64);
    let mut needs = (0, 0);
    let divides = |part: &usize| batch.is_multiple_of(*part);
    for part in (1..=share).rev().filter(divides) {
        needs = match need(device, model, arena, parameters, options, products, part) {
            // Too many samples, or too large a model.
            Err(Error::Loops { .. }) if part > 1 => continue,
            needs => needs?,
        };
        if needs.0 <= device.largest_binding() && room.is_none_or(|room| needs.1 <= room) {
            return Ok(part);
        }
    }
    let (largest, total) = needs;
    let (bytes, limit, what) = match largest > device.largest_binding() {
        true => (
            largest,
            device.largest_binding(),
            "this adapter's largest storage binding",
        ),
        false => (total, room.unwrap_or(0), "this machine's free memory"),
    };
    Err(Error::Limit {
        buffer: format!("activations of {} for a single sample", model.name()),
        bytes,
        limit,
        what: what.into(),
        remedies: Remedies::ONE_IMAGE,
    })
}

/// Bytes of the largest activation, and of all that are live at once.
fn need(
    device: &Device,
    model: &Model,
    arena: &Arena,
    parameters: &Parameters,
    options: &NetworkOptions,
    products: &[Products],
    part: usize,
) -> Result<(u64, u64)> {
    let lanes = part.next_multiple_of(4);
    let input = (model.input().size() * lanes) as u64 * 4;
    let buffers = Buffers::planned(device, model, lanes, products.to_vec(), options)?;
    let options = NetworkOptions {
        keep: false,
        ..options.clone()
    };
    let recorder = Recorder::new(device, model, arena, parameters, &buffers, &options);
    let plan = match options.purpose {
        Purpose::Training => recorder.pass(PassOptions::first(StepPass::PLAIN))?,
        Purpose::Evaluation => recorder.evaluation()?,
        Purpose::Gradients | Purpose::Flow => recorder.pass_in_tiles()?.0,
        Purpose::InputGradients => recorder.input_gradients()?,
    };
    let layout = Layout::estimate(&[&plan])?;
    Ok((layout.largest().max(input), layout.bytes()))
}
