//! What a training does differently when its batches are dealt to ranks.

use std::sync::atomic::AtomicBool;

use super::Trainer;
use crate::data::{BadImage, Images, Share};
use crate::error::option::{BATCH, MICRO_BATCH};
use crate::error::{Error, Result};
use crate::ranks::{Fingerprint, Ranks};
use crate::train::hooks::Hooks;
use crate::words::grouped;

/// Ends the parts of a message; no path has this character.
const PART: char = '\0';

/// A stop that no one asks for.
static NEVER: AtomicBool = AtomicBool::new(false);

impl Trainer {
    /// The parts of each batch that are this process's.
    pub(super) fn share(&self) -> Share {
        let ranks = self.device.ranks();
        Share {
            index: ranks.map_or(0, Ranks::rank),
            of: ranks.map_or(1, Ranks::size),
            group: self.config.run.batch.div_ceil(self.network.micro_batch()),
        }
    }

    /// The batches of an evaluation that are this process's.
    pub(super) fn share_of_evaluation(&self) -> Share {
        match self.device.ranks() {
            Some(ranks) => Share {
                index: ranks.rank(),
                of: ranks.size(),
                group: ranks.size(),
            },
            None => Share::default(),
        }
    }

    /// Tells the other ranks which images of a folder were read here, and which could not be: so each knows what the
    /// network has learned from, and what it was tested on. All ranks call this at the same step.
    ///
    /// # Errors
    /// A rank has left or hangs.
    pub(super) fn share_read(&self, images: &Images) -> Result<()> {
        let (Some(ranks), Some(_)) = (self.device.ranks(), images.folder()) else {
            return Ok(());
        };
        let own = images.what_was_read();
        for read in ranks.gather_everywhere(bytemuck::cast_slice(&own))? {
            images.add_read(&bytemuck::pod_collect_to_vec::<u8, u64>(&read));
        }
        let bad = self.data.bad_images();
        let own = bad.iter().map(|BadImage { path, reason }| {
            let path = path.to_string_lossy();
            format!("{path}{PART}{reason}{PART}")
        });
        for found in ranks.gather_everywhere(own.collect::<String>().as_bytes())? {
            let text = String::from_utf8_lossy(&found).into_owned();
            let mut parts = text.split(PART);
            let next = || {
                Some(BadImage {
                    path: parts.next()?.into(),
                    reason: parts.next()?.to_owned(),
                })
            };
            self.data.add_bad_images(std::iter::from_fn(next));
        }
        Ok(())
    }

    /// The flag by which waiting for data may be interrupted: among ranks none, because all of them stop together, after
    /// a step.
    pub(super) fn heeded<'s>(&self, stop: &'s AtomicBool) -> &'s AtomicBool {
        match self.device.ranks() {
            None => stop,
            Some(_) => &NEVER,
        }
    }

    /// Tells the other ranks with the next step if this process has to stop.
    pub(super) fn pass_on_a_stop(&self, hooks: &Hooks<'_>) {
        if let Some(ranks) = self.device.ranks()
            && self.wants_to_stop(hooks)
        {
            ranks.ask_to_stop();
        }
    }

    /// Stops at a loss that is NaN or infinite on all ranks at once, rather than when each of them reads it.
    ///
    /// # Errors
    /// [`Error::Diverged`].
    pub(super) fn check_loss_on_ranks(&self) -> Result<()> {
        if self.device.ranks().is_none() {
            return Ok(());
        }
        let step = self.progress.step;
        let results = self.network.train_results(&self.device, step - 1..step)?;
        match results.iter().find(|result| !result.loss.is_finite()) {
            None => Ok(()),
            Some(found) => Err(Error::Diverged {
                step,
                loss: found.loss,
            }),
        }
    }

    /// Compares the network at a step with those of the other ranks; on unlike adapters, takes over that of rank 0.
    ///
    /// # Errors
    /// A rank has another one, though the adapters are alike: [`Error::Rank`] names it.
    pub(super) fn settle(&mut self, what: &str, step: u64) -> Result<()> {
        let Some(ranks) = self.device.ranks() else {
            return Ok(());
        };
        if self.unlike {
            return self.take_over();
        }
        let mut fingerprint = Fingerprint::default();
        self.network.fingerprint(&self.device, &mut fingerprint)?;
        ranks.agree(&format!("{what} {step}"), fingerprint.finish())
    }

    /// Compares what the ranks begin with.
    ///
    /// # Errors
    /// A rank has another program, other data, options or weights: [`Error::Rank`] names it.
    pub(super) fn agree_to_begin(&mut self) -> Result<()> {
        let Some(ranks) = self.device.ranks() else {
            return Ok(());
        };
        let of = |text: &str| {
            let mut fingerprint = Fingerprint::default();
            fingerprint.bytes(text.as_bytes());
            fingerprint.finish()
        };
        ranks.agree("the version of rootlet", of(env!("CARGO_PKG_VERSION")))?;
        ranks.agree("the options", of(&self.config.to_toml()?))?;
        ranks.agree("the data", of(&format!("{:?}", self.record)))?;
        self.compare_adapters()?;
        self.settle("the network at step", self.progress.step)
    }

    /// What the exchanges of this process's steps cost; `None` if there were none. `before`: the traffic before them.
    pub(super) fn traffic_note(
        &self,
        before: (u64, f64),
        seconds: f64,
        steps: u64,
    ) -> Option<String> {
        let ranks = self.device.ranks()?;
        let (bytes, waited) = ranks.traffic();
        let (bytes, waited) = (bytes - before.0, waited - before.1);
        if steps == 0 || !ranks.is_first() {
            return None;
        }
        let shapes = self.setup.model.shapes();
        let dense: u64 = shapes
            .iter()
            .map(|shape| shape.dense() + shape.n_out as u64)
            .sum();
        let parameters = dense + self.network.parameters.words() as u64;
        let of_dense = 2 * (ranks.size() as u64 - 1) * 4 * parameters;
        Some(format!(
            "rank 0 sent and received {} bytes a step, where the dense model's gradients would be {} bytes; exchanges, waiting for \
             others included, took {:.0} % of the time",
            grouped(bytes / steps),
            grouped(of_dense),
            100.0 * waited / seconds.max(1e-9)
        ))
    }

    /// What to know about a batch that is dealt to ranks.
    pub(super) fn dealt(ranks: &Ranks, batch: usize, micro: usize) -> String {
        let size = ranks.size();
        let parts = batch.div_ceil(micro);
        let uneven = match parts.is_multiple_of(size) {
            true => String::new(),
            false if parts < size => format!(
                "; {} of the ranks have nothing to do: let {}",
                size - parts,
                match micro {
                    1 => format!("{BATCH} be larger"),
                    _ => format!("{MICRO_BATCH} be smaller"),
                }
            ),
            false => format!("; some ranks wait for others: let {BATCH} be a multiple of {size}"),
        };
        format!(
            "{size} ranks share each batch of {batch}, in parts of {micro} whose gradients add up; batch norms see a part \
             at a time{uneven}"
        )
    }
}
