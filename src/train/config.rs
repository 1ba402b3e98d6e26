//! [`TrainConfig`]: one struct that is the command line of `rootlet train` and the `config.toml` of a run.
//!
//! A value comes from the flag if it was given, else from `ROOTLET_ADAPTER` (the adapter only), else from the file, else
//! from [`TrainConfig::default`]. A field is written down twice only, in the struct and in `Default`: clap and serde derive
//! the rest, and `ConfigFlags` lays the flags that were really given over whatever was there before.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::data::{Augmentation, ImageShape};
use crate::files;
use crate::model::MODELS;
use crate::sparse::Assignment;
use crate::topology::from_dense::TOPKAST_BACKWARD;
use crate::topology::{LOTTERY_CYCLES, Scope};
use crate::{Error, Result};
use derive::AUTO;

mod change;
mod derive;
#[cfg(feature = "cli")]
mod flags;
mod idle;
mod number;
#[cfg(feature = "cli")]
mod text;
#[cfg(not(feature = "cli"))]
#[path = "config/plain_text.rs"]
mod text;
mod validate;

#[cfg(feature = "cli")]
pub use flags::ConfigFlags;
pub use idle::idle_threads;
pub use number::{Whole, real, whole, within};

/// A list in one command-line value, as in `256,256`. (clap treats a plain `Vec` as a repeated flag.)
type List<T> = Vec<T>;

/// How connections are pruned and grown during training.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum MethodName {
    /// The initial graph stays as it is
    Static,
    /// Prune the smallest weights, grow at random
    Set,
    /// Prune the smallest weights, grow those of the largest gradient among all pairs
    Rigl,
    /// Guided stochastic exploration, candidates drawn uniformly
    GseUniform,
    /// The same, drawn by the upper bound of the gradient
    GseGrabo,
    /// The same, drawn by an unbiased estimate of the gradient
    GseGraest,
    /// Before the first step, keep the connections of a dense network of the largest |gradient × weight|
    Snip,
    /// The same, those that preserve the gradient flow
    Grasp,
    /// The same, those of the largest synaptic flow: needs no data
    Synflow,
    /// Dense at first, pruned by magnitude as it trains
    Gradual,
    /// Dense to the end, pruned by magnitude, set back to the beginning and trained again (--lottery-cycles)
    Lottery,
    /// The forward pass uses the largest weights, gradients are computed for more (--topkast-backward), chosen from dense ones
    Topkast,
    /// All connections, whatever --sparsity says
    Dense,
}

impl MethodName {
    /// Every method.
    pub const ALL: [MethodName; 13] = [
        MethodName::Static,
        MethodName::Set,
        MethodName::Rigl,
        MethodName::GseUniform,
        MethodName::GseGrabo,
        MethodName::GseGraest,
        MethodName::Snip,
        MethodName::Grasp,
        MethodName::Synflow,
        MethodName::Gradual,
        MethodName::Lottery,
        MethodName::Topkast,
        MethodName::Dense,
    ];
}

impl fmt::Display for MethodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// The headings of the flags in the help.
#[cfg(feature = "cli")]
mod heading {
    pub const DATA: &str = "Data";
    pub const MODEL: &str = "Model";
    pub const TOPOLOGY: &str = "Topology";
    pub const OPTIMISER: &str = "Optimiser";
    pub const MACHINE: &str = "Machine";
}
#[cfg(feature = "cli")]
use heading::*;

