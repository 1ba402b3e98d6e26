//! From samples to a network's outputs for them.

use super::predictions::Predictions;
use crate::data::{ImageShape, Images, Loader, LoaderOptions, Normalisation, Targets, Task};
use crate::engine::{Device, StepState};
use crate::error::{Error, Misfit, Result};
use crate::network::Network;

/// Most threads that read samples.
const MOST_READERS: usize = 4;

/// Takes the number of a sample and its outputs, or why it was left out.
type Each<'a> = dyn FnMut(usize, Result<&mut [f32], String>) -> Result<()> + 'a;

/// The way from samples to a network's outputs.
pub(super) struct Way<'a> {
    pub device: &'a Device,
    pub network: &'a Network,
    pub shape: ImageShape,
    pub normalisation: &'a Normalisation,
}

impl Way<'_> {
    /// The outputs for all samples.
    pub fn all(&self, samples: &Images, task: Task) -> Result<Predictions> {
        let outputs = self.network.outputs();
        let mut values = Vec::with_capacity(samples.len() * outputs);
        self.outputs(samples, &mut |_, told| {
            if let Ok(told) = told {
                values.extend_from_slice(told);
            }
            Ok(())
        })?;
        let (found, requested) = (values.len() / outputs, samples.len());
        if found != requested {
            return Err(Error::Shape(Misfit::Samples {
                what: format!("{} of {requested} samples", requested - found),
                why: "they cannot be read, and no outputs would stand for them".to_owned(),
            }));
        }
        Ok(Predictions::new(outputs, values, task))
    }

    /// The outputs for each sample in order, or why it was left out.
    pub fn outputs(&self, samples: &Images, each: &mut Each<'_>) -> Result<()> {
        let Way {
            device, network, ..
        } = *self;
        let (lanes, outputs) = (network.lanes(), network.outputs());
        let readers = std::thread::available_parallelism().map_or(1, usize::from);
        let options = LoaderOptions {
            lanes,
            workers: readers.min(MOST_READERS),
            ..LoaderOptions::of_batch(network.micro_batch())
        };
        let (mut row, mut number) = (vec![0.0; outputs], 0);
        for batch in Loader::start(samples.clone(), self.shape, self.normalisation, options)? {
            let mut batch = batch?;
            let end = (number + options.batch).min(samples.len());
            let mut found: Vec<f32> = Vec::new();
            if batch.count > 0 {
                // Nothing is compared.
                batch.targets = Targets::zeros(network.targets(), lanes);
                network.load(device, &batch)?;
                network.test(device, StepState::whole(0, 0, batch.count, 0.0))?;
                found = device.download(&network.logits())?;
            }
            let mut lane = 0;
            while number < end {
                match samples.source().fault(number) {
                    Some(why) => each(number, Err(why))?,
                    None if lane < batch.count => {
                        for (output, own) in row.iter_mut().enumerate() {
                            *own = found[output * lanes + lane];
                        }
                        lane += 1;
                        each(number, Ok(&mut row))?;
                    }
                    None => return Err(unexplained(number)),
                }
                number += 1;
            }
            if lane != batch.count {
                return Err(unexplained(number));
            }
        }
        Ok(())
    }
}

/// The error for a source that leaves samples out and does not say which.
fn unexplained(number: usize) -> Error {
    Error::Shape(Misfit::Samples {
        what: format!("a sample before number {number} (counted from 0)"),
        why: "its source leaves it out and does not say why, so that outputs cannot be told apart"
            .to_owned(),
    })
}
