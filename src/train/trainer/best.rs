//! The best weights according to the validation part: kept as they appear, and used for the result.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::Trainer;
use crate::checkpoint::{Best, Snapshot};
use crate::data::DataPart;
use crate::error::option::{BEST_METRIC, PATIENCE};
use crate::error::{Error, Result};
use crate::loss::Outcomes;
use crate::network::NetworkState;
use crate::train::TrainConfig;
use crate::train::config::{AUTO, KEEP_LAST};
use crate::train::evaluate::Evaluation;
use crate::train::hooks::{Hooks, KeepBest};
use crate::train::setup::Setup;

/// The result of a finished training.
pub(super) struct Conclusion {
    /// On the validation part; `None` without one.
    pub validation: Option<Evaluation>,
    /// On the test part; `None` without one, and if the run was stopped before it.
    pub test: Option<Evaluation>,
    /// The epoch and the step that these weights come from, if they are not the last ones.
    pub best: Option<Best>,
    /// What a reader must know about them.
    pub remarks: Vec<String>,
    /// Whether a stop was requested before all of that was known.
    pub stopped: bool,
}

impl Conclusion {
    /// The part that the run ends with.
    pub fn part(&self) -> DataPart {
        match (&self.test, &self.validation) {
            (None, Some(_)) => DataPart::Validation,
            _ => DataPart::Test,
        }
    }

    /// The evaluation that the run ends with: the test, or validation without one.
    pub fn last(&self) -> Option<&Evaluation> {
        self.test.as_ref().or(self.validation.as_ref())
    }
}

/// Keeps the best weights in memory, for a training that saves nothing.
#[derive(Default)]
pub(super) struct InMemory(Option<(u64, NetworkState)>);

impl KeepBest for InMemory {
    fn keep(&mut self, snapshot: &Snapshot) -> Result<PathBuf> {
        self.0 = Some((snapshot.progress.step, snapshot.state.clone()));
        Ok(PathBuf::new())
    }

    fn best(&mut self, step: u64) -> Result<NetworkState> {
        match &self.0 {
            Some((own, state)) if *own == step => Ok(state.clone()),
            _ => Err(Error::Nothing {
                what: format!("kept of step {step}: another training kept it, or nothing did"),
            }),
        }
    }
}

impl Trainer {
    /// Whether the validation part chooses weights.
    pub(super) fn chooses(&self) -> bool {
        self.data.monitored_part() == DataPart::Validation
            && self.config.run.best_metric != KEEP_LAST
    }

    /// Checks that the metric is one that the validation part will have.
    ///
    /// # Errors
    /// It is not.
    pub(super) fn check_best_metric(config: &TrainConfig, setup: &Setup) -> Result<()> {
        let wanted = config.run.best_metric.as_str();
        let metric = setup.metric.as_ref().map(|metric| metric.name());
        let outputs = setup.model.classes();
        let outcomes = Outcomes::new(setup.loss.targets(outputs), outputs);
        let further = match setup.tells_classes() {
            // With one class per sample, an epoch only reports its metric.
            true => Vec::new(),
            false => outcomes.names(),
        };
        let all = ["loss"].into_iter().chain(metric).chain(further);
        let mut known: Vec<&str> = Vec::new();
        for name in all {
            if !known.contains(&name) {
                known.push(name);
            }
        }
        let is_known = |name: &str| known.iter().any(|own| own.eq_ignore_ascii_case(name));
        match [AUTO, KEEP_LAST].contains(&wanted) || is_known(wanted) {
            true => Ok(()),
            false => Err(Error::Value {
                option: BEST_METRIC.0,
                must: format!("must be auto, none, or one of {}", known.join(", ")),
                value: wanted.to_owned(),
            }),
        }
    }