/// Everything that decides what a training run computes.
///
/// To read it from a command line, flatten `ConfigFlags`, not this: its flags have no defaults of their own, which is how
/// a flag that was given is told from one that was not. The defaults train on the embedded digits in well under a minute.
///
/// ```
/// use rootlet::train::TrainConfig;
/// let config = TrainConfig { hidden: vec![512], sparsity: 0.98, ..TrainConfig::default() };
/// config.validate()?;
/// # Ok::<(), rootlet::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::Args))]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// Data set: digits (embedded), mnist, fashion-mnist, cifar10, cifar100 or image-folder (train/CLASS/*, val/CLASS/*)
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME", help_heading = DATA))]
    pub data: String,
    /// Folder with the data set's files, as they are downloaded; digits needs none
    #[cfg_attr(feature = "cli", arg(long, value_name = "DIR", help_heading = DATA))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_dir: Option<PathBuf>,
    /// Use only the first N images of each split (0: all)
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = DATA))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,

    /// How training images are varied: none, flip, pad-crop-flip, resized-crop-flip or plain-crop-flip; auto: as is usual
    /// for the data set, not at all for mlp
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME", help_heading = DATA))]
    pub augment: String,
    /// Side of an image folder's images, in pixels
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = DATA))]
    pub image_size: usize,
    /// Shorter side of an image folder's images before the middle is cut out, or a plain crop [default: 8/7 of --image-size;
    /// the size itself below 128]
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = DATA))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resize: Option<usize>,

    /// Share of an image folder's training images that test instead, by class and by --seed: where it has neither val/,
    /// validation/, valid/ nor test/
    #[cfg_attr(feature = "cli", arg(long, value_name = "SHARE", help_heading = DATA))]
    pub val_split: f64,

    /// Go on without images of a folder that cannot be read: in training another one of the class takes the place, in tests they
    /// are left out; the end of the run lists them
    #[cfg_attr(feature = "cli", arg(long, value_name = "BOOL", action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_possible_values = true, help_heading = DATA))]
    pub skip_bad_images: bool,

    /// Model: mlp, resnet20 to resnet110, vgg11-small to vgg19-small, simple-vit-tiny, simple-vit, resnet18, resnet34 or
    /// resnet50; auto: mlp, or resnet18 for images of more than 64 × 64 pixels where --hidden is not given; `rootlet model NAME`
    /// shows its layers
    #[cfg_attr(feature = "cli", arg(long, value_name = "NAME", help_heading = MODEL))]
    pub model: String,
    /// Factor of all channels and hidden widths
    #[cfg_attr(feature = "cli", arg(long, value_name = "FACTOR", help_heading = MODEL))]
    pub width: f64,
    /// Widths of the hidden layers of mlp, as in 1024,1024 (none: no hidden layer)
    #[cfg_attr(feature = "cli", arg(long, value_name = "WIDTHS", value_parser = |text: &str| flags::parse_list(text, whole::<usize>), help_heading = MODEL))]
    pub hidden: List<usize>,
    /// Share of all possible connections that do not exist: 0 (dense) to 0.9999 and more, while every layer keeps one
    #[cfg_attr(feature = "cli", arg(long, value_name = "SHARE", help_heading = MODEL))]
    pub sparsity: f64,
    /// Number of connections in place of --sparsity (0: by sparsity): it stays when --width grows
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = MODEL))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connections: Option<u64>,
    /// How the connections are divided among the layers
    #[cfg_attr(feature = "cli", arg(long, value_enum, value_name = "NAME", help_heading = MODEL))]
    pub assignment: Assignment,

    /// How connections are pruned and grown during training
    #[cfg_attr(feature = "cli", arg(long, value_enum, value_name = "NAME", help_heading = TOPOLOGY))]
    pub method: MethodName,
    /// Prunings of the method lottery: it trains all epochs once more than that
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = TOPOLOGY))]
    pub lottery_cycles: u32,
    /// Connections that topkast trains, for each one that its forward pass uses
    #[cfg_attr(feature = "cli", arg(long, value_name = "FACTOR", help_heading = TOPOLOGY))]
    pub topkast_backward: f64,
    /// Rank weights and candidates within each layer or over the whole model
    #[cfg_attr(feature = "cli", arg(long, value_enum, value_name = "NAME", help_heading = TOPOLOGY))]
    pub scope: Scope,
    /// Candidates drawn in a round, per active connection
    #[cfg_attr(feature = "cli", arg(long, value_name = "FACTOR", help_heading = TOPOLOGY))]
    pub gamma: f64,
    /// Draw candidates again until they are --gamma distinct inactive pairs per active connection, or all that a layer has;
    /// else what one draw finds is taken
    // Takes a value so that `=false` can override a file.
    #[cfg_attr(feature = "cli", arg(long, value_name = "BOOL", action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_possible_values = true, help_heading = TOPOLOGY))]
    pub distinct_candidates: bool,
    /// Batches that score the candidates of a round: the step's own, and further ones with the weights as they are
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = TOPOLOGY))]
    pub round_batches: usize,
    /// Share of the connections replaced in a round, at the start; it falls to 0 along a cosine
    #[cfg_attr(feature = "cli", arg(long, value_name = "SHARE", help_heading = TOPOLOGY))]
    pub alpha: f64,
    /// Optimiser steps between two prune-and-grow rounds (T)
    #[cfg_attr(feature = "cli", arg(long, visible_alias = "interval", value_name = "STEPS", help_heading = TOPOLOGY))]
    pub round_every: u64,
    /// Epoch after which the topology stays as it is (T_end) [default: 0.6 × the epochs]
    #[cfg_attr(feature = "cli", arg(long, visible_alias = "until", value_name = "EPOCH", help_heading = TOPOLOGY))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub round_until: Option<f64>,
    /// Follow what the rounds explore: ever active pairs, dead units, rank correlations; costs host time, changes no result
    #[cfg_attr(feature = "cli", arg(long, value_name = "BOOL", action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_possible_values = true, help_heading = TOPOLOGY))]
    pub statistics: bool,

    /// Passes over the training images
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = OPTIMISER))]
    pub epochs: u32,
    /// Stop after N optimiser steps, even within an epoch (0: no such limit)
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = OPTIMISER))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<u64>,
    /// Images in a step
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = OPTIMISER))]
    pub batch: usize,
    /// Images on the device at once, a divisor of --batch: gradients of the parts add up [default: as many as fit]
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = MACHINE))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub micro_batch: Option<usize>,
    /// Keep few activations and compute the others again for the backward pass: less memory, more time
    // Takes a value so that `=false` can override a file.
    #[cfg_attr(feature = "cli", arg(long, value_name = "BOOL", action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_possible_values = true, help_heading = MACHINE))]
    pub checkpoint_activations: bool,
    /// Keep all training images on the device, which then makes the batches itself: the same ones [default: on a GPU with room]
    #[cfg_attr(feature = "cli", arg(long, value_name = "BOOL", action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_possible_values = true, help_heading = MACHINE))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resident: Option<bool>,
    /// Density from which on a layer's products are dense; above 1: never [default: as measured, by kind of adapter]
    #[cfg_attr(feature = "cli", arg(long, value_name = "DENSITY", help_heading = MACHINE))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dense_above: Option<f64>,
    /// Learning rate after the warm-up
    #[cfg_attr(feature = "cli", arg(long, value_name = "RATE", help_heading = OPTIMISER))]
    pub lr: f64,
    /// Momentum of the gradient descent
    #[cfg_attr(feature = "cli", arg(long, value_name = "FACTOR", help_heading = OPTIMISER))]
    pub momentum: f64,
    /// Nesterov's form of the momentum
    // Takes a value so that `--nesterov=false` can override a file.
    #[cfg_attr(feature = "cli", arg(long, value_name = "BOOL", action = clap::ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", hide_possible_values = true, help_heading = OPTIMISER))]
    pub nesterov: bool,
    /// Weight decay (L2), added to the gradient
    #[cfg_attr(feature = "cli", arg(long, value_name = "FACTOR", help_heading = OPTIMISER))]
    pub weight_decay: f64,
    /// Share of the target spread evenly over all classes
    #[cfg_attr(feature = "cli", arg(long, value_name = "SHARE", help_heading = OPTIMISER))]
    pub label_smoothing: f64,
    /// Epochs in which the learning rate rises linearly to --lr
    #[cfg_attr(feature = "cli", arg(long, value_name = "EPOCHS", help_heading = OPTIMISER))]
    pub warmup_epochs: f64,
    /// Epochs at which the learning rate is multiplied by --lr-decay, as in 8,12
    #[cfg_attr(feature = "cli", arg(long, value_name = "EPOCHS", value_parser = |text: &str| flags::parse_list(text, real), help_heading = OPTIMISER))]
    pub milestones: List<f64>,
    /// Factor of the learning rate at a milestone
    #[cfg_attr(feature = "cli", arg(long, value_name = "FACTOR", help_heading = OPTIMISER))]
    pub lr_decay: f64,
    /// Seed of all random numbers: the same seed and adapter give the same bits
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = OPTIMISER))]
    pub seed: u32,

    /// Adapter to train on: auto, cpu, an index of `rootlet adapters`, or a part of a name
    #[cfg_attr(feature = "cli", arg(long, value_name = "ADAPTER", env = "ROOTLET_ADAPTER", help_heading = MACHINE))]
    pub adapter: String,
    /// Threads of the CPU executor (0: one per core); the result does not depend on it
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = MACHINE))]
    pub threads: usize,
    /// Threads that prepare batches ahead of the device; the result does not depend on it
    #[cfg_attr(feature = "cli", arg(long, value_name = "N", help_heading = MACHINE))]
    pub workers: usize,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            data: "digits".to_owned(),
            data_dir: None,
            limit: None,
            augment: AUTO.to_owned(),
            image_size: 224,
            resize: None,
            val_split: 0.1,
            skip_bad_images: false,
            model: AUTO.to_owned(),
            width: 1.0,
            hidden: vec![256, 256],
            sparsity: 0.9,
            connections: None,
            assignment: Assignment::ErdosRenyi,
            method: MethodName::GseUniform,
            lottery_cycles: LOTTERY_CYCLES,
            topkast_backward: TOPKAST_BACKWARD,
            scope: Scope::Layer,
            // gamma, alpha, momentum and weight decay: Heddes et al., arXiv 2401.06898, CIFAR set-up.
            gamma: 1.0,
            distinct_candidates: false,
            round_batches: 1,
            alpha: 0.2,
            round_every: 100,
            round_until: None,
            statistics: true,
            epochs: 20,
            steps: None,
            batch: 32,
            micro_batch: None,
            checkpoint_activations: false,
            resident: None,
            dense_above: None,
            lr: 0.1,
            momentum: 0.9,
            nesterov: false,
            weight_decay: 1e-4,
            label_smoothing: 0.0,
            warmup_epochs: 0.0,
            milestones: Vec::new(),
            lr_decay: 0.1,
            seed: 1,
            adapter: "auto".to_owned(),
            threads: 0,
            workers: 1,
        }
    }
}

