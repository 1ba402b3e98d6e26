//! The trainer: feeds batches to the network, calls the topology rounds, evaluates, and tells what happens.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::config::TrainConfig;
use super::describe;
use super::evaluate::{Evaluation, evaluate};
use super::event::{self, Event};
use super::hooks::Hooks;
use super::meter::{Clock, Sums};
use crate::checkpoint::{Progress, Snapshot};
use crate::data::{Augmentation, Batch, Dataset, Loader, LoaderOptions, Order};
use crate::engine::{Class, Device, StepState};
use crate::error::{Error, Result};
use crate::model::Model;
use crate::network::{Network, NetworkOptions, NetworkState, RING};
use crate::optim::{LearningRate, SgdOptions};
use crate::topology::{Method, Schedule};

/// Time between two looks at the losses on the device.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// A training run: a network, its data, its schedules, and how far it is.
pub struct Trainer {
    device: Device,
    config: TrainConfig,
    data: Dataset,
    model: Model,
    network: Network,
    augmentation: Augmentation,
    /// What the run's beginning has to tell.
    notes: Vec<String>,
    schedule: Schedule,
    rate: LearningRate,
    progress: Progress,
    /// Kernels to compare with their twins in the next step, and in the next round.
    check_step: Option<String>,
    check_round: Option<String>,
    /// Training steps whose losses were not looked at yet.
    unread: std::ops::Range<u64>,
}

impl Trainer {
    /// Draws a network as `config` says and puts it on `device`.
    ///
    /// # Errors
    /// A configuration that cannot be used, or a device that is too small.
    pub fn new(device: Device, config: TrainConfig, data: Dataset) -> Result<Self> {
        let method = crate::topology::method(&config.method.to_string())?;
        Self::with_method(device, config, data, method.as_ref())
    }

    /// As [`Trainer::new`] with a method of one's own; the configuration's is not looked at.
    ///
    /// # Errors
    /// As [`Trainer::new`].
    pub fn with_method(
        device: Device,
        config: TrainConfig,
        data: Dataset,
        method: &dyn Method,
    ) -> Result<Self> {
        let model = config.build_model(data.shape, data.classes)?;
        Self::with_model(device, config, data, model, method)
    }

    /// As [`Trainer::with_method`] with a model of one's own, too; the configuration's is not looked at.
    ///
    /// # Errors
    /// As [`Trainer::new`], or a model that does not take the data's images.
    pub fn with_model(
        device: Device,
        config: TrainConfig,
        data: Dataset,
        model: Model,
        method: &dyn Method,
    ) -> Result<Self> {
        let mut config = config.resolve()?;
        let augmentation = config.augmentation()?;
        if model.input().size() != data.shape.features() || model.classes() < data.classes {
            return Err(Error::Usage(format!(
                "the model {} takes images of {} and tells {} classes apart; the data set {} has {} × {} × {} and {}",
                model.name,
                model.input(),
                model.classes(),
                data.name,
                data.shape.channels,
                data.shape.height,
                data.shape.width,
                data.classes
            )));
        }
        let counts = config.allocate(&model)?;
        let state = NetworkState::draw(&model, &counts, config.seed);
        let options = NetworkOptions {
            micro_batch: config.micro_batch,
            label_smoothing: config.label_smoothing as f32,
            sgd: SgdOptions {
                momentum: config.momentum as f32,
                weight_decay: config.weight_decay as f32,
                nesterov: config.nesterov,
            },
            scope: config.scope,
            gamma: config.gamma,
            recompute: config.checkpoint_activations,
            ..NetworkOptions::of_batch(config.batch)
        };
        let network = Network::new(&device, &model, &state, &options, method)?;
        let mut notes = data.notes.clone();
        if config.micro_batch.is_none() && network.micro_batch() < config.batch {
            let micro = network.micro_batch();
            notes.push(format!(
                "a batch of {} does not fit this device at once: it is trained in parts of {micro} whose gradients add up \
                 (--micro-batch {micro}); batch norms see a part at a time",
                config.batch
            ));
            // Part of what repeats the run.
            config.micro_batch = Some(micro);
        }
        let epoch = data.train.batches(config.batch) as f64;
        let schedule = Schedule {
            alpha: config.alpha,
            every: config.round_every,
            until: (config.round_until() * epoch).round() as u64,
        };
        let rate = LearningRate {
            base: config.lr,
            warmup: config.warmup_epochs * epoch,
            milestones: config.milestones.iter().map(|m| m * epoch).collect(),
            decay: config.lr_decay,
        };
        Ok(Trainer {
            device,
            config,
            data,
            model,
            network,
            augmentation,
            notes,
            schedule,
            rate,
            progress: Progress::default(),
            check_step: None,
            check_round: None,
            unread: 0..0,
        })
    }

