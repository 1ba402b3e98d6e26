//! What each value of the configuration may be.

use std::fmt;

use super::{TrainConfig, list_text};
use crate::data::{Augmentation, MOST_WORKERS};
use crate::model::MODELS;
use crate::threads::MOST_THREADS;
use crate::{Error, Result};

/// Indices on the device are 32-bit words.
const MOST: usize = u32::MAX as usize - 3;
/// Factors above are typing errors: no network is a thousand times as wide as another, nor are there so many candidates.
const LARGEST_FACTOR: f64 = 1000.0;
/// Rates above leave nothing of any weight.
const LARGEST_RATE: f64 = 1e6;
/// A network has passed every image so often only by a typing error.
const LAST_EPOCH: f64 = u32::MAX as f64;

impl TrainConfig {
    /// Checks every value; [`Error::Value`] names the first bad one and what it must be.
    pub fn validate(&self) -> Result<()> {
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        // The device computes in f32, where what f64 holds may be 0, or 1 where it is nearly that.
        let positive = |x: f64, most: f64| x as f32 > 0.0 && x <= most;
        let share = |x: f64| (0.0..1.0).contains(&(x as f32));
        let epoch = |x: f64| (0.0..=LAST_EPOCH).contains(&x);

        let hidden = list_text(&self.hidden);
        let milestones = list_text(&self.milestones);
        let ascending = self.milestones.windows(2).all(|pair| pair[0] < pair[1]);
        let until = self.round_until();

        check(
            !self.data.is_empty(),
            "data",
            "must name a data set",
            "nothing",
        )?;
        check(
            self.hidden.iter().all(|width| (1..MOST).contains(width)),
            "hidden",
            "must list widths of at least 1, below 2^32, as in 256,256, or be none",
            hidden,
        )?;
        check(
            (1..=1 << 14).contains(&self.image_size),
            "image_size",
            "must be 1 to 16384 pixels",
            self.image_size,
        )?;
        check(
            self.resize
                .is_none_or(|resize| (self.image_size..=1 << 14).contains(&resize)),
            "resize",
            "must be at least the image size, and at most 16384 pixels",
            self.resize.unwrap_or(0),
        )?;
        check(
            self.val_split > 0.0 && self.val_split < 1.0,
            "val_split",
            "must be above 0 and below 1",
            self.val_split,
        )?;
        if self.augment != super::AUTO {
            self.augment.parse::<Augmentation>()?;
        }
        check(
            self.model == super::AUTO || MODELS.contains(&self.model.as_str()),
            "model",
            &format!("must be one of {}, or auto", MODELS.join(", ")),
            &self.model,
        )?;
        check(
            positive(self.width, LARGEST_FACTOR),
            "width",
            "must be a factor above 0 and at most 1000",
            self.width,
        )?;
        check(
            self.micro_batch
                .is_none_or(|micro| micro > 0 && self.batch.is_multiple_of(micro)),
            "micro_batch",
            &format!(
                "must be at least 1 image and divide the batch of {}",
                self.batch
            ),
            self.micro_batch.unwrap_or(0),
        )?;
        check(
            self.dense_above.is_none_or(not_negative),
            "dense_above",
            "must be a density of 0 or more, above 1 for never",
            self.dense_above.unwrap_or(0.0),
        )?;
        check(
            (0.0..1.0).contains(&self.sparsity),
            "sparsity",
            "must be at least 0 and below 1",
            self.sparsity,
        )?;
        check(
            positive(self.gamma, LARGEST_FACTOR),
            "gamma",
            "must be a factor above 0 and at most 1000",
            self.gamma,
        )?;
        check(
            (1..=1 << 16).contains(&self.round_batches),
            "round_batches",
            "must be 1 to 65536 batches",
            self.round_batches,
        )?;
        check(
            self.alpha > 0.0 && self.alpha <= 1.0,
            "alpha",
            "must be above 0 and at most 1",
            self.alpha,
        )?;
        check(
            (1..=100).contains(&self.lottery_cycles),
            "lottery_cycles",
            "must be 1 to 100 prunings",
            self.lottery_cycles,
        )?;
        check(
            (1.0..=LARGEST_RATE).contains(&self.topkast_backward),
            "topkast_backward",
            "must be a factor of at least 1 and at most 1000000",
            self.topkast_backward,
        )?;
        check(
            self.round_every > 0,
            "round_every",
            "must be at least 1 step",
            self.round_every,
        )?;
        check(
            epoch(until),
            "round_until",
            "must be an epoch from 0 to 4294967295",
            until,
        )?;
        check(self.epochs > 0, "epochs", "must be at least 1", self.epochs)?;
        check(
            (1..MOST).contains(&self.batch),
            "batch",
            "must be at least 1 image, and below 2^32",
            self.batch,
        )?;
        check(
            positive(self.lr, LARGEST_RATE),
            "lr",
            "must be above 0 and at most 1000000",
            self.lr,
        )?;
        check(
            share(self.momentum),
            "momentum",
            "must be at least 0 and below 1",
            self.momentum,
        )?;
        check(
            !self.nesterov || self.momentum > 0.0,
            "nesterov",
            "needs a momentum above 0",
            self.momentum,
        )?;
        check(
            (0.0..=LARGEST_RATE).contains(&self.weight_decay),
            "weight_decay",
            "must be at least 0 and at most 1000000",
            self.weight_decay,
        )?;
        check(
            share(self.label_smoothing),
            "label_smoothing",
            "must be at least 0 and below 1",
            self.label_smoothing,
        )?;
        check(
            epoch(self.warmup_epochs),
            "warmup_epochs",
            "must be a number of epochs from 0 to 4294967295",
            self.warmup_epochs,
        )?;
        check(
            ascending && (self.milestones.iter()).all(|&at| at > 0.0 && epoch(at)),
            "milestones",
            "must list epochs above 0, up to 4294967295, in ascending order, as in 8,12, or be none",
            milestones,
        )?;
        check(
            positive(self.lr_decay, LARGEST_RATE),
            "lr_decay",
            "must be a factor above 0 and at most 1000000",
            self.lr_decay,
        )?;
        check(
            !self.adapter.trim().is_empty(),
            "adapter",
            "must be auto, cpu, an index or a part of a name",
            "nothing",
        )?;
        check(
            (1..=MOST_WORKERS).contains(&self.workers),
            "workers",
            &format!("must be 1 to {MOST_WORKERS} threads"),
            self.workers,
        )?;
        check(
            self.threads <= MOST_THREADS,
            "threads",
            &format!("must be 1 to {MOST_THREADS}, or 0 for one per core"),
            self.threads,
        )
    }
}

fn check(good: bool, option: &'static str, must: &str, value: impl fmt::Display) -> Result<()> {
    if good {
        return Ok(());
    }
    Err(Error::Value {
        option,
        must: must.to_owned(),
        value: value.to_string(),
    })
}
