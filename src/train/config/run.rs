//! How long a run trains, in what steps, and with which random numbers.

use super::section::section;
use super::value::AUTO;
use crate::Result;
use crate::bounds::{MOST, check};

section! {
    /// How long a run trains, in what steps, and with which random numbers.
    pub struct RunConfig in "Optimiser" {
        /// Passes over the training images
        epochs: u32 = 20,
            N, on resume Free;
        /// Stop after N optimiser steps, even within an epoch (0: no such limit)
        steps: Option<u64> = None,
            N, on resume Free;
        /// Images per step
        batch: usize = 32,
            N, on resume Fixed;
        /// Seed of all random numbers: the same seed and adapter give the same bits
        seed: u32 = 1,
            N, on resume Fixed;
        /// Score on the validation part that chooses the best weights: loss, accuracy or another metric of an epoch;
        /// auto is the task's metric, none keeps only the last weights
        best_metric: String = AUTO.to_owned(),
            NAME, on resume Fixed;
        /// Stop after N epochs in which the validation part did not improve (0: never)
        patience: Option<u32> = None,
            N, on resume Free;
    }
}

/// The value of [`RunConfig::best_metric`] that keeps only the last weights.
pub(crate) const KEEP_LAST: &str = "none";

impl RunConfig {
    /// Checks every value.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self) -> Result<()> {
        check(self.epochs > 0, "epochs", "must be at least 1", self.epochs)?;
        check(
            (1..MOST).contains(&self.batch),
            "batch",
            &format!("must be from 1 to {} samples", MOST - 1),
            self.batch,
        )?;
        check(
            !self.best_metric.trim().is_empty(),
            "best_metric",
            "must be auto, none or the name of a metric",
            &self.best_metric,
        )
    }
}
