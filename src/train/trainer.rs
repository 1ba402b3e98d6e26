//! The trainer: feeds batches to the network, calls the topology rounds, evaluates, and tells what happens.

mod build;
mod dense;
mod dense_weights;
mod epoch;
mod learned;
mod state;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::config::TrainConfig;
use super::describe::{self, StepFlops};
use super::evaluate::{Evaluation, evaluate, evaluate_until};
use super::event::{self, Event};
use super::exploration::Exploration;
use super::hooks::Hooks;
use super::meter::Clock;
use super::phases::Phases;
use super::remarks;
use super::setup::Setup;
use crate::checkpoint::{Change, Progress};
use crate::clock::Instant;
use crate::data::{Augmentation, DataRecord, Dataset, LoaderOptions, Order, Share};
use crate::engine::{Class, Device};
use crate::error::{Error, Result};
use crate::network::{Network, NetworkOptions, Resident, phase};
use crate::topology::Schedule;
use crate::topology::from_dense::Start;
use dense_weights::DenseWeights;
use learned::Learned;

/// Time between two looks at the losses on the device.
const LOOK_EVERY: Duration = Duration::from_millis(250);

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
    schedule: Schedule,
    progress: Progress,
    /// Kernels to compare with their twins in the next step, and in the next round.
    check_step: Option<String>,
    check_round: Option<String>,
    /// Training steps whose losses were not looked at yet.
    unread: std::ops::Range<u64>,
    /// What the rounds have explored, where that is followed.
    exploration: Option<Exploration>,
    phases: Phases,
    /// FLOPs of an image's forward pass.
    flops: StepFlops,
    /// The first error of the observer, or of an image that cannot be read: the run then stops as if asked to, so that what was computed
    /// is saved first.
    unheard: Option<Error>,
}

impl Trainer {
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

    /// Where in its epochs the run is, in steps: what the schedules go by. It is the number of steps that were done, unless the
    /// number of images has changed since the run began.
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
    /// As [`Trainer::evaluate`], and [`Error::Stopped`].
    fn timed_evaluation(&mut self, stop: &AtomicBool) -> Result<Evaluation> {
        let start = Instant::now();
        let options = self.batches(Order::Sequential, 0);
        let evaluation = evaluate_until(&self.device, &self.network, &self.data, options, stop)?;
        let flops = self.flops.forward * evaluation.images as f64;
        self.phases.evaluated(start.elapsed(), flops);
        Ok(evaluation)
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

    /// Whether this method's rounds come between two steps, and belong to the one after them: a run that is resumed at such a
    /// moment does that round again.
    pub fn rounds_precede_steps(&self) -> bool {
        matches!(
            self.setup.method.start(),
            Start::Dense(_) | Start::Backed(_)
        )
    }

    /// Lets the observer hear of something.
    fn tell(&mut self, hooks: &mut Hooks<'_>, event: Event) {
        if let Err(error) = hooks.observer.event(&event) {
            self.unheard.get_or_insert(error);
        }
    }

    /// Whether to stop after the current step.
    fn stopping(&self, hooks: &Hooks<'_>) -> bool {
        self.unheard.is_some() || hooks.stop.load(Ordering::Relaxed)
    }

    /// Keeps what an image that cannot be read has to tell until what was trained is saved; a stop has nothing to tell.
    ///
    /// # Errors
    /// Any other error.
    fn ends_in_order(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Stopped => {}
            Error::Data { .. } | Error::Io { .. } => {
                self.unheard.get_or_insert(error);
            }
            other => return Err(other),
        }
        Ok(())
    }

    /// Trains to the end of the configuration's epochs or steps, or until asked to stop.
    ///
    /// # Errors
    /// A loss that is no longer a number, a lost device, or what a hook returns; what was saved stays. After an observer's error, or
    /// that of an image, the state is saved before it is returned.
    pub fn run(&mut self, hooks: &mut Hooks<'_>) -> Result<event::Finished> {
        self.train(hooks).map_err(|error| match self.device.lost() {
            // Whatever went wrong after that, this is why.
            Some(reason) => Error::Lost(reason),
            None => error,
        })
    }

