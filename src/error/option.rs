//! The names of options in messages: as in the library's structs, `round_every`, until the program chooses others.

use std::fmt;
use std::sync::OnceLock;

static CALLED: OnceLock<fn(&str) -> String> = OnceLock::new();

/// Makes messages of this process use these names for options from now on, such as `--round-every` for `round_every` on
/// a command line. Programs call this once, before anything else; later calls have no effect.
pub fn name_options(name: fn(&str) -> String) {
    // With a second naming, messages would mix two languages.
    let _ = CALLED.set(name);
}

/// An option by its name in the library, to be written into messages: it is printed under the program's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionName<'a>(pub &'a str);

impl fmt::Display for OptionName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match CALLED.get() {
            Some(name) => f.write_str(&name(self.0)),
            None => write!(f, "`{}`", self.0),
        }
    }
}

macro_rules! options {
    ($($name:ident = $option:literal,)+) => {
        $(pub(crate) const $name: OptionName<'static> = OptionName($option);)+

        #[cfg(test)]
        pub(crate) const ALL: &[OptionName<'static>] = &[$($name),+];
    };
}

// The options that texts of the library give advice about: first those of a configuration, then those of commands only.
options! {
    ACTIVATIONS = "activations",
    ADAPTER = "adapter",
    ASSIGNMENT = "assignment",
    AUGMENT = "augment",
    BALANCE = "balance",
    BATCH = "batch",
    BEST_METRIC = "best_metric",
    CLASS_WEIGHTS = "class_weights",
    CONNECTIONS = "connections",
    CUTMIX = "cutmix",
    DATA = "data",
    DATA_DIR = "data_dir",
    DENSE_ABOVE = "dense_above",
    EPOCHS = "epochs",
    FUSED = "fused",
    HIDDEN = "hidden",
    IGNORE = "ignore",
    IMAGE_SIZE = "image_size",
    INIT = "init",
    INIT_DENSE = "init_dense",
    LABEL_SMOOTHING = "label_smoothing",
    LOSS = "loss",
    LR = "lr",
    LR_SCHEDULE = "lr_schedule",
    METHOD = "method",
    EXCHANGE = "exchange",
    MICRO_BATCH = "micro_batch",
    MILESTONES = "milestones",
    MISSING = "missing",
    MIXUP = "mixup",
    MODEL = "model",
    OPTIMISER = "optimiser",
    PATIENCE = "patience",
    RAND_AUGMENT = "rand_augment",
    RESIDENT = "resident",
    RESIZE = "resize",
    ROUND_BATCHES = "round_batches",
    ROUND_EVERY = "round_every",
    ROUND_UNTIL = "round_until",
    SCOPE = "scope",
    SKIP_BAD_IMAGES = "skip_bad_images",
    SPARSITY = "sparsity",
    STEPS = "steps",
    STREAM = "stream",
    TARGET = "target",
    TASK = "task",
    TEST = "test",
    VAL_SPLIT = "val_split",
    WARMUP_EPOCHS = "warmup_epochs",
    WEIGHT = "weight",
    WIDTH = "width",
    WORKERS = "workers",

    CHECK = "check",
    CONFIG = "config",
    LIMIT = "limit",
    NAME = "name",
    NO_VERIFY = "no_verify",
    OUT = "out",
    RUNS = "runs",
    SAVE_EVERY = "save_every",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_has_its_name_of_the_library_where_nobody_says_another() {
        assert_eq!(format!("a higher {LR}"), "a higher `lr`");
    }
}
