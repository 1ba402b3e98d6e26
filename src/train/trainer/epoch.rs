//! An epoch: its batches, its steps and rounds, and reading the losses.

use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::Trainer;
use super::compared::Checking;
use super::weights::weigh;
use crate::checkpoint::Tested;
use crate::clock::Instant;
use crate::data::{DataPart, Interruptible, Loader, LoaderOptions, Order};
use crate::engine::StepState;
use crate::error::{Error, Refusal, Result};
use crate::network::{Network, Part, RING};
use crate::optim::Moment;
use crate::train::describe::{self, StepFlops};
use crate::train::evaluate::Evaluation;
use crate::train::event::{self, Event};
use crate::train::hooks::Hooks;
use crate::train::meter::{Clock, Sums};
use crate::train::score;

/// Time between two readings of the losses on the device.
const LOOK_EVERY: Duration = Duration::from_millis(250);

impl Trainer {
    /// Trains what is left of the current epoch; false if it was not finished.
    pub(super) fn train_epoch(&mut self, hooks: &mut Hooks<'_>, clock: &mut Clock) -> Result<bool> {
        let order = self.order(self.progress.epoch);
        let parts_of_a_batch = self.config.run.batch.div_ceil(self.network.micro_batch()) as u64;
        let first = self.progress.batch * parts_of_a_batch;
        // Taken out for the time being, because its batches borrow it.
        let resident = self.resident.take();
        let result = match &resident {
            Some(resident) => {
                let micro = self.network.micro_batch();
                let (images, draws) = (order.samples(&self.data.train), order.draws());
                let chunks: Vec<&[u32]> = images.chunks(micro).skip(first as usize).collect();
                let share = self.share();
                let own = (0..share.of_all(chunks.len() as u64)).map(|n| share.batch(n) as usize);
                let parts = own
                    .map(|n| chunks[n])
                    .map(|c| Ok(Part::Resident(resident.batch(c.to_vec(), draws))));
                self.train_on(parts, hooks, clock)
            }
            None => {
                let loader = Loader::start(
                    self.data.train.clone(),
                    self.data.shape,
                    &self.data.normalisation,
                    LoaderOptions {
                        share: self.share(),
                        ..self.batches(order, first)
                    },
                )?;
                let batches = Interruptible::new(loader, self.heeded(hooks.stop));
                self.train_on(batches.map(|b| b.map(Part::Loaded)), hooks, clock)
            }
        };
        self.resident = resident;
        result
    }

