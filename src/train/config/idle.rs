//! Values that have no effect. Flags with them are refused where they were typed: who types one expects something of it. Values from a
//! file stay, so that one file serves many methods and models.

use super::{MethodName, TrainConfig};
use crate::data::{IMAGE_FOLDER, NAMES};
use crate::engine::adapter::takes_threads;
use crate::model::MODELS;
use crate::topology::Candidates;
use crate::{Error, Result};

/// The flags that may have no effect, by their names in `config.toml`.
pub(super) const MAYBE_IDLE: [&str; 23] = [
    "data_dir",
    "image_size",
    "resize",
    "val_split",
    "skip_bad_images",
    "resident",
    "hidden",
    "width",
    "sparsity",
    "connections",
    "assignment",
    "lottery_cycles",
    "topkast_backward",
    "scope",
    "gamma",
    "distinct_candidates",
    "round_batches",
    "alpha",
    "round_every",
    "round_until",
    "statistics",
    "lr_decay",
    "threads",
];

/// Why a number of threads has no effect on an adapter.
pub fn idle_threads(adapter: &str) -> String {
    format!(
        "it is for the built-in CPU executor, and the adapter is {adapter}; --adapter cpu takes it"
    )
}

impl TrainConfig {
    /// This with the default in place of each value that has no effect: what two such configurations train is the same exactly if
    /// they are.
    ///
    /// # Errors
    /// None that a configuration can have.
    pub fn effective(&self) -> Result<Self> {
        let mut effective = self.table()?;
        let default = Self::default().table()?;
        effective.insert("model".to_owned(), self.model_name().into());
        for name in MAYBE_IDLE {
            let kept = match name {
                // What is chosen from a dense network is as many connections as were divided, which rounding decides.
                "assignment" => self.method != MethodName::Dense,
                // Only an adapter can tell.
                "threads" => true,
                _ => false,
            };
            if kept || why_idle(name, self)?.is_none() {
                continue;
            }
            match default.get(name) {
                Some(value) => drop(effective.insert(name.to_owned(), value.clone())),
                None => drop(effective.remove(name)),
            }
        }
        effective.try_into().map_err(|error: toml::de::Error| {
            Error::Usage(format!("the configuration: {}", error.message().trim()))
        })
    }
}

/// Why a value has no effect; none if it has one.
pub(super) fn why_idle(name: &str, config: &TrainConfig) -> Result<Option<String>> {
    use MethodName as M;
    let (model, method) = (config.model_name(), config.method);
    let perceptron = model == MODELS[0];
    let folder = config.data == IMAGE_FOLDER;
    let rule = config.build_method()?;
    let growth = rule.growth();
    let candidates = growth.candidates();
    let has_rounds = candidates != Candidates::None;
    let chosen = matches!(method, M::Snip | M::Grasp | M::Synflow);
    let (idle, why) = match name {
        "data_dir" => (
            config.data == NAMES[0],
            "the data set digits comes with rootlet; name another one with --data".to_owned(),
        ),
        "image_size" | "resize" | "val_split" => (
            !folder,
            format!(
                "the images of {} have their size and their parts; it is for --data {IMAGE_FOLDER}",
                config.data
            ),
        ),
        "skip_bad_images" => (
            !folder && config.skip_bad_images,
            format!(
                "the data set {} is read and checked as a whole",
                config.data
            ),
        ),
        "resident" => (
            folder && config.resident == Some(true),
            "the files of an image folder are decoded as they are needed, and stay where they are"
                .to_owned(),
        ),
        "hidden" => (
            !perceptron,
            format!("the model {model} has widths of its own, which --width scales"),
        ),
        "width" => (
            perceptron && config.hidden.is_empty(),
            "a perceptron without a hidden layer has no widths".to_owned(),
        ),
        "sparsity" | "connections" if method == M::Dense => {
            (true, "the method dense has all connections".to_owned())
        }
        "sparsity" => (
            config.connections.is_some_and(|n| n > 0),
            "--connections says how many there are".to_owned(),
        ),
        "assignment" => (
            chosen || method == M::Dense,
            format!("the method {method} does not begin with connections divided among the layers"),
        ),
        "lottery_cycles" => (
            method != M::Lottery,
            "it is for --method lottery".to_owned(),
        ),
        "topkast_backward" => (
            method != M::Topkast,
            "it is for --method topkast".to_owned(),
        ),
        "scope" => (
            !has_rounds && !matches!(method, M::Gradual | M::Lottery),
            format!("the method {method} has no two ways to rank"),
        ),
        "round_batches" => (
            config.round_batches > 1
                && !(matches!(candidates, Candidates::Sampled(_)) && growth.scores_by_step()),
            format!("the method {method} does not add up what several batches say of candidates"),
        ),
        "gamma" | "distinct_candidates" => (
            !matches!(candidates, Candidates::Sampled(_)),
            format!("the method {method} draws no candidates"),
        ),
        "alpha" => (
            !has_rounds,
            format!("the method {method} has no rounds that replace connections"),
        ),
        "round_every" => (
            !has_rounds && !matches!(method, M::Gradual | M::Topkast),
            format!("the method {method} has no rounds"),
        ),
        "round_until" => (
            !has_rounds && method != M::Gradual,
            format!("the method {method} has no rounds that end"),
        ),
        "statistics" => (
            !has_rounds,
            format!("the method {method} has no rounds that explore"),
        ),
        "threads" => (
            config.threads > 0 && !takes_threads(&config.adapter),
            idle_threads(&config.adapter),
        ),
        "lr_decay" => (
            config.milestones.is_empty(),
            "there are no --milestones at which it would be applied".to_owned(),
        ),
        _ => (false, String::new()),
    };
    Ok(idle.then_some(why))
}
