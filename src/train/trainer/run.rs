//! Running a training: epoch by epoch to the end or to a stop, saving, and reporting the outcome.

use std::sync::atomic::Ordering;

use super::Trainer;
use super::best::InMemory;
use crate::checkpoint::Progress;
use crate::clock::Instant;
use crate::data::DataPart;
use crate::engine::Class;
use crate::error::option::STEPS;
use crate::error::{Error, Result};
use crate::network::phase;
use crate::ranks::Ranks;
use crate::topology::Schedule;
use crate::topology::from_dense::Start;
use crate::train::describe;
use crate::train::evaluate::Evaluation;
use crate::train::event::{self, Event};
use crate::train::hooks::{Hooks, KeepBest};
use crate::train::memory;
use crate::train::meter::Clock;
use crate::train::phases::Phases;
use crate::train::remarks;

impl Trainer {
    /// Sends an event to the observer.
    pub(super) fn tell(&mut self, hooks: &mut Hooks<'_>, event: Event) {
        if let Err(error) = hooks.observer.event(&event) {
            self.unheard.get_or_insert(error);
        }
    }

    /// Whether to stop after the current step.
    pub(super) fn stopping(&self, hooks: &Hooks<'_>) -> bool {
        match self.device.ranks() {
            // All ranks stop after the same step.
            Some(ranks) => ranks.stops(),
            None => self.wants_to_stop(hooks),
        }
    }

    /// Whether this process has to stop after the current step.
    pub(super) fn wants_to_stop(&self, hooks: &Hooks<'_>) -> bool {
        self.unheard.is_some() || hooks.stop.load(Ordering::Relaxed)
    }

    /// Keeps the error of an image that cannot be read, or of a rank that is gone, until what was trained is saved; a
    /// stop has no error to keep.
    ///
    /// # Errors
    /// Any other error.
    pub(super) fn ends_in_order(&mut self, error: Error) -> Result<()> {
        match error {
            Error::Stopped => {}
            Error::Data { .. } | Error::Io { .. } | Error::Rank(_) => {
                self.unheard.get_or_insert(error);
            }
            other => return Err(other),
        }
        Ok(())
    }

    /// Trains to the end of the configuration's epochs or steps, or until asked to stop.
    ///
    /// # Errors
    /// The loss is NaN or infinite, the device is lost, or a hook returns an error; what was saved stays. After an
    /// error of an observer, an image or another rank, the state is saved before the error is returned.
    pub fn run(&mut self, hooks: &mut Hooks<'_>) -> Result<event::Finished> {
        let trained = self.train(hooks).map_err(|error| match self.device.lost() {
            // Whatever failed afterwards, this is the cause.
            Some(reason) => Error::Lost(reason),
            None => error,
        });
        if let (Err(error), Some(ranks)) = (&trained, self.device.ranks()) {
            ranks.leave(error);
        }
        trained
    }

