//! What a configuration stands for if several sections decide it: the names of its model and of its run, its data, how
//! images are varied, and what forward passes use.

use super::optimiser::OptimiserConfig;
use super::train_config::TrainConfig;
use super::usual::Usual;
use super::value::AUTO;
use crate::Result;
use crate::data::{Augmentation, DataOptions, ImageShape, usual_augmentation};
use crate::error::option::MODEL;
use crate::model::{MODELS, Model, ModelOptions, by_name};
use crate::network::Forward;
use crate::topology::Method;
use crate::topology::from_dense::Start;

impl TrainConfig {
    /// The model's name as far as known before the data set is read: as given, or by the size that an image folder's
    /// images get. The published images of other sets are small.
    pub fn model_name(&self) -> &str {
        self.model.name_for(self.data.pixels())
    }

    /// The model's name: as given, or by the size of the images.
    pub fn model_for(&self, shape: ImageShape) -> &str {
        self.model
            .name_for(shape.height.saturating_mul(shape.width))
    }

    /// Chooses the perceptron if its widths were given and no model was. Returns whether the size alone would have
    /// chosen another.
    pub fn takes_perceptron(&mut self) -> bool {
        self.model.takes_perceptron(self.data.pixels())
    }

    /// A note about a model that was not named, if it is not the usual one for images of this size.
    pub(crate) fn model_note(&self, shape: ImageShape) -> Option<String> {
        let model = self.model_for(shape);
        (self.model.name == AUTO && model != MODELS[0]).then(|| {
            format!(
                "the model is {model}, for no {MODEL} was given and images of {} × {} pixels are many inputs for a \
                 perceptron; {MODEL} mlp trains one all the same",
                shape.height, shape.width
            )
        })
    }

    /// The name of a run that was not given one, on images of this size: the data set, the model unless it is a
    /// perceptron, and the method.
    pub fn run_name(&self, shape: ImageShape) -> String {
        let (data, method) = (self.data.title(), self.topology.method);
        match self.model_for(shape) {
            name if name == MODELS[0] => format!("{data}-{method}"),
            name => format!("{data}-{name}-{method}"),
        }
    }

    /// This with every value that follows from others written out: its present meaning, for comparisons and readers. Do
    /// not train with it or save it, because those values would no longer follow the others.
    pub fn with_derived(&self) -> Self {
        let mut derived = self.clone();
        if let Some(name) = self.augmentation().ok().and_then(Augmentation::name) {
            derived.data.augment = name.to_owned();
        }
        derived.model.name = self.model_name().to_owned();
        derived.data.resize = Some(self.source().images.resize());
        derived.topology.round_until = Some(self.round_until());
        derived.optimiser = self.usual_optimiser();
        derived.optimiser.lr = Some(derived.optimiser.lr());
        derived.optimiser.weight_decay = Some(derived.optimiser.weight_decay());
        derived
    }

    /// The data set.
    pub fn source(&self) -> DataOptions {
        let mut source = self.data.options(self.run.seed);
        source.table.task = self.task.task();
        source.table.stream = self.machine.stream;
        source
    }

    /// How training images are varied.
    ///
    /// # Errors
    /// An unknown name of an augmentation or data set.
    pub fn augmentation(&self) -> Result<Augmentation> {
        match self.data.augment.as_str() {
            AUTO if self.model_name() == MODELS[0] => Ok(Augmentation::None),
            AUTO => usual_augmentation(&self.data.name),
            name => name.parse(),
        }
    }

    /// The model for images of this size and `classes` classes.
    ///
    /// # Errors
    /// The model is unknown or cannot take the images.
    pub fn build_model(&self, shape: ImageShape, classes: usize) -> Result<Model> {
        let options = ModelOptions {
            input: shape.extent(),
            classes,
            width: self.model.width,
            hidden: &self.model.hidden,
        };
        by_name(self.model_for(shape), &options)
    }

    /// What forward passes use of a network trained by `method`, if not every connection.
    ///
    /// # Errors
    /// As [`ModelConfig::allocate`](super::ModelConfig::allocate).
    pub fn forward(&self, model: &Model, method: &dyn Method) -> Result<Option<Forward>> {
        let Start::Backed(_) = method.start() else {
            return Ok(None);
        };
        let wanted = self.model.allocate(model)?;
        let dense: u64 = model.shapes().iter().map(|s| s.dense()).sum();
        let density = wanted.iter().sum::<u64>() as f64 / dense as f64;
        Ok(Some(Forward {
            counts: wanted.iter().map(|&n| n as usize).collect(),
            // Together with the optimiser's own decay, which all weights have, this is the weight decay over the
            // density.
            decay: (self.usual_optimiser().weight_decay() * (1.0 / density - 1.0)) as f32,
        }))
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
    use crate::optim::OptimiserName;

    #[test]
    fn tables_have_an_optimiser_of_their_own_unless_one_is_named() {
        let chosen = |data: &str, optimiser, lr| {
            let mut config = TrainConfig::default();
            config.data.name = data.to_owned();
            (config.optimiser.optimiser, config.optimiser.lr) = (optimiser, lr);
            let text = config.to_toml().unwrap();
            let own = config.usual_optimiser();
            assert_eq!(text.contains("  # as is usual for"), optimiser.is_none());
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
