//! The trainer's state: taken out as a snapshot, and set from one.

use super::Trainer;
use crate::checkpoint::{Change, Progress, Snapshot};
use crate::data::TestPart;
use crate::error::{Error, Result};
use crate::network::NetworkState;
use crate::train::exploration::Exploration;

impl Trainer {
    /// Continues from a snapshot of a run with the same configuration. If the data have changed since, it still trains
    /// the remaining epochs: their steps, and with them the schedules, follow the images that there are now.
    ///
    /// Returns what has changed in the data, one sentence each.
    ///
    /// # Errors
    /// The snapshot belongs to another model, loss or metric, to a method with another number of connections, or to
    /// data with other class names.
    pub fn restore(&mut self, mut snapshot: Snapshot) -> Result<Vec<String>> {
        let own = self.setup.objective();
        if !snapshot.objective.agrees(&own) {
            return Err(Error::Fixed {
                what: format!(
                    "the run was trained with {}, and is to go on with {own}",
                    snapshot.objective
                ),
                way_out: "give it the same".to_owned(),
            });
        }
        match snapshot.trained_images.is_empty() {
            true => self.data.compare_with(snapshot.data.as_ref()),
            false => self.data.compares_with(&snapshot.trained_images),
        }
        if let (Some(own), Some(now)) = (&mut self.record.validation, &self.data.validation) {
            own.part = now.part.clone();
        }
        let mut changes = match &snapshot.data {
            Some(before) => self.record.changes(before)?,
            None => Vec::new(),
        };
        let split_off = self.data.validation.as_ref().map(|held| &held.part);
        let others = match (&snapshot.data, split_off) {
            (Some(before), _) => before.train.images != self.record.train.images,
            // Versions that recorded nothing about the data trained on all images, and tested on the same.
            (None, Some(part @ TestPart::SplitOff { .. })) => {
                changes.push(format!(
                    "the checkpoint is of an older rootlet, which trained on all of train/; the images to validate by \
                     are {part}"
                ));
                true
            }
            (None, _) => false,
        };
        let progress = &mut snapshot.progress;
        if others && progress.batch > 0 {
            changes.push(format!(
                "epoch {} was under way, and begins anew with the images that there are now",
                progress.epoch + 1
            ));
            progress.batch = 0;
            progress.loss_sum = 0.0;
            progress.score_sum = 0.0;
            progress.seen = 0;
        }
        self.fits_method(&snapshot.state)?;
        self.set_state(&snapshot.state)?;
        self.take_trained_images(&snapshot);
        self.count_flops();
        if let Some(exploration) = &mut self.exploration {
            *exploration = Exploration::new(&snapshot.state.layers, &snapshot.past);
        }
        self.unread = snapshot.progress.step..snapshot.progress.step;
        self.progress = snapshot.progress;
        self.changes = snapshot.changes;
        let of_run = changes.iter().filter(|_| self.chose_connections());
        let of_run = of_run.map(|what| Change {
            step: self.progress.step,
            name: Change::IMAGES.to_owned(),
            before: Some("others".to_owned()),
            remark: format!("the data changed during the run: {what}"),
        });
        self.changes.extend(of_run.collect::<Vec<_>>());
        Ok(changes)
    }

    /// Records what has changed for the steps from here on.
    pub(crate) fn goes_on_with(&mut self, changes: Vec<Change>) {
        self.changes.extend(changes);
    }

    /// What has changed so far, except for what no step was trained with yet; other images also count if they tested.
    pub(super) fn changes_so_far(&self) -> Vec<Change> {
        let counts =
            |change: &&Change| change.step < self.progress.step || change.name == Change::IMAGES;
        self.changes.iter().filter(counts).cloned().collect()
    }

    /// Begins with these weights instead of random ones, as in fine-tuning: the state of another training, whose last
    /// layer may have been replaced. Nothing else of that training is taken over.
    ///
    /// # Errors
    /// The state belongs to another model, or this training has already begun.
    pub fn begin_with(&mut self, state: &NetworkState) -> Result<()> {
        if self.progress != Progress::default() {
            return Err(Error::Fixed {
                what: "a training that has begun takes no other weights".to_owned(),
                way_out: "make a new trainer".to_owned(),
            });
        }
        self.fits_method(state)?;
        self.set_state(state)?;
        self.trained.forget();
        self.count_flops();
        if let Some(exploration) = &mut self.exploration {
            *exploration = Exploration::new(&state.layers, &[]);
        }
        Ok(())
    }

    /// Reads the network and its optimiser state back.
    ///
    /// # Errors
    /// The device is lost, or weights are NaN: such a state is never worth keeping.
    pub fn snapshot(&self) -> Result<Snapshot> {
        let state = NetworkState {
            dense_weights: self.dense_weights()?,
            ..self.network.export(&self.device)?
        };
        match state.not_finite() {
            Some(loss) => Err(Error::Diverged {
                step: self.progress.step,
                loss,
            }),
            None => Ok(Snapshot {
                past: match &self.exploration {
                    Some(exploration) => exploration.past(&state.layers),
                    None => Vec::new(),
                },
                state,
                progress: self.progress.clone(),
                data: Some(self.record.clone()),
                objective: self.setup.objective(),
                changes: self.changes_so_far(),
                trained_images: self.trained_images().unwrap_or_default(),
            }),
        }
    }
}