    /// Trains on the epoch's parts as they come; false if the epoch was not finished.
    fn train_on<'p>(
        &mut self,
        mut stream: impl Iterator<Item = Result<Part<'p>>>,
        hooks: &mut Hooks<'_>,
        clock: &mut Clock,
    ) -> Result<bool> {
        let mut parts = Vec::new();
        while self.progress.batch < self.steps_per_epoch() {
            let count = self.batch_images();
            let parts_of_batch = count.div_ceil(self.network.micro_batch());
            if parts.len() < self.share().of_group(parts_of_batch) {
                let waited = Instant::now();
                let Some(part) = stream.next() else {
                    break;
                };
                self.phases.waited(waited.elapsed());
                match part {
                    Err(error) => {
                        self.ends_in_order(error)?;
                        break;
                    }
                    Ok(part) => {
                        let weights = self.class_weights.as_deref();
                        parts.push(weigh(part, weights, &self.data.train));
                    }
                }
                continue;
            }
            self.pass_on_a_stop(hooks);
            if let Err(error) = self.step(&parts, count, hooks) {
                self.ends_in_order(error)?;
                break;
            }
            parts.clear();
            clock.images += count as u64;
            self.check_loss_on_ranks()?;
            let ring_full = self.unread.end - self.unread.start == RING as u64;
            if ring_full || clock.looked.elapsed() >= LOOK_EVERY {
                self.read_losses(hooks, clock)?;
            }
            if (self.stopping(hooks) || self.progress.step >= self.steps_total())
                && self.progress.batch < self.steps_per_epoch()
            {
                self.read_losses(hooks, clock)?;
                return Ok(false);
            }
            // The last state of an epoch is saved after its end was reported.
            if self.progress.batch < self.steps_per_epoch() && clock.saving.due(self.progress.step)
            {
                self.read_losses(hooks, clock)?;
                self.save(hooks, clock)?;
            }
        }
        self.read_losses(hooks, clock)?;
        Ok(self.progress.batch >= self.steps_per_epoch())
    }

    /// Number of images in the next batch: the epoch's last one may be smaller.
    fn batch_images(&self) -> usize {
        let before = self.progress.batch as usize * self.config.run.batch;
        self.config.run.batch.min(self.data.train.len() - before)
    }

    /// One optimiser step on a batch in parts, with a topology round if one is due after it.
    fn step(&mut self, parts: &[Part<'_>], count: usize, hooks: &mut Hooks<'_>) -> Result<()> {
        self.prune_if_due(hooks)?;
        self.choose_again_if_due(hooks)?;
        let (step, place) = (self.progress.step, self.place());
        let rate = self.learning_rate(place)?;
        let state = StepState::whole(self.config.run.seed, step as u32, count, rate);
        let due = self.network.round.is_dynamic() && self.schedule.due(place + 1);
        let mut report = None;
        if due {
            let alpha = self.schedule.alpha_at(place + 1);
            let pairs = describe::round_flops(&self.setup.model, &self.network.round);
            let filter = self.checking.as_mut().and_then(Checking::round);
            let further = self.further_parts(self.heeded(hooks.stop))?;
            let (weights, train) = (self.class_weights.as_deref(), &self.data.train);
            let weighed = |part: Result<Part<'static>>| Ok(weigh(part?, weights, train));
            let mut further = further.map(|parts| parts.map(weighed));
            let may_fail = further.is_some() || self.device.ranks().is_some();
            let norms = match may_fail {
                true => self.network.parameters.export(&self.device)?,
                false => Vec::new(),
            };
            let trained = self.network.train_with_round(
                &self.device,
                parts,
                state,
                alpha,
                further.as_mut().map(|parts| parts as _),
                filter.as_deref(),
            );
            let failed = matches!(
                trained,
                Err(Error::Stopped | Error::Data { .. } | Error::Io { .. } | Error::Rank(_))
            );
            if failed && may_fail {
                // A further batch did not come, or a rank is gone. Before the update, only the norms' running means have changed.
                self.network.parameters.import(&self.device, &norms)?;
            }
            let (round, checks) = trained?;
            self.compared(&checks, hooks)?;
            // A further batch takes a forward pass, and gradients back to the inputs: half of a backward pass.
            let StepFlops { forward, backward } = self.flops;
            let passes = forward + backward / 2.0;
            let further = round.further_images as f64;
            let flops = pairs * count as f64 + (pairs + passes) * further;
            self.phases.round(&round, flops);
            self.progress.train_flops += flops;
            report = Some(round);
        } else if let Some(filter) = self.checking.as_mut().and_then(Checking::step) {
            let checks = (self.network).train_parts_checked(&self.device, parts, state, &filter)?;
            self.compared(&checks, hooks)?;
        } else if self.phases.due() {
            let times = (self.network).train_parts_timed(&self.device, parts, state)?;
            self.phases.timed(&times);
        } else {
            self.network.train_parts(&self.device, parts, state)?;
        }
        let images = count as f64;
        let StepFlops { forward, backward } = self.flops;
        let optimiser = self.options.optimiser.flops(self.network.trained());
        let step = [forward * images, backward * images, optimiser];
        self.phases.step(step);
        self.progress.train_flops += (forward + backward) * images + optimiser;
        self.progress.step += 1;
        self.progress.batch += 1;
        self.progress.seen += count as u64;
        self.unread.end = self.progress.step;
        if let Some(report) = report {
            self.progress.rounds += 1;
            self.count_flops();
            let mut round = describe::round(&self.setup.model, &report, self.progress.step);
            if let Some(exploration) = &mut self.exploration {
                let Network {
                    arena, round: r, ..
                } = &self.network;
                let layers = exploration.observe(&self.device, arena, r.sample())?;
                describe::explored(&mut round, layers);
            }
            self.tell(hooks, Event::Round(round));
            self.settle("the network after the round of step", self.progress.step)?;
        }
        Ok(())
    }

    /// The learning rate of the step at `place` in the run's epochs. A method of several stages begins each with that
    /// of a new run.
    ///
    /// # Errors
    /// The rate is NaN, or below 0.
    fn learning_rate(&self, place: u64) -> Result<f32> {
        let moment = Moment {
            step: place % self.stage_steps().max(1),
            steps_per_epoch: self.steps_per_epoch(),
            steps: self.stage_steps(),
        };
        let rate = self.setup.learning_rate.at(moment);
        match rate.is_finite() && rate >= 0.0 {
            true => Ok(rate),
            false => Err(Error::refused(Refusal::LearningRate {
                rate,
                step: moment.step + 1,
                steps: moment.steps,
            })),
        }
    }

    /// The parts of the further batches that score a round's candidates, if any: training images in an order of the
    /// round's own, so that the epoch is not affected.
    fn further_parts<'s>(
        &self,
        stop: &'s AtomicBool,
    ) -> Result<Option<impl Iterator<Item = Result<Part<'static>>> + use<'s>>> {
        let batches = self.further_batches() as usize;
        if batches == 0 {
            return Ok(None);
        }
        let order = self.further_order(self.progress.rounds);
        let loader = Loader::start(
            self.data.train.clone(),
            self.data.shape,
            &self.data.normalisation,
            self.batches(order, 0),
        )?;
        let parts = batches * self.config.run.batch.div_ceil(self.network.micro_batch());
        let batches = Interruptible::new(loader, stop).take(parts);
        Ok(Some(batches.map(|batch| batch.map(Part::Loaded))))
    }

    /// Number of batches that score the candidates of each round besides the step's own.
    pub(super) fn further_batches(&self) -> u64 {
        match self.network.round.further_pass() {
            Some(_) => self.config.topology.round_batches.saturating_sub(1) as u64,
            None => 0,
        }
    }

    /// The order of the images in the further batches of a round, counted from 0.
    pub(super) fn further_order(&self, round: u64) -> Order {
        // No epoch reaches this number.
        self.order(u32::MAX - round as u32)
    }

    /// Reads the losses since the last reading, and stops at one that is NaN or infinite.
    fn read_losses(&mut self, hooks: &mut Hooks<'_>, clock: &mut Clock) -> Result<()> {
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
            self.progress.score_sum += f64::from(result.score);
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
        let metric = self.network.metric();
        let progress = event::Progress {
            step: self.progress.step,
            steps_total: self.steps_total(),
            epoch: f64::from(self.progress.epoch)
                + self.progress.batch as f64 / self.steps_per_epoch() as f64,
            loss: sums.mean_loss(),
            accuracy: score::accuracy(metric, sums.score()),
            metric: score::other(metric, sums.score()),
            images_per_second: clock.images as f64 / elapsed.max(1e-9),
            seconds_left: (self.steps_total() - self.progress.step) as f64 / rate,
        };
        self.tell(hooks, Event::Progress(progress));
        clock.looked = Instant::now();
        clock.images_looked = clock.images;
        Ok(())
    }

    /// Tests after an epoch, and begins the next one.
    ///
    /// # Errors
    /// [`Error::Stopped`] if `stop` is set while test images are waited for: the epoch is then trained, and waits for
    /// its test.
    pub(super) fn finish_epoch(
        &mut self,
        stop: &AtomicBool,
        clock: &mut Clock,
    ) -> Result<(event::Epoch, Evaluation)> {
        let trained = clock.epoch_started.elapsed().as_secs_f64();
        let sums = Sums {
            loss: self.progress.loss_sum,
            score: self.progress.score_sum,
            seen: self.progress.seen,
        };
        self.share_read(&self.data.train)?;
        if self.unlike {
            self.take_over()?;
        }
        let evaluation = self.timed_evaluation(stop)?;
        self.progress.epoch += 1;
        self.progress.batch = 0;
        self.progress.loss_sum = 0.0;
        self.progress.score_sum = 0.0;
        self.progress.seen = 0;
        self.progress.tested = (evaluation.images > 0).then(|| Tested {
            step: self.progress.step,
            loss: evaluation.loss,
            accuracy: Some(evaluation.accuracy).filter(|accuracy| !accuracy.is_nan()),
        });
        let metric = self.network.metric();
        let nothing = Evaluation::nothing();
        let (validation, tested) = match self.data.monitored_part() {
            DataPart::Validation => (Some(evaluation.results()), &nothing),
            DataPart::Test => (None, &evaluation),
        };
        let epoch = event::Epoch {
            epoch: self.progress.epoch,
            step: self.progress.step,
            lr: self.learning_rate(self.place().saturating_sub(1))?,
            train_loss: sums.mean_loss(),
            train_accuracy: score::accuracy(metric, sums.score()),
            train_metric: score::other(metric, sums.score()),
            validation,
            test_loss: tested.loss,
            test_accuracy: tested.accuracy,
            test_metric: tested.metric.clone(),
            test_scores: tested.scores.clone(),
            seconds: clock.epoch_started.elapsed().as_secs_f64(),
            images_per_second: (clock.images - clock.images_before_epoch) as f64
                / trained.max(1e-9),
        };
        clock.epoch_started = Instant::now();
        clock.images_before_epoch = clock.images;
        Ok((epoch, evaluation))
    }
}