/// T_end as a share of all epochs where none is given: epoch 120 of 200 in Heddes et al., arXiv 2401.06898.
const ROUND_UNTIL_SHARE: f64 = 0.6;

impl TrainConfig {
    /// T_end in epochs: as given, or 0.6 × the epochs.
    pub fn round_until(&self) -> f64 {
        let share = ROUND_UNTIL_SHARE * f64::from(self.epochs);
        // The number that people would write: 3.6 for 6 epochs, and not 3.5999999999999996, as older versions saved it.
        let plain = (share * 10.0).round() / 10.0;
        match self.round_until {
            Some(until) if until != share => until,
            _ => plain,
        }
    }

    /// The name of a run that was given none, on images of this size: the data set, the model unless it is a perceptron, and the
    /// method.
    pub fn run_name(&self, shape: ImageShape) -> String {
        match self.model_for(shape) {
            name if name == MODELS[0] => format!("{}-{}", self.data, self.method),
            name => format!("{}-{name}-{}", self.data, self.method),
        }
    }

    /// Validates, and replaces what depends on the working directory or has two forms, so that the result, saved, repeats the run
    /// from anywhere: `data_dir` becomes absolute, and a `limit`, `steps` or `connections` of 0 none. What follows from other
    /// values is left to them: see [`TrainConfig::with_derived`].
    pub fn resolve(mut self) -> Result<Self> {
        self.validate()?;
        self.limit = self.limit.filter(|&limit| limit > 0);
        self.steps = self.steps.filter(|&steps| steps > 0);
        self.connections = self.connections.filter(|&connections| connections > 0);
        self.round_until = self.round_until.map(|_| self.round_until());
        if let Some(dir) = &self.data_dir {
            let full = std::path::absolute(dir).map_err(Error::io("find", dir))?;
            if full.to_str().is_none() {
                return Err(Error::Usage(format!(
                    "--data-dir {}: the folder's name is no text in UTF-8, as config.toml, which keeps it, has to be; rename it",
                    full.display()
                )));
            }
            self.data_dir = Some(full);
        }
        Ok(self)
    }

