//! What a run trains, and how: the parts that a program can bring itself.

use std::sync::Arc;

use super::TrainConfig;
use crate::checkpoint::Objective;
use crate::data::{Dataset, TargetKind, Task};
use crate::error::{Error, Refusal, Result};
use crate::loss::{CrossEntropy, Loss, Metric};
use crate::model::{MODELS, Model};
use crate::optim::{LearningRate, Optimiser};
use crate::topology::Method;

/// The parts of a [`Trainer`](super::Trainer) besides its device, its configuration and its data. Each part may be one
/// of your own.
pub struct Setup {
    /// The layers.
    pub model: Model,
    /// How connections are pruned and grown.
    pub method: Box<dyn Method>,
    /// What training minimises.
    pub loss: Arc<dyn Loss>,
    /// What the network is evaluated by besides the loss; none for the loss alone.
    pub metric: Option<Arc<dyn Metric>>,
    /// How the gradients change the weights.
    pub optimiser: Arc<dyn Optimiser>,
    /// The learning rate of every step. It is not in checkpoints: give a resumed run the same one.
    pub learning_rate: Arc<dyn LearningRate>,
}

impl Setup {
    /// The parts that `config` describes, for these data.
    ///
    /// # Errors
    /// The model cannot be made like this; or as [`Setup::of`].
    pub fn new(config: &TrainConfig, data: &Dataset) -> Result<Self> {
        config.task.check(data)?;
        if data.preprocessing.is_some() {
            suits_tables(config, &data.name)?;
        }
        let model = config.build_model(data.shape, data.outputs())?;
        Self::for_targets(config, model, data.train.targets(), data.units())
    }

    /// The parts that `config` describes, except for the model. If it names neither a task nor a loss, samples have one
    /// class.
    ///
    /// # Errors
    /// [`Error::Value`] names a value that a part cannot have.
    pub fn of(config: &TrainConfig, model: Model) -> Result<Self> {
        let targets = config.task.targets(model.classes());
        Self::for_targets(config, model, targets, Vec::new())
    }

    /// As `config` says, except for the model, for samples with such targets; `units` are what values were divided by.
    fn for_targets(
        config: &TrainConfig,
        model: Model,
        targets: TargetKind,
        units: Vec<f32>,
    ) -> Result<Self> {
        let smoothing = config.optimiser.label_smoothing;
        let (loss, metric) = config.task.objective(targets, smoothing, units)?;
        Ok(Setup {
            model,
            method: config.topology.build_method(),
            loss,
            metric: Some(metric),
            optimiser: config.usual_optimiser().build_optimiser()?,
            learning_rate: config.usual_optimiser().build_learning_rate()?,
        })
    }

    /// Whether a training with this configuration has this objective; otherwise a program supplied its own.
    pub fn is_as_configured(config: &TrainConfig, objective: &Objective) -> bool {
        let targets = match objective.task.unwrap_or(Task::Classification) {
            Task::Classification => TargetKind::Labels,
            Task::MultiLabel => TargetKind::Flags(1),
            Task::Regression => TargetKind::Values(1),
        };
        let smoothing = config.optimiser.label_smoothing;
        let usual = config.task.objective(targets, smoothing, Vec::new());
        usual.is_ok_and(|(loss, metric)| {
            loss.name() == objective.loss && Some(metric.name()) == objective.metric.as_deref()
        })
    }

    /// What a checkpoint records about it.
    pub fn objective(&self) -> Objective {
        Objective {
            loss: self.loss.name().to_owned(),
            metric: self.metric.as_ref().map(|metric| metric.name().to_owned()),
            task: Some(Task::of(self.loss.targets(self.model.classes()))),
        }
    }

    /// Checks that it suits the data.
    ///
    /// # Errors
    /// It does not.
    pub(super) fn check(&self, data: &Dataset) -> Result<()> {
        let (model, shape) = (&self.model, data.shape);
        let outputs = model.classes();
        if model.input().size() != shape.features() || outputs < data.classes {
            return Err(Error::Model {
                model: model.name().to_owned(),
                why: format!(
                    "takes {}s of {} and tells {outputs} classes apart; the data set {} has {} × {} × {} and {}",
                    data.sample(),
                    model.input(),
                    data.name,
                    shape.channels,
                    shape.height,
                    shape.width,
                    data.classes
                ),
            });
        }
        let requested = self.loss.targets(outputs);
        let validation = data.validation.iter().map(|held| &held.images);
        for half in [&data.train, &data.test].into_iter().chain(validation) {
            let found = half.targets();
            if found != requested {
                return Err(Error::Objective {
                    what: "loss",
                    name: self.loss.name().to_owned(),
                    why: format!(
                        "compares {outputs} outputs with {requested} a sample, and the data set {} has {found}; give \
                         the Setup another loss, or the data other targets",
                        data.name
                    ),
                });
            }
        }
        match &self.metric {
            Some(metric) if !metric.takes(requested, outputs) => Err(Error::Objective {
                what: "metric",
                name: metric.name().to_owned(),
                why: format!(
                    "cannot compare {outputs} outputs with {requested} a sample; give the Setup another one, or none"
                ),
            }),
            _ => Ok(()),
        }
    }

    /// Whether its test loss is the plain cross-entropy of classes, which can be compared with that of guessing.
    pub(super) fn is_cross_entropy(&self) -> bool {
        let loss: &dyn std::any::Any = self.loss.as_ref();
        loss.is::<CrossEntropy>()
    }

    /// Whether samples have classes.
    pub(super) fn tells_classes(&self) -> bool {
        self.loss.targets(self.model.classes()) == TargetKind::Labels
    }
}

/// Checks that the model takes rows of a table.
///
/// # Errors
/// It takes only images.
fn suits_tables(config: &TrainConfig, name: &str) -> Result<()> {
    let model = config.model_name();
    match model == MODELS[0] {
        true => Ok(()),
        false => Err(Error::refused(Refusal::ModelOfImages {
            model: model.to_string(),
            data: name.to_owned(),
            instead: MODELS[0],
        })),
    }
}