    /// Goes on from a snapshot of a run with the same configuration.
    ///
    /// # Errors
    /// A snapshot of another model.
    pub fn restore(&mut self, snapshot: Snapshot) -> Result<()> {
        self.network.import(&self.device, &snapshot.state)?;
        self.unread = snapshot.progress.step..snapshot.progress.step;
        self.progress = snapshot.progress;
        Ok(())
    }

    /// Debugging: in the first step and the first round, runs kernels whose name contains `filter` on their CPU twins
    /// too; a difference stops the run. The empty filter is all of them.
    pub fn check(&mut self, filter: &str) {
        self.check_step = Some(filter.to_owned());
        self.check_round = Some(filter.to_owned());
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The device.
    pub fn device(&self) -> &Device {
        &self.device
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
        self.data.train.batches(self.config.batch)
    }

    fn steps_total(&self) -> u64 {
        let whole = u64::from(self.config.epochs) * self.steps_per_epoch();
        self.config.steps.map_or(whole, |steps| steps.min(whole))
    }

    /// Reads the network and its optimiser state back.
    ///
    /// # Errors
    /// A lost device, or weights that are no longer numbers: such a state is never worth keeping.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let state = self.network.export(&self.device)?;
        match state.not_finite() {
            Some(loss) => Err(Error::Diverged {
                step: self.progress.step,
                loss,
            }),
            None => Ok(Snapshot {
                state,
                progress: self.progress.clone(),
            }),
        }
    }

    /// Loss and accuracy on the test images.
    ///
    /// # Errors
    /// A lost device.
    pub fn evaluate(&self) -> Result<Evaluation> {
        let options = self.batches(Order::Sequential, 0);
        evaluate(&self.device, &self.network, &self.data, options)
    }

    fn batches(&self, order: Order, first_batch: u64) -> LoaderOptions {
        LoaderOptions {
            order,
            augmentation: match order {
                Order::Shuffled { .. } => self.augmentation,
                Order::Sequential => Augmentation::None,
            },
            batch: self.network.micro_batch(),
            stride: self.network.stride(),
            first_batch,
            workers: self.config.workers,
        }
    }

    /// Trains to the end of the configuration's epochs or steps, or until asked to stop.
    ///
    /// # Errors
    /// A loss that is no longer a number, a lost device, or what a hook returns; what was saved stays.
    pub fn run(&mut self, hooks: &mut Hooks<'_>) -> Result<event::Finished> {
        self.announce(hooks)?;
        let mut clock = Clock::new(self.progress.step);
        let before = self.progress.seconds;
        let started = Instant::now();
        let mut last = None;
        let mut saved_at = None;
        while self.progress.step < self.steps_total() && !hooks.stop.load(Ordering::Relaxed) {
            let whole = self.train_epoch(hooks, &mut clock)?;
            self.progress.seconds = before + started.elapsed().as_secs_f64();
            if !whole {
                break;
            }
            let (done, evaluation) = self.finish_epoch(&mut clock)?;
            self.progress.seconds = before + started.elapsed().as_secs_f64();
            hooks.observer.event(&Event::Epoch(done))?;
            last = Some((self.progress.step, evaluation));
            if self.progress.epoch.is_multiple_of(hooks.save_every) {
                self.save(hooks)?;
                saved_at = Some(self.progress.step);
            }
        }
        if saved_at != Some(self.progress.step) {
            self.save(hooks)?;
        }
        let evaluation = match last {
            Some((step, evaluation)) if step == self.progress.step => evaluation,
            _ => self.evaluate()?,
        };
        let ledger = self.device.ledger();
        let finished = event::Finished {
            step: self.progress.step,
            epochs: self.progress.epoch,
            test_loss: evaluation.loss,
            test_accuracy: evaluation.accuracy,
            seconds: before + started.elapsed().as_secs_f64(),
            peak: Class::ALL
                .iter()
                .map(|&c| (c.name().to_owned(), ledger.peak(c)))
                .collect(),
            peak_total: ledger.peak_total(),
            bytes_per_connection: ledger.peak(Class::Connections) as f64
                / self.network.arena.connections as f64,
            interrupted: self.progress.step < self.steps_total(),
        };
        hooks.observer.event(&Event::Finished(finished.clone()))?;
        Ok(finished)
    }