    /// This with every value that follows from others written out: what it means at this moment, for comparisons and readers. To
    /// be trained with or saved, it would no longer follow a change of those others.
    pub fn with_derived(&self) -> Self {
        let augment = self.augmentation().ok().and_then(Augmentation::name);
        Self {
            augment: augment.map_or_else(|| self.augment.clone(), str::to_owned),
            model: self.model_name().to_owned(),
            resize: Some(self.source().images.resize()),
            round_until: Some(self.round_until()),
            ..self.clone()
        }
    }

    /// Reads the text of a `config.toml`; what it leaves out is the default. `origin` names the file in messages.
    /// Values are not validated: flags may still override them.
    pub fn from_toml(text: &str, origin: &Path) -> Result<Self> {
        parse(text, origin, "configuration")
    }

    /// Reads a `config.toml`, as [`TrainConfig::from_toml`] does.
    pub fn load(path: &Path) -> Result<Self> {
        let text = files::read_text(path, files::Most::TYPED)?;
        Self::from_toml(&text, path)
    }

    /// Names of the values in which the two differ, as they stand in `config.toml`; one that is derived in one of them and written
    /// out in the other is no difference.
    pub fn differences(&self, other: &Self) -> Result<Vec<String>> {
        let (mine, theirs) = (self.with_derived().table()?, other.with_derived().table()?);
        let mut names: Vec<String> = mine
            .keys()
            .chain(theirs.keys().filter(|name| !mine.contains_key(*name)))
            .filter(|name| mine.get(*name) != theirs.get(*name))
            .cloned()
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Every value as text, by its name in `config.toml`; lists as on the command line, such as `256,256`.
    pub fn values(&self) -> Result<Vec<(String, String)>> {
        Ok(self
            .table()?
            .into_iter()
            .map(|(name, value)| (name, value_text(&value)))
            .collect())
    }

    /// This with the value `name` replaced.
    ///
    /// # Errors
    /// A name that is none, or a value that does not suit it.
    pub fn with_value(&self, name: &str, value: toml::Value) -> Result<Self> {
        let mut table = self.table()?;
        table.insert(name.to_owned(), value);
        table.try_into().map_err(|error: toml::de::Error| {
            Error::Usage(format!("`{name}`: {}", error.message().trim()))
        })
    }

    fn table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self)
            .map_err(|error| Error::Usage(format!("the configuration cannot be saved: {error}")))
    }
}

/// Reads a TOML file's text; an error names the file, the line and what is wrong.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, origin: &Path, what: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| format!(", line {}", before.matches('\n').count() + 1))
            .unwrap_or_default();
        let message = error.message().trim().replace('\n', "; ");
        let key = (error.span())
            .and_then(|span| key_of(text, span.start))
            .filter(|key| !message.contains(*key))
            .map(|key| format!("`{key}`: "))
            .unwrap_or_default();
        Error::Usage(format!("{what} {}{line}: {key}{message}", origin.display()))
    })
}

/// The key whose value begins at this place of a TOML file's text.
fn key_of(text: &str, at: usize) -> Option<&str> {
    let line = text.get(..at)?.rsplit('\n').next()?;
    let (key, _) = line.split_once('=')?;
    Some(key.trim())
}

/// A value as it would be typed after its flag.
fn value_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) if items.is_empty() => "none".to_owned(),
        toml::Value::Array(items) => list_text(items),
        other => other.to_string(),
    }
}

fn list_text<T: ToString>(list: &[T]) -> String {
    let items: Vec<String> = list.iter().map(T::to_string).collect();
    items.join(",")
}