    /// Notes an epoch's result if it is the best so far, and says whether it is. A network that is still to be pruned
    /// is not the requested one.
    pub(super) fn note_best(&mut self, evaluation: &Evaluation) -> bool {
        if !self.chooses() || self.is_unpruned() {
            return false;
        }
        let Some((metric, value, higher_is_better)) =
            evaluation.judged_by(&self.config.run.best_metric)
        else {
            return false;
        };
        let is_better = |best: &Best| match higher_is_better {
            true => value > best.value,
            false => value < best.value,
        };
        // A value that is not defined, such as an area under a curve without a positive sample, is never the best.
        if value.is_nan() || !self.progress.best.as_ref().is_none_or(is_better) {
            return false;
        }
        self.progress.best = Some(Best {
            step: self.progress.step,
            epoch: self.progress.epoch,
            metric,
            value,
        });
        true
    }

    /// Whether the validation part has not improved for as many epochs as the run is to wait.
    pub(super) fn has_lost_patience(&self) -> bool {
        let (Some(patience), Some(best)) = (self.config.run.patience, &self.progress.best) else {
            return false;
        };
        let waited = self.progress.epoch.saturating_sub(best.epoch);
        self.progress.batch == 0 && waited >= patience && self.chooses()
    }

    /// A remark that the run ended before its last epoch.
    pub(super) fn stopped_early(&self) -> Option<String> {
        let best = self
            .progress
            .best
            .as_ref()
            .filter(|_| self.has_lost_patience())?;
        Some(format!(
            "stopped after epoch {} of {}: {} of the validation part was best after epoch {}, and for {PATIENCE} {} no \
             better",
            self.progress.epoch,
            self.config.run.epochs * self.setup.method.start().stages(),
            best.metric,
            best.epoch,
            self.progress.epoch - best.epoch,
        ))
    }

    /// The result of the training: if it came to its end, the best weights, which are tested once; `last` is the
    /// evaluation of the last weights on the part that is evaluated after each epoch. The network keeps the last
    /// weights.
    ///
    /// # Errors
    /// [`Error::Stopped`], or the device is lost.
    pub(super) fn conclude(
        &mut self,
        hooks: &mut Hooks<'_>,
        kept: &mut dyn KeepBest,
        last: Option<Evaluation>,
    ) -> Result<Conclusion> {
        let mut end = Conclusion {
            validation: None,
            test: None,
            best: None,
            remarks: Vec::new(),
            stopped: last.is_none(),
        };
        if self.data.monitored_part() == DataPart::Test {
            end.test = last;
            return Ok(end);
        }
        let is_over = last.is_some() && self.is_done();
        end.validation = last;
        if !is_over {
            return Ok(end);
        }
        let best = self.progress.best.clone().filter(|_| self.chooses());
        if best.is_none() && self.chooses() && self.progress.epoch > 0 && !self.is_unpruned() {
            end.remarks.push(format!(
                "no weights were chosen, for the validation part never told `{}`: these are the last",
                self.config.run.best_metric
            ));
        }
        let state = match &best {
            Some(best) if best.step != self.progress.step => match kept.best(best.step) {
                Ok(state) => Some(state),
                Err(error) => {
                    end.remarks.push(format!(
                        "the best weights, of epoch {}, are not there any more, and the result is that of the last \
                         ones: {error}",
                        best.epoch
                    ));
                    None
                }
            },
            _ => None,
        };
        end.best = best.filter(|best| state.is_some() || best.step == self.progress.step);
        let told = match state {
            None => self.test_once(hooks.stop).map(|tested| (None, tested)),
            Some(state) => {
                let own = self.snapshot()?.state;
                self.set_state(&state)?;
                let judged = self.timed_evaluation(hooks.stop);
                let tested = self.test_once(hooks.stop);
                self.set_state(&own)?;
                judged.and_then(|judged| Ok((Some(judged), tested?)))
            }
        };
        match told {
            Ok((judged, tested)) => {
                end.validation = judged.or(end.validation);
                end.test = tested;
            }
            // Only the result of the last weights is known.
            Err(Error::Stopped) => (end.best, end.stopped) = (None, true),
            Err(error) => return Err(error),
        }
        Ok(end)
    }

    /// Tests on the test part, if there is one.
    fn test_once(&mut self, stop: &AtomicBool) -> Result<Option<Evaluation>> {
        match self.data.test.is_empty() {
            true => Ok(None),
            false => self.timed_evaluation_by(DataPart::Test, stop).map(Some),
        }
    }
}