    fn announce(&self, hooks: &mut Hooks<'_>) -> Result<()> {
        let active = self.network.round.active();
        let (started, note) = describe::started(
            &self.model,
            active,
            event::Started {
                adapter: self.device.description().to_owned(),
                steps_total: self.steps_total(),
                epochs: self.config.epochs,
                steps_per_epoch: self.steps_per_epoch(),
                train_images: self.data.train.len(),
                test_images: self.data.test.len(),
                run: hooks.run.map(std::path::Path::to_owned),
                resumed_at: (self.progress.step > 0).then_some(self.progress.step),
                ..event::Started::default()
            },
        );
        for note in self.notes.iter().cloned().chain(note) {
            hooks.observer.event(&Event::Note(note))?;
        }
        hooks.observer.event(&Event::Started(started))
    }

    /// Trains what is left of the current epoch; false if it was not finished.
    fn train_epoch(&mut self, hooks: &mut Hooks<'_>, clock: &mut Clock) -> Result<bool> {
        let order = Order::Shuffled {
            seed: self.config.seed,
            epoch: self.progress.epoch,
        };
        let parts_of_a_batch = self.config.batch.div_ceil(self.network.micro_batch()) as u64;
        let loader = Loader::start(
            self.data.train.clone(),
            self.data.shape,
            &self.data.normalisation,
            self.batches(order, self.progress.batch * parts_of_a_batch),
        )?;
        let mut parts = Vec::new();
        for part in loader {
            parts.push(part?);
            let count: usize = parts.iter().map(|p| p.count).sum();
            if count < self.batch_images() {
                continue;
            }
            self.step(&parts, count, hooks)?;
            parts.clear();
            clock.images += count as u64;
            let ring_full = self.unread.end - self.unread.start == RING as u64;
            if ring_full || clock.looked.elapsed() >= LOOK_EVERY {
                self.look(hooks, clock)?;
            }
            let stop = hooks.stop.load(Ordering::Relaxed);
            if (stop || self.progress.step >= self.steps_total())
                && self.progress.batch < self.steps_per_epoch()
            {
                self.look(hooks, clock)?;
                return Ok(false);
            }
        }
        self.look(hooks, clock)?;
        Ok(true)
    }

    /// Images of the batch that comes next: the epoch's last one may be smaller.
    fn batch_images(&self) -> usize {
        let before = self.progress.batch as usize * self.config.batch;
        self.config.batch.min(self.data.train.len() - before)
    }

