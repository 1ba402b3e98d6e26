//! What each value of the configuration may be.

use std::fmt;

use super::{TrainConfig, list_text};
use crate::data::Augmentation;
use crate::model::MODELS;
use crate::{Error, Result};

/// Indices on the device are 32-bit words.
const MOST: usize = u32::MAX as usize - 3;

impl TrainConfig {
    /// Checks every value; [`Error::Usage`] names the first bad one and what it must be.
    pub fn validate(&self) -> Result<()> {
        let not_negative = |x: f64| x.is_finite() && x >= 0.0;
        // The device computes in f32, where what f64 holds may be 0 or infinite.
        let positive = |x: f64| (x as f32).is_finite() && x as f32 > 0.0;
        let share = |x: f64| (0.0..1.0).contains(&x);

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
            "must list widths of at least 1, below 2^32",
            hidden,
        )?;
        check(
            (1..=1 << 14).contains(&self.image_size),
            "image-size",
            "must be 1 to 16384 pixels",
            self.image_size,
        )?;
        check(
            self.resize
                .is_none_or(|resize| (self.image_size..=1 << 14).contains(&resize)),
            "resize",
            "must be at least --image-size, and at most 16384 pixels",
            self.resize.unwrap_or(0),
        )?;
        check(
            self.val_split > 0.0 && self.val_split < 1.0,
            "val-split",
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
            positive(self.width),
            "width",
            "must be a finite number above 0",
            self.width,
        )?;
        check(
            self.micro_batch
                .is_none_or(|micro| micro > 0 && self.batch.is_multiple_of(micro)),
            "micro-batch",
            &format!("must divide --batch {}", self.batch),
            self.micro_batch.unwrap_or(0),
        )?;
        check(
            self.dense_above.is_none_or(not_negative),
            "dense-above",
            "must be a density of 0 or more, above 1 for never",
            self.dense_above.unwrap_or(0.0),
        )?;
        check(
            share(self.sparsity),
            "sparsity",
            "must be at least 0 and below 1",
            self.sparsity,
        )?;
        check(positive(self.gamma), "gamma", "must be above 0", self.gamma)?;
        check(
            (1..=1 << 16).contains(&self.round_batches),
            "round-batches",
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
            "lottery-cycles",
            "must be 1 to 100 prunings",
            self.lottery_cycles,
        )?;
        check(
            self.topkast_backward.is_finite() && self.topkast_backward >= 1.0,
            "topkast-backward",
            "must be a finite number, 1 or above",
            self.topkast_backward,
        )?;
        check(
            self.round_every > 0,
            "round-every",
            "must be at least 1 step",
            self.round_every,
        )?;
        check(
            not_negative(until),
            "round-until",
            "must be an epoch, 0 or later",
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
            positive(self.lr),
            "lr",
            "must be a finite number above 0",
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
            "needs a --momentum above 0",
            self.momentum,
        )?;
        check(
            not_negative(self.weight_decay),
            "weight-decay",
            "must be a finite number, 0 or above",
            self.weight_decay,
        )?;
        check(
            share(self.label_smoothing),
            "label-smoothing",
            "must be at least 0 and below 1",
            self.label_smoothing,
        )?;
        check(
            not_negative(self.warmup_epochs),
            "warmup-epochs",
            "must be a number of epochs, 0 or above",
            self.warmup_epochs,
        )?;
        check(
            ascending && self.milestones.iter().all(|&epoch| positive(epoch)),
            "milestones",
            "must list epochs above 0 in ascending order",
            milestones,
        )?;
        check(
            positive(self.lr_decay),
            "lr-decay",
            "must be a finite number above 0",
            self.lr_decay,
        )?;
        check(
            !self.adapter.is_empty(),
            "adapter",
            "must be auto, cpu, an index or a part of a name",
            "nothing",
        )?;
        check(
            self.workers > 0,
            "workers",
            "must be at least 1 thread",
            self.workers,
        )
    }
}

fn check(good: bool, flag: &str, must: &str, value: impl fmt::Display) -> Result<()> {
    if good {
        return Ok(());
    }
    Err(Error::Usage(format!("--{flag} {must}, not {value}")))
}
