//! What is usual for a kind of data: the values that a configuration has where nothing was said.

use std::path::Path;

use super::optimiser::OptimiserConfig;
use super::train_config::TrainConfig;
use crate::data::is_path;
use crate::optim::OptimiserName;

/// What is usual for a kind of data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Usual {
    pub optimiser: OptimiserName,
    /// The learning rate of that optimiser, if it is not its usual one.
    pub lr: Option<f64>,
    /// Why, for `config.toml`.
    pub why: &'static str,
}

/// Images: as in Heddes et al., arXiv 2401.06898.
const IMAGES: Usual = Usual {
    optimiser: OptimiserName::Sgd,
    lr: None,
    why: "as is usual for images",
};
/// Tables: the squared errors of numbers grow without bound at SGD's usual learning rate, and AdamW's steps do not
/// depend on their size. Tables are small: at a rate of 0.001 many are not learned within the usual 20 epochs
/// (docs/guide/tables.md has the measurements).
const TABLES: Usual = Usual {
    optimiser: OptimiserName::AdamW,
    lr: Some(3e-3),
    why: "as is usual for tables: its steps do not depend on the size of errors",
};

impl Usual {
    /// What is usual for the data of this name.
    pub fn of(data: &str) -> Self {
        match is_path(data) && !Path::new(data).is_dir() {
            true => TABLES,
            false => IMAGES,
        }
    }
}

impl TrainConfig {
    /// The optimiser's section with what is usual for the data where nothing was said.
    pub fn usual_optimiser(&self) -> OptimiserConfig {
        let mut own = self.optimiser.clone();
        if own.optimiser.is_none() {
            let usual = Usual::of(&self.data.name);
            own.optimiser = Some(usual.optimiser);
            own.lr = own.lr.or(usual.lr);
        }
        own
    }

    /// Why a value that was not given is what it is, if its kind of data decides it.
    pub(super) fn why_usual(&self, key: &str) -> Option<&'static str> {
        let usual = Usual::of(&self.data.name);
        let decides = match key {
            "optimiser" => true,
            "lr" => usual.lr.is_some(),
            _ => false,
        };
        (decides && self.optimiser.optimiser.is_none()).then_some(usual.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_have_an_optimiser_of_their_own_unless_one_is_named() {
        let chosen = |data: &str, optimiser, lr| {
            let mut config = TrainConfig::default();
            config.data.name = data.to_owned();
            (config.optimiser.optimiser, config.optimiser.lr) = (optimiser, lr);
            let text = config.to_toml().unwrap();
            let own = config.usual_optimiser();
            assert_eq!(text.contains("as is usual for"), optimiser.is_none());
            (own.name(), own.lr())
        };
        let (sgd, adamw) = (OptimiserName::Sgd, OptimiserName::AdamW);
        assert_eq!(chosen("digits", None, None), (sgd, 0.1));
        assert_eq!(chosen("prices.csv", None, None), (adamw, 0.003));
        assert_eq!(chosen("prices.csv", None, Some(0.5)), (adamw, 0.5));
        assert_eq!(chosen("prices.csv", Some(sgd), None), (sgd, 0.1));
        // A run of a version without presets wrote its optimiser, and keeps its rate.
        assert_eq!(chosen("prices.csv", Some(adamw), None), (adamw, 0.001));
    }
}
