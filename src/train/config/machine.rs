//! What a run computes on, and how it uses it.

use super::context::Context;
use super::section::section;
use crate::Result;
use crate::bounds::check;
use crate::data::MOST_WORKERS;
use crate::engine::Precision;
use crate::engine::adapter::takes_threads;
use crate::engine::tune::Tune;
use crate::error::option::ADAPTER;
use crate::threads::MOST_THREADS;

section! {
    /// What a run computes on, and how it uses it.
    pub struct MachineConfig in "Machine" {
        /// Images on the device at once, a divisor of --batch: gradients of the parts add up [default: as many as fit]
        micro_batch: Option<usize> = None,
            N, on resume Fixed;
        /// How activations and their gradients are stored: 16 bits halve their memory and what products read; sums,
        /// weights and the loss are always f32
        activations: Precision = Precision::F32,
            NAME, on resume Fixed;
        /// How processes that train together send gradients, f32 or bf16: bf16 halves what a step sends, and rounds
        exchange: Precision = Precision::F32,
            NAME, on resume Noted;
        /// Keep few activations and recompute the others for the backward pass: less memory, more time
        checkpoint_activations: bool = false,
            BOOL, on resume Free, idle keeps_all;
        /// Keep all training images on the device, which then makes the same batches itself [default: on a GPU with
        /// room]
        resident: Option<bool> = None,
            BOOL, on resume Free, idle stays_in_files;
        /// Read a table's rows from its file as they are needed, instead of keeping them in memory; the result is the
        /// same [default: if they would take more than half of the free memory]
        stream: Option<bool> = None,
            BOOL, on resume Host, idle is_no_table;
        /// Density from which on a layer's products are dense; above 1: never [default: as measured, by kind of
        /// adapter]
        dense_above: Option<f64> = None,
            DENSITY, on resume Noted;
        /// Whether consecutive kernels run as one if there is a fused kernel for both; sums are then in another order
        /// [default: on a GPU, unless `rootlet tune` found the other faster for this model]
        fused: Option<bool> = None,
            BOOL, on resume Fixed;
        /// Whether to measure on the adapter which workgroups run kernels fastest, for sizes that are new to it; the
        /// result does not depend on it
        tune: Tune = Tune::Auto,
            WHEN, on resume Host, idle has_no_variants;
        /// Adapter to train on: auto, cpu, an index of `rootlet adapters`, or a part of a name
        adapter: String = "auto".to_owned(),
            ADAPTER env "ROOTLET_ADAPTER", on resume Noted;
        /// Threads of the CPU executor (0: one per core); the result does not depend on it
        threads: usize = 0,
            N, on resume Host, idle takes_no_threads;
        /// Threads that prepare batches ahead of the device, with --resident only those of tests; the result does not
        /// depend on it
        workers: usize = 1,
            N, on resume Host;
    }
}

/// Why a number of threads has no effect on an adapter.
pub fn idle_threads(adapter: &str) -> String {
    format!(
        "it is for the built-in CPU executor, and the adapter is {adapter}; {ADAPTER} cpu takes it"
    )
}

impl MachineConfig {
    /// Each layer of a perceptron needs its input, and holds nothing else.
    fn keeps_all(&self, context: &Context<'_>) -> Option<String> {
        (context.is_perceptron() && self.checkpoint_activations).then(|| {
            format!(
                "the model {} needs all activations that it holds",
                context.model
            )
        })
    }

    fn stays_in_files(&self, context: &Context<'_>) -> Option<String> {
        (context.is_folder() && self.resident == Some(true)).then(|| {
            "the files of an image folder are decoded as they are needed, and stay where they are"
                .to_owned()
        })
    }

    fn is_no_table(&self, context: &Context<'_>) -> Option<String> {
        (!context.is_table() && self.stream.is_some())
            .then(|| "it is for tables, and the data are images".to_owned())
    }

    fn has_no_variants(&self, _: &Context<'_>) -> Option<String> {
        (self.tune == Tune::On && takes_threads(&self.adapter)).then(|| {
            format!(
                "the CPU executor has no workgroups, and the adapter is {}",
                self.adapter
            )
        })
    }

    fn takes_no_threads(&self, _: &Context<'_>) -> Option<String> {
        (self.threads > 0 && !takes_threads(&self.adapter)).then(|| idle_threads(&self.adapter))
    }

    /// Checks every value, for batches of that size.
    ///
    /// # Errors
    /// The first value that is not allowed.
    pub fn validate(&self, batch: usize) -> Result<()> {
        check(
            self.micro_batch
                .is_none_or(|micro| micro > 0 && batch.is_multiple_of(micro)),
            "micro_batch",
            &format!("must be at least 1 sample and divide the batch of {batch}"),
            self.micro_batch.unwrap_or(0),
        )?;
        check(
            self.exchange != Precision::F16,
            "exchange",
            "must be f32 or bf16 (f16 loses small gradients)",
            self.exchange,
        )?;
        check(
            self.dense_above.is_none_or(|x| x.is_finite() && x >= 0.0),
            "dense_above",
            "must be a density of 0 or more, above 1 for never",
            self.dense_above.unwrap_or(0.0),
        )?;
        check(
            !self.adapter.trim().is_empty(),
            "adapter",
            "must be auto, cpu, an index or a part of a name",
            &self.adapter,
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
