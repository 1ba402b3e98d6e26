//! The trainer: feeds batches to the network, calls the topology rounds, evaluates, and tells what happens.

mod begin;
mod build;
mod checking;
mod choose_again;
mod compared;
mod dense;
mod dense_weights;
mod epoch;
mod learned;
mod learned_images;
mod resident;
mod run;
mod state;

use std::sync::atomic::AtomicBool;

use super::config::TrainConfig;
use super::describe::StepFlops;
use super::evaluate::{Evaluation, evaluate, evaluate_until};
use super::exploration::Exploration;
use super::phases::Phases;
use super::setup::Setup;
use crate::checkpoint::{Change, Progress};
use crate::clock::Instant;
use crate::data::{Augmentation, DataRecord, Dataset, LoaderOptions, Order, Share};
use crate::engine::Device;
use crate::error::{Error, Result};
use crate::network::{Network, NetworkOptions, Resident};
use crate::topology::Schedule;
use crate::topology::from_dense::Start;
use compared::Checking;
use dense_weights::DenseWeights;
use learned::Learned;

/// A training run: a network, its data, its schedules, and how far it is.
pub struct Trainer {
    device: Device,
    config: TrainConfig,
    data: Dataset,
    /// What the data are.
    record: DataRecord,
    /// What is not as it was when the run began.
    changes: Vec<Change>,
    learned: Learned,
    setup: Setup,
    network: Network,
    /// What the network was made with, and is made with again.
    options: NetworkOptions,
    /// Connections of each layer that the configuration asks for.
    requested: Vec<u64>,
    dense_weights: Option<DenseWeights>,
    augmentation: Augmentation,
    /// The training images, where the device makes the batches.
    resident: Option<Resident>,
    /// What the run's beginning has to tell.
    notes: Vec<String>,
    /// What one must know of its data and configuration not to misread the result.
    qualifying: Vec<String>,
    /// As those, of a run that has steps left to train.
    past_the_end: Vec<String>,
    schedule: Schedule,
    progress: Progress,
    /// Kernels to compare with their twins, if any.
    checking: Option<Checking>,
    /// Training steps whose losses were not looked at yet.
    unread: std::ops::Range<u64>,
    /// What the rounds have explored, where that is followed.
    exploration: Option<Exploration>,
    phases: Phases,
    /// FLOPs of an image's forward pass.
    flops: StepFlops,
    /// The first error of the observer, or of an image that cannot be read: the run then stops as if asked to, so that
    /// what was computed is saved first.
    unheard: Option<Error>,
}

impl Trainer {
    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
    }

    /// Its data.
    pub fn data(&self) -> &Dataset {
        &self.data
    }

    /// How far it is.
    pub fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The configuration, with what the device decided filled in.
    pub fn config(&self) -> &TrainConfig {
        &self.config
    }

    fn steps_per_epoch(&self) -> u64 {
        self.data.train.batches(self.config.run.batch)
    }

    /// Steps of one of the method's stages.
    fn stage_steps(&self) -> u64 {
        u64::from(self.config.run.epochs) * self.steps_per_epoch()
    }

    /// Where in its epochs the run is, in steps: what the schedules go by. It is the number of steps that were done,
    /// unless the number of images has changed since the run began.
    fn place(&self) -> u64 {
        u64::from(self.progress.epoch) * self.steps_per_epoch() + self.progress.batch
    }

    /// Steps at the end of all epochs: those done, and those that are left.
    fn steps_total(&self) -> u64 {
        let whole = u64::from(self.setup.method.start().stages()) * self.stage_steps();
        let whole = (self.progress.step + whole).saturating_sub(self.place());
        self.config
            .run
            .steps
            .map_or(whole, |steps| steps.min(whole))
    }

    /// Whether no step is left to train, and no epoch waits for its test.
    pub fn is_done(&self) -> bool {
        self.progress.step >= self.steps_total() && self.progress.batch < self.steps_per_epoch()
    }

    /// Loss and accuracy on the test images.
    ///
    /// # Errors
    /// A lost device.
    pub fn evaluate(&self) -> Result<Evaluation> {
        let options = self.batches(Order::Sequential, 0);
        evaluate(&self.device, &self.network, &self.data, options)
    }

    /// As [`Trainer::evaluate`], as a phase of the run.
    ///
    /// # Errors
    /// As [`Trainer::evaluate`], [`Error::Stopped`], and [`Error::Diverged`] where the loss is no number: the weights
    /// may be, and what they compute is not.
    fn timed_evaluation(&mut self, stop: &AtomicBool) -> Result<Evaluation> {
        let start = Instant::now();
        let options = self.batches(Order::Sequential, 0);
        let evaluation = evaluate_until(&self.device, &self.network, &self.data, options, stop)?;
        let flops = self.flops.forward * evaluation.images as f64;
        self.phases.evaluated(start.elapsed(), flops);
        match evaluation.loss.is_finite() {
            true => Ok(evaluation),
            false => Err(Error::Diverged {
                step: self.progress.step,
                loss: evaluation.loss,
            }),
        }
    }

    fn batches(&self, order: Order, first_batch: u64) -> LoaderOptions {
        LoaderOptions {
            order,
            augmentation: match order {
                Order::Shuffled { .. } => self.augmentation,
                Order::Sequential => Augmentation::None,
            },
            batch: self.network.micro_batch(),
            lanes: self.network.lanes(),
            share: Share::default(),
            first_batch,
            workers: self.config.machine.workers,
        }
    }

    /// Whether this method's rounds come between two steps, and belong to the one after them: a run that is resumed at
    /// such a moment does that round again.
    pub fn rounds_precede_steps(&self) -> bool {
        matches!(
            self.setup.method.start(),
            Start::Dense(_) | Start::Backed(_)
        )
    }
}