    fn train(&mut self, hooks: &mut Hooks<'_>) -> Result<event::Finished> {
        let began = Instant::now();
        self.agree_to_begin()?;
        self.phases = Phases::new(self.steps_total().saturating_sub(self.progress.step));
        self.prune_before_the_first_step(hooks)?;
        if !self.is_done() {
            self.qualifying.append(&mut self.past_the_end);
        }
        self.announce(hooks);
        self.progress.seconds += began.elapsed().as_secs_f64();
        let mut clock = Clock::new(&self.progress, hooks.save_every);
        let mut in_memory = InMemory::default();
        let kept: &mut dyn KeepBest = match hooks.best.take() {
            Some(kept) => kept,
            None => &mut in_memory,
        };
        let traffic = self.device.ranks().map_or((0, 0.0), Ranks::traffic);
        let mut last = None;
        while !self.is_done() && !self.stopping(hooks) && self.unheard.is_none() {
            let whole = self.train_epoch(hooks, &mut clock)?;
            self.progress.seconds = clock.seconds();
            if !whole {
                if self.device.ranks().is_some_and(Ranks::stops)
                    && let Err(error) = self.share_read(&self.data.train)
                {
                    self.ends_in_order(error)?;
                }
                break;
            }
            let (done, evaluation) = match self.finish_epoch(self.heeded(hooks.stop), &mut clock) {
                Err(error) => {
                    self.ends_in_order(error)?;
                    break;
                }
                Ok(finished) => finished,
            };
            self.progress.seconds = clock.seconds();
            if self.note_best(&evaluation) {
                kept.keep(&self.snapshot()?)?;
            }
            self.tell(hooks, Event::Epoch(done));
            last = Some((self.progress.step, evaluation));
            let Progress { epoch, step, .. } = self.progress;
            if clock.saving.due_after_epoch(epoch, step) {
                self.save(hooks, &mut clock)?;
            }
        }
        let steps = self.progress.step - clock.first_step;
        if let Some(note) = self.traffic_note(traffic, clock.started.elapsed().as_secs_f64(), steps)
        {
            self.tell(hooks, Event::Note(note));
        }
        if !clock.saving.is_saved(self.progress.step) {
            self.save(hooks, &mut clock)?;
        }
        if let Some(error) = self.unheard.take() {
            return Err(error);
        }
        let tested = match last {
            Some((step, evaluation)) if step == self.progress.step => Some(evaluation),
            _ => match self.timed_evaluation(self.heeded(hooks.stop)) {
                Err(Error::Stopped) => None,
                evaluation => Some(evaluation?),
            },
        };
        let end = self.conclude(hooks, kept, tested)?;
        let interrupted = end.stopped || !self.is_done();
        let nothing = Evaluation::nothing();
        let tested = end.test.as_ref().unwrap_or(&nothing);
        let evaluation = end.last().unwrap_or(&nothing).clone();
        let trained_on = match evaluation.images {
            0 => None,
            _ => self.trained_on(end.part()),
        };
        let of_validation = trained_on.filter(|_| end.part() == DataPart::Validation);
        let ledger = self.device.ledger();
        let finished = event::Finished {
            step: self.progress.step,
            epochs: self.progress.epoch,
            rounds: Some(self.progress.rounds),
            validation: end.validation.as_ref().map(Evaluation::results),
            validation_part: self
                .data
                .validation
                .as_ref()
                .map(|held| held.part.known(of_validation)),
            best: end.best.clone(),
            test_loss: tested.loss,
            test_accuracy: tested.accuracy,
            test_metric: tested.metric.clone(),
            test_scores: tested.scores.clone(),
            seconds: clock.seconds(),
            peak: memory::by_class(|class| ledger.peak(class)),
            peak_total: ledger.peak_total(),
            at_peak: memory::by_class(|class| ledger.at_peak(class)),
            bytes_per_connection: (ledger.current(Class::Connections)
                + ledger.current(Class::DenseWeights)) as f64
                / self.network.arena.connections as f64,
            interrupted,
            phases: self.phases.finish(|phase| self.phase_bytes(phase)),
            layers: describe::layers(&self.setup.model, self.network.round.active()),
            train_flops: self.progress.train_flops,
            test_part: Some(self.data.test_part.known(trained_on)),
            trained_on,
            remarks: [self.remarks(&evaluation, interrupted), end.remarks].concat(),
            changes: self.changes_so_far(),
        };
        hooks.observer.event(&Event::Finished(finished.clone()))?;
        Ok(finished)
    }

    /// Recounts a step's operations if the connections have changed.
    pub(super) fn count_flops(&mut self) {
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
                task: self.setup.objective().task,
                loss: self.setup.loss.name().to_owned(),
                always_sparse: matches!(self.setup.method.start(), Start::Random),
                steps_per_epoch: self.steps_per_epoch(),
                memory: memory::by_class(|class| self.device.ledger().at_peak(class)),
                rows: self.data.preprocessing.is_some(),
                train_images: self.data.train.len(),
                validation_images: self
                    .data
                    .validation
                    .as_ref()
                    .map_or(0, |held| held.images.len()),
                validation_part: self.data.validation.as_ref().map(|held| held.part.clone()),
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

    /// Whether the method has rounds, but none was done yet.
    fn lacks_rounds(&self) -> bool {
        self.progress.rounds == 0
            && (self.network.round.is_dynamic() || self.dense_weights.is_some())
    }

    /// Why there is no round up to the run's end, if the method has rounds and there is none.
    fn no_round(&self) -> Option<String> {
        if !self.lacks_rounds() {
            return None;
        }
        let has_rounds = self.network.round.is_dynamic();
        let schedule = Schedule {
            // A method with dense weights follows them to the end.
            until: if has_rounds {
                self.schedule.until
            } else {
                u64::MAX
            },
            ..self.schedule
        };
        remarks::no_round(&schedule, self.steps_total())
    }

    /// What one must know about the result.
    fn remarks(&self, evaluation: &Evaluation, interrupted: bool) -> Vec<String> {
        let mut remarks: Vec<String> = (self.changes_so_far().into_iter())
            .map(|change| change.remark)
            .collect();
        remarks.extend(remarks::bad_images(&self.data.bad_images()));
        if interrupted {
            return remarks;
        }
        remarks.extend(self.qualifying.clone());
        remarks.extend(self.stopped_early());
        remarks.extend(self.lacks_rounds().then(|| match self.no_round() {
            Some(why) => format!("no round took place: {why}"),
            // With the current options, some would have.
            None => "no round took place in the steps that were trained".to_owned(),
        }));
        if self.is_unpruned() {
            remarks.push(format!(
                "{} did not come to its last pruning: the network has {} connections, not the {} asked for; give more \
                 {STEPS}, or leave {STEPS} out",
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

    pub(super) fn save(&mut self, hooks: &mut Hooks<'_>, clock: &mut Clock) -> Result<()> {
        self.progress.seconds = clock.seconds();
        if let Some(save) = &mut hooks.save {
            let path = save(&self.snapshot()?)?;
            self.tell(hooks, Event::Saved(path));
        }
        clock.saving.saved(self.progress.step);
        Ok(())
    }
}
