//! The trainer: feeds batches to the network, calls the topology rounds, evaluates, and reports what happens.

mod begin;
mod best;
mod build;
mod checking;
mod choose_again;
mod compared;
mod dense;
mod dense_weights;
mod epoch;
mod on_ranks;
mod resident;
mod run;
mod state;
mod trained_images;
mod trained_on;
mod unlike;
mod weights;

use std::sync::atomic::AtomicBool;

use super::config::TrainConfig;
use super::describe::StepFlops;
use super::evaluate::{Evaluation, evaluate, evaluate_until};
use super::exploration::Exploration;
use super::initial::Initial;
use super::phases::Phases;
use super::setup::Setup;
use crate::checkpoint::{Change, Progress};
use crate::clock::Instant;
use crate::data::{
    Augmentation, DataPart, DataRecord, Dataset, LoaderOptions, Mixing, Operations, Order, TestPart,
};
use crate::engine::Device;
use crate::error::{Error, Result};
use crate::network::{Network, NetworkOptions, Resident};
use crate::topology::Schedule;
use crate::topology::from_dense::Start;
use compared::Checking;
use dense_weights::DenseWeights;
use trained_images::TrainedImages;

/// A training run: a network, its data, its schedules, and its progress.
pub struct Trainer {
    device: Device,
    config: TrainConfig,
    data: Dataset,
    /// What the data are.
    record: DataRecord,
    /// What has changed since the run began.
    changes: Vec<Change>,
    trained: TrainedImages,
    setup: Setup,
    network: Network,
    /// The options that the network was made with, for making it again.
    options: NetworkOptions,
    /// Connections of each layer that the configuration asks for.
    requested: Vec<u64>,
    dense_weights: Option<DenseWeights>,
    /// Weights that it begins with instead of drawn ones.
    initial: Option<Initial>,
    augmentation: Augmentation,
    operations: Operations,
    mixing: Mixing,
    /// The weights of the classes' samples, if they are not all equal.
    class_weights: Option<Vec<f32>>,
    /// The training images, if the device makes the batches.
    resident: Option<Resident>,
    /// Notes to report when the run begins.
    notes: Vec<String>,
    /// What one must know about its data and configuration not to misread the result.
    qualifying: Vec<String>,
    /// The same for a run that still has steps to train.
    past_the_end: Vec<String>,
    schedule: Schedule,
    progress: Progress,
    /// Kernels to compare with their twins, if any.
    checking: Option<Checking>,
    /// Training steps whose losses have not been read yet.
    unread: std::ops::Range<u64>,
    /// What the rounds have explored, if that is tracked.
    exploration: Option<Exploration>,
    phases: Phases,
    /// FLOPs of an image's forward pass.
    flops: StepFlops,
    /// The first error of the observer, or of an image that cannot be read. The run then stops as if asked to, so that
    /// what was computed is saved first.
    unheard: Option<Error>,
    /// Whether it trains with ranks on adapters of another kind.
    unlike: bool,
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

    /// Where in its epochs the run is, in steps, which drives the schedules. It is the number of steps done, unless the
    /// number of images has changed since the run began.
    fn place(&self) -> u64 {
        u64::from(self.progress.epoch) * self.steps_per_epoch() + self.progress.batch
    }

    /// Number of steps at the end of all epochs: those done plus those that are left.
    fn steps_total(&self) -> u64 {
        let whole = u64::from(self.setup.method.start().stages()) * self.stage_steps();
        let whole = (self.progress.step + whole).saturating_sub(self.place());
        self.config
            .run
            .steps
            .map_or(whole, |steps| steps.min(whole))
    }

    /// Whether no step is left to train, and no epoch is waiting for its test; or the validation part has been no
    /// better for as many epochs as the run was to wait.
    pub fn is_done(&self) -> bool {
        let is_over = self.progress.step >= self.steps_total();
        (is_over && self.progress.batch < self.steps_per_epoch()) || self.has_lost_patience()
    }

    /// Loss and accuracy on the test images, or on those of the validation part if there are none.
    ///
    /// # Errors
    /// The device is lost.
    pub fn evaluate(&self) -> Result<Evaluation> {
        self.evaluate_by(self.data.final_part())
    }

    /// As [`Trainer::evaluate`], on a part.
    ///
    /// # Errors
    /// As [`Trainer::evaluate`].
    pub fn evaluate_by(&self, part: DataPart) -> Result<Evaluation> {
        let options = self.batches(Order::Sequential, 0);
        let data = self.data.evaluated_on(part);
        self.by_averages(|| evaluate(&self.device, &self.network, &data, options))
    }

    /// Does something with the moving averages in place of the weights, if there are any.
    pub(super) fn by_averages<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.network.exchange_averages(&self.device)?;
        let done = work();
        self.network.exchange_averages(&self.device)?;
        done
    }

    /// As [`Trainer::evaluate`], as a phase of the run, on the part that is evaluated after each epoch.
    ///
    /// # Errors
    /// As [`Trainer::evaluate`]; [`Error::Stopped`]; and [`Error::Diverged`] if the loss is NaN: the weights may still
    /// be numbers when their results are not.
    fn timed_evaluation(&mut self, stop: &AtomicBool) -> Result<Evaluation> {
        self.timed_evaluation_by(self.data.monitored_part(), stop)
    }

    fn timed_evaluation_by(&mut self, part: DataPart, stop: &AtomicBool) -> Result<Evaluation> {
        let start = Instant::now();
        let data = self.data.evaluated_on(part);
        if data.test_part == TestPart::Unwanted && data.test.is_empty() {
            return Ok(Evaluation::nothing());
        }
        let options = LoaderOptions {
            share: self.share_of_evaluation(),
            ..self.batches(Order::Sequential, 0)
        };
        let evaluation =
            self.by_averages(|| evaluate_until(&self.device, &self.network, &data, options, stop))?;
        self.share_read(&data.test)?;
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

    /// The order of the training samples in an epoch.
    fn order(&self, epoch: u32) -> Order {
        let seed = self.config.run.seed;
        match self.config.task.balance {
            true => Order::Balanced { seed, epoch },
            false => Order::Shuffled { seed, epoch },
        }
    }

    fn batches(&self, order: Order, first_batch: u64) -> LoaderOptions {
        let options = LoaderOptions {
            order,
            lanes: self.network.lanes(),
            first_batch,
            workers: self.config.machine.workers,
            ..LoaderOptions::of_batch(self.network.micro_batch())
        };
        match order {
            Order::Sequential => options,
            Order::Shuffled { .. } | Order::Balanced { .. } => LoaderOptions {
                augmentation: self.augmentation,
                operations: self.operations,
                mixing: self.mixing,
                ..options
            },
        }
    }

    /// Whether this method's rounds come between two steps and belong to the second of them: a run that is resumed at
    /// such a moment does that round again.
    pub fn rounds_precede_steps(&self) -> bool {
        matches!(
            self.setup.method.start(),
            Start::Dense(_) | Start::Backed(_)
        )
    }
}