    /// One optimiser step on a batch in parts, with a topology round if one is due after it.
    fn step(&mut self, parts: &[Batch], count: usize, hooks: &mut Hooks<'_>) -> Result<()> {
        let step = self.progress.step;
        let rate = self.rate.at(step);
        let state = StepState::whole(self.config.seed, step as u32, count, rate);
        let due = self.network.round.is_dynamic() && self.schedule.due(step + 1);
        let check = self.check_step.take();
        // A network for several parts has no program for a whole step, not even for a batch that is a single one.
        let at_once = self.network.micro_batch() == self.config.batch;
        let mut report = None;
        if due {
            let alpha = self.schedule.alpha_at(step + 1);
            let filter = self.check_round.take();
            let (round, checks) = self.network.train_with_round(
                &self.device,
                parts,
                state,
                alpha,
                filter.as_deref(),
            )?;
            hooks.judge(&checks)?;
            report = Some(round);
            self.check_step = check;
        } else if let (Some(filter), [whole], true) = (&check, parts, at_once) {
            self.network.load(&self.device, whole)?;
            let checks = self.network.train_checked(&self.device, state, filter)?;
            hooks.judge(&checks)?;
        } else {
            self.network.train_parts(&self.device, parts, state)?;
        }
        self.progress.step += 1;
        self.progress.batch += 1;
        self.progress.seen += count as u64;
        self.unread.end = self.progress.step;
        if let Some(report) = report {
            self.progress.rounds += 1;
            let round = describe::round(&self.model, &report, self.progress.step);
            hooks.observer.event(&Event::Round(round))?;
        }
        Ok(())
    }

    /// Reads the losses since the last look, and stops at one that is not a number.
    fn look(&mut self, hooks: &mut Hooks<'_>, clock: &mut Clock) -> Result<()> {
        let steps = self.unread.clone();
        let results = self.network.train_results(&self.device, steps.clone())?;
        for (step, result) in steps.clone().zip(&results) {
            if !result.loss.is_finite() {
                return Err(Error::Diverged {
                    step: step + 1,
                    loss: result.loss,
                });
            }
            self.progress.loss_sum += f64::from(result.loss);
            self.progress.correct += result.hits;
        }
        self.unread.start = self.unread.end;
        if steps.is_empty() {
            return Ok(());
        }
        let mut sums = Sums {
            seen: clock.images - clock.images_looked,
            ..Sums::default()
        };
        sums.add(&results);
        let elapsed = clock.started.elapsed().as_secs_f64();
        let rate = (self.progress.step - clock.first_step) as f64 / elapsed.max(1e-9);
        hooks.observer.event(&Event::Progress(event::Progress {
            step: self.progress.step,
            steps_total: self.steps_total(),
            epoch: f64::from(self.progress.epoch)
                + self.progress.batch as f64 / self.steps_per_epoch() as f64,
            loss: sums.mean_loss(),
            accuracy: sums.accuracy(),
            images_per_second: clock.images as f64 / elapsed.max(1e-9),
            seconds_left: (self.steps_total() - self.progress.step) as f64 / rate,
        }))?;
        clock.looked = Instant::now();
        clock.images_looked = clock.images;
        Ok(())
    }

    fn finish_epoch(&mut self, clock: &mut Clock) -> Result<(event::Epoch, Evaluation)> {
        let trained = clock.epoch_started.elapsed().as_secs_f64();
        let sums = Sums {
            loss: self.progress.loss_sum,
            hits: self.progress.correct,
            seen: self.progress.seen,
        };
        let evaluation = self.evaluate()?;
        if !evaluation.loss.is_finite() {
            return Err(Error::Diverged {
                step: self.progress.step,
                loss: evaluation.loss,
            });
        }
        self.progress.epoch += 1;
        self.progress.batch = 0;
        self.progress.loss_sum = 0.0;
        self.progress.correct = 0;
        self.progress.seen = 0;
        let epoch = event::Epoch {
            epoch: self.progress.epoch,
            step: self.progress.step,
            lr: self.rate.at(self.progress.step.saturating_sub(1)),
            train_loss: sums.mean_loss(),
            train_accuracy: sums.accuracy(),
            test_loss: evaluation.loss,
            test_accuracy: evaluation.accuracy,
            seconds: clock.epoch_started.elapsed().as_secs_f64(),
            images_per_second: (clock.images - clock.images_before_epoch) as f64
                / trained.max(1e-9),
        };
        clock.epoch_started = Instant::now();
        clock.images_before_epoch = clock.images;
        Ok((epoch, evaluation))
    }

    fn save(&self, hooks: &mut Hooks<'_>) -> Result<()> {
        if let Some(save) = &mut hooks.save {
            let path = save(&self.snapshot()?)?;
            hooks.observer.event(&Event::Saved(path))?;
        }
        Ok(())
    }
}