    fn train(&mut self, hooks: &mut Hooks<'_>) -> Result<event::Finished> {
        let began = Instant::now();
        self.phases = Phases::new(self.steps_total().saturating_sub(self.progress.step));
        self.prune_before_the_first_step(hooks)?;
        self.announce(hooks);
        self.progress.seconds += began.elapsed().as_secs_f64();
        let mut clock = Clock::new(&self.progress, hooks.save_every);
        let mut last = None;
        while !self.is_done() && !self.stopping(hooks) {
            let whole = self.train_epoch(hooks, &mut clock)?;
            self.progress.seconds = clock.seconds();
            if !whole {
                break;
            }
            let (done, evaluation) = match self.finish_epoch(hooks.stop, &mut clock) {
                Err(error) => {
                    self.ends_in_order(error)?;
                    break;
                }
                Ok(finished) => finished,
            };
            self.progress.seconds = clock.seconds();
            self.tell(hooks, Event::Epoch(done));
            last = Some((self.progress.step, evaluation));
            let Progress { epoch, step, .. } = self.progress;
            if clock.saving.due_after_epoch(epoch, step) {
                self.save(hooks, &mut clock)?;
            }
        }
        if !clock.saving.is_saved(self.progress.step) {
            self.save(hooks, &mut clock)?;
        }
        if let Some(error) = self.unheard.take() {
            return Err(error);
        }
        let tested = match last {
            Some((step, evaluation)) if step == self.progress.step => Some(evaluation),
            _ => match self.timed_evaluation(hooks.stop) {
                Err(Error::Stopped) => None,
                evaluation => Some(evaluation?),
            },
        };
        let interrupted = tested.is_none() || !self.is_done();
        let evaluation = tested.unwrap_or(Evaluation {
            loss: f32::NAN,
            accuracy: f32::NAN,
            metric: None,
            images: 0,
        });
        let trained_on = match evaluation.images {
            0 => None,
            _ => self.trained_on(),
        };
        let ledger = self.device.ledger();
        let by_class = |bytes: &dyn Fn(Class) -> u64| -> Vec<(String, u64)> {
            Class::ALL.map(|c| (c.name().to_owned(), bytes(c))).into()
        };
        let finished = event::Finished {
            step: self.progress.step,
            epochs: self.progress.epoch,
            rounds: Some(self.progress.rounds),
            test_loss: evaluation.loss,
            test_accuracy: evaluation.accuracy,
            test_metric: evaluation.metric.clone(),
            seconds: clock.seconds(),
            peak: by_class(&|class| ledger.peak(class)),
            peak_total: ledger.peak_total(),
            at_peak: by_class(&|class| ledger.at_peak(class)),
            bytes_per_connection: (ledger.current(Class::Connections)
                + ledger.current(Class::DenseWeights)) as f64
                / self.network.arena.connections as f64,
            interrupted,
            phases: self.phases.finish(|phase| self.phase_bytes(phase)),
            layers: describe::layers(&self.setup.model, self.network.round.active()),
            train_flops: self.progress.train_flops,
            test_part: Some(self.data.test_part.known(trained_on)),
            trained_on,
            remarks: self.remarks(&evaluation, interrupted),
            changes: self.changes_so_far(),
        };
        hooks.observer.event(&Event::Finished(finished.clone()))?;
        Ok(finished)
    }

    /// Counts a step's operations anew, where the connections have changed.
    fn count_flops(&mut self) {
        let used = self.options.forward.as_ref().map(|f| f.counts.as_slice());
        self.flops = describe::step_flops(&self.setup.model, self.network.round.active(), used);
    }

    /// Bytes of device memory that a phase touches.
    fn phase_bytes(&self, phase: &str) -> u64 {
        match &self.resident {
            Some(resident) if phase == phase::DATA => resident.bytes(),
            _ => self.network.phase_bytes_of(phase),
        }
    }

    fn announce(&mut self, hooks: &mut Hooks<'_>) {
        let active = self.network.round.active();
        let (started, note) = describe::started(
            &self.setup.model,
            active,
            event::Started {
                adapter: self.device.description().to_owned(),
                steps_total: self.steps_total(),
                epochs: self.config.run.epochs * self.setup.method.start().stages(),
                method: self.setup.method.name().to_owned(),
                always_sparse: matches!(self.setup.method.start(), Start::Random),
                steps_per_epoch: self.steps_per_epoch(),
                train_images: self.data.train.len(),
                test_images: self.data.test.len(),
                test_part: Some(self.data.test_part.clone()),
                run: hooks.run.map(std::path::Path::to_owned),
                resumed_at: (self.progress.step > 0).then_some(self.progress.step),
                ..event::Started::default()
            },
        );
        let idle = self
            .no_round()
            .map(|why| format!("no round will take place: {why}"));
        let notes = [self.notes.clone(), self.qualifying.clone()].concat();
        for note in notes.into_iter().chain(note).chain(idle) {
            self.tell(hooks, Event::Note(note));
        }
        self.tell(hooks, Event::Started(started));
    }

    /// Whether the method has rounds, and none was done yet.
    fn lacks_rounds(&self) -> bool {
        self.progress.rounds == 0
            && (self.network.round.is_dynamic() || self.dense_weights.is_some())
    }

    /// Why there is no round up to the run's end, where the method has rounds and there is none.
    fn no_round(&self) -> Option<String> {
        if !self.lacks_rounds() {
            return None;
        }
        let has_rounds = self.network.round.is_dynamic();
        let schedule = Schedule {
            // What goes by dense weights does so to the end.
            until: if has_rounds {
                self.schedule.until
            } else {
                u64::MAX
            },
            ..self.schedule
        };
        remarks::no_round(&schedule, self.steps_total())
    }

    /// What one must know of the result.
    fn remarks(&self, evaluation: &Evaluation, interrupted: bool) -> Vec<String> {
        let mut remarks: Vec<String> = (self.changes_so_far().into_iter())
            .map(|change| change.remark)
            .collect();
        remarks.extend(remarks::bad_images(&self.data.bad_images()));
        if interrupted {
            return remarks;
        }
        remarks.extend(self.qualifying.clone());
        remarks.extend(self.lacks_rounds().then(|| match self.no_round() {
            Some(why) => format!("no round took place: {why}"),
            // As asked for now, some would have.
            None => "no round took place in the steps that were trained".to_owned(),
        }));
        if self.is_unpruned() {
            remarks.push(format!(
                "{} did not come to its last pruning: the network has {} connections, not the {} asked for; give more --steps, or \
                 leave --steps out",
                self.setup.method.name(),
                self.network.arena.connections,
                self.requested.iter().sum::<u64>()
            ));
        }
        if self.setup.is_cross_entropy() {
            remarks.extend(remarks::worse_than_guessing(
                evaluation.loss,
                self.data.classes,
                &self.config,
            ));
        }
        remarks
    }

    fn save(&mut self, hooks: &mut Hooks<'_>, clock: &mut Clock) -> Result<()> {
        self.progress.seconds = clock.seconds();
        if let Some(save) = &mut hooks.save {
            let path = save(&self.snapshot()?)?;
            self.tell(hooks, Event::Saved(path));
        }
        clock.saving.saved(self.progress.step);
        Ok(())
    }
}
