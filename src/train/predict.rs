//! From a checkpoint, or a trainer, to the outputs for given samples.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::TrainConfig;
use super::for_tests::for_tests;
use super::outputs::Way;
use super::predictions::Predictions;
use super::trainer::Trainer;
use crate::checkpoint::{self, Checkpoint, Which};
use crate::data::table::{Preprocessing, RowsToPredict, TargetRule, Watch};
use crate::data::{
    self, DataRecord, ImageOptions, ImageShape, Images, Normalisation, Photos, Task, Vectors,
};
use crate::engine::{Device, DeviceOptions};
use crate::error::{Error, Refusal, Result};
use crate::model::Model;
use crate::network::Network;

/// Samples at once, unless a configuration says fewer.
const BATCH: usize = 64;

/// Takes the number of a sample and its outputs, or why it was left out.
type Each<'a> = dyn FnMut(usize, Result<&[f32], String>) -> Result<()> + 'a;

/// A trained network for predictions: the newest or a certain checkpoint of a run, with the normalisation of its
/// training.
pub struct Predictor {
    device: Device,
    network: Network,
    shape: ImageShape,
    normalisation: Normalisation,
    class_names: Vec<String>,
    preprocessing: Option<Arc<Preprocessing>>,
    task: Task,
    images: ImageOptions,
    which: Option<Which>,
}

impl Predictor {
    /// Loads a checkpoint, or from a run folder the best one according to the validation part (the newest if none was
    /// chosen), on the default adapter.
    ///
    /// # Errors
    /// The checkpoint cannot be read, or is of an older version that did not record its data, or of a program's own
    /// model: [`Predictor::new`] takes these.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Self::load_on(Device::open("auto", &DeviceOptions::default())?, path)
    }

    /// Like [`Predictor::load`], on a device of your choice.
    ///
    /// # Errors
    /// As [`Predictor::load`].
    pub fn load_on(device: Device, path: impl AsRef<Path>) -> Result<Self> {
        let (checkpoint, which) = checkpoint::load_which(path.as_ref(), None)?;
        Ok(Self {
            which,
            ..Self::of_checkpoint(device, &checkpoint)?
        })
    }

    /// As [`Predictor::load_on`], from a checkpoint that has been read.
    ///
    /// # Errors
    /// As [`Predictor::load`].
    pub fn of_checkpoint(device: Device, checkpoint: &Checkpoint) -> Result<Self> {
        let (model, data) = Self::described(checkpoint)?;
        Self::new(device, checkpoint, data, &model)
    }

    /// What a checkpoint's network predicts, for data as `data` describes them.
    ///
    /// # Errors
    /// Its configuration cannot be read.
    pub(crate) fn task_of(checkpoint: &Checkpoint, data: &DataRecord) -> Result<Task> {
        let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
        Ok(task(checkpoint, data, &config))
    }

    /// The model of a checkpoint, and its data.
    ///
    /// # Errors
    /// As [`Predictor::load`].
    pub(crate) fn described(checkpoint: &Checkpoint) -> Result<(Model, &DataRecord)> {
        let refused = |reason: &str| Error::Checkpoint {
            path: checkpoint.path.clone(),
            reason: reason.to_owned(),
        };
        let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
        let Some(data) = &checkpoint.manifest.data else {
            return Err(refused(
                "it is of an older rootlet and does not tell of its data; give Predictor::new the model and a record \
                 of them",
            ));
        };
        let outputs = checkpoint.snapshot.state.layers.last();
        let outputs = outputs.map_or(0, |layer| layer.n_out);
        let model = config.build_model(data.shape, outputs)?;
        if checkpoint.snapshot.state.check(&model).is_err() {
            return Err(refused(
                "its layers are not those of its configuration, but of a program's own model; give that one to \
                 Predictor::new",
            ));
        }
        Ok((model, data))
    }

    /// Which checkpoint of its run it is; `None` if the checkpoint itself was named.
    pub fn which(&self) -> Option<Which> {
        self.which
    }

    /// Takes a checkpoint with a model of your own, for data as `data` describes them.
    ///
    /// # Errors
    /// The model's layers are not the checkpoint's, or the device is too small.
    pub fn new(
        device: Device,
        checkpoint: &Checkpoint,
        data: &DataRecord,
        model: &Model,
    ) -> Result<Self> {
        let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
        let state = &checkpoint.snapshot.state;
        Ok(Self {
            network: for_tests(&device, &config, model, state, BATCH.min(config.run.batch))?,
            device,
            shape: data.shape,
            normalisation: data.normalisation.clone(),
            class_names: data.classes.clone(),
            preprocessing: data.preprocessing.clone().map(Arc::new),
            task: task(checkpoint, data, &config),
            images: ImageOptions {
                size: data.shape.height,
                // Images of other sets are as large as the network's inputs, and nothing is cut off.
                resize: match data.name == data::IMAGE_FOLDER {
                    true => Some(config.source().images.resize()),
                    false => Some(data.shape.height),
                },
                skip_bad: false,
            },
            which: None,
        })
    }

    /// The outputs for samples `[sample][channel][y][x]` before normalisation: pixels are numbers from 0 to 1. For a
    /// network that was trained on a table, samples are rows `[sample][column]` of numbers in the columns' own units,
    /// with NaN for a missing one; outputs that are values are in the target's own unit.
    ///
    /// # Errors
    /// The inputs are not a whole number of samples or not finite, the table has columns of texts
    /// ([`Predictor::predict_file`] takes those), or the device is lost.
    pub fn predict(&self, inputs: &[f32]) -> Result<Predictions> {
        match &self.preprocessing {
            Some(rules) => self.predict_all(&samples(self.shape, &rules.inputs_of(inputs)?)?),
            None => self.predict_all(&samples(self.shape, inputs)?),
        }
    }

    /// As [`Predictor::predict`], for the rows of a file, whose columns are found by name. The target may be among them
    /// and is ignored.
    ///
    /// # Errors
    /// The network was not trained on a table, the file is not a table, or it has other columns.
    pub fn predict_file(&self, path: impl AsRef<Path>) -> Result<Predictions> {
        let rules = self.rules()?;
        let told = data::table::rows_of(path.as_ref(), rules, false, &|_, _| ())?;
        self.predict_all(&told.rows)
    }

    /// Image files, and all images in folders and below, as samples for this network; with `skip`, those that cannot be
    /// read are left out.
    ///
    /// # Errors
    /// The network does not take images, a path does not exist, or a folder holds something else and that is not left
    /// out.
    #[doc(hidden)]
    pub fn photos(&self, paths: &[PathBuf], skip: bool) -> Result<Images> {
        if self.preprocessing.is_some() {
            return Err(Error::refused(Refusal::OtherSamples {
                trained: "a table",
                given: "images",
            }));
        }
        let options = ImageOptions {
            skip_bad: skip,
            ..self.images
        };
        Ok(Photos::of(paths, self.shape, &options)?.into())
    }

    /// The rows of a table's file as samples for this network; with `skip`, those that it does not take are left out.
    ///
    /// # Errors
    /// As [`Predictor::predict_file`].
    #[doc(hidden)]
    pub fn rows(&self, path: &Path, skip: bool, watch: Watch<'_>) -> Result<RowsToPredict> {
        data::table::rows_of(path, self.rules()?, skip, watch)
    }

    fn rules(&self) -> Result<&Arc<Preprocessing>> {
        self.preprocessing.as_ref().ok_or_else(|| {
            Error::refused(Refusal::OtherSamples {
                trained: "images",
                given: "a table",
            })
        })
    }

    /// Whether the network was trained on a table.
    #[doc(hidden)]
    pub fn takes_tables(&self) -> bool {
        self.preprocessing.is_some()
    }

    /// What it predicts for a sample.
    pub fn task(&self) -> Task {
        self.task
    }

    /// Number of outputs: one per class, label or value.
    pub fn outputs(&self) -> usize {
        self.network.outputs()
    }

    /// Size of a sample as the network sees it.
    pub fn shape(&self) -> ImageShape {
        self.shape
    }

    /// The names of the outputs: classes, labels, or the columns of values; empty if they have no names.
    pub fn output_names(&self) -> &[String] {
        match self.preprocessing.as_deref().map(|rules| &rules.target) {
            Some(TargetRule::Values { columns, .. }) => columns,
            _ => &self.class_names,
        }
    }

    /// The outputs for each sample of a source, in order and as they are computed, as [`Predictor::predict_all`] has
    /// them; for one that was left out the reason.
    ///
    /// # Errors
    /// As [`Predictor::predict_all`], or an error of `each`.
    #[doc(hidden)]
    pub fn predict_each(&self, samples: &Images, each: &mut Each<'_>) -> Result<()> {
        self.way()
            .outputs(samples, &mut |number, outputs| match outputs {
                Ok(outputs) => {
                    if let Some(rules) = &self.preprocessing {
                        rules.to_own_unit(outputs);
                    }
                    each(number, Ok(outputs))
                }
                Err(why) => each(number, Err(why)),
            })
    }

    fn way(&self) -> Way<'_> {
        Way {
            device: &self.device,
            network: &self.network,
            shape: self.shape,
            normalisation: &self.normalisation,
        }
    }

    /// The outputs for all samples of a source, such as the test half of a data set; for a table, its rows as prepared
    /// for the network.
    ///
    /// # Errors
    /// The samples have another size or cannot be read, or the device is lost.
    pub fn predict_all(&self, samples: &Images) -> Result<Predictions> {
        let told = self.way().all(samples, self.task)?;
        Ok(told.in_own_unit(self.preprocessing.as_deref()))
    }

    /// The device that it computes on.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// How pixels or numbers become its inputs.
    pub(crate) fn normalisation(&self) -> &Normalisation {
        &self.normalisation
    }

    /// What is done with a table's columns, if it was trained on one.
    pub(crate) fn preprocessing(&self) -> Option<&Preprocessing> {
        self.preprocessing.as_deref()
    }

    /// The names of the classes, in the order of the outputs; empty if they have no names.
    pub fn class_names(&self) -> &[String] {
        &self.class_names
    }
}

impl Trainer {
    /// The current network's outputs, by the moving averages of its weights if there are any, for samples
    /// `[sample][channel][y][x]` before normalisation: pixels are numbers from 0 to 1.
    ///
    /// # Errors
    /// As [`Predictor::predict`].
    pub fn predict(&self, inputs: &[f32]) -> Result<Predictions> {
        let data = self.data();
        match &data.preprocessing {
            Some(rules) => self.predict_all(&samples(data.shape, &rules.inputs_of(inputs)?)?),
            None => self.predict_all(&samples(data.shape, inputs)?),
        }
    }

    /// Like [`Trainer::predict`], for all samples of a source, such as the test half of its data.
    ///
    /// # Errors
    /// As [`Predictor::predict_all`].
    pub fn predict_all(&self, samples: &Images) -> Result<Predictions> {
        let data = self.data();
        let way = Way {
            device: self.device(),
            network: self.network(),
            shape: data.shape,
            normalisation: &data.normalisation,
        };
        let task = Task::of(way.network.targets());
        let told = self.by_averages(|| way.all(samples, task))?;
        Ok(told.in_own_unit(data.preprocessing.as_deref()))
    }
}

pub(crate) fn samples(shape: ImageShape, inputs: &[f32]) -> Result<Images> {
    let features = shape.features();
    let labels = vec![0u32; inputs.len() / features.max(1)];
    Ok(Vectors::new(features, inputs.to_vec(), labels)?.into())
}

/// What a checkpoint's network predicts; files of older versions say it only by their table or configuration.
fn task(checkpoint: &Checkpoint, data: &DataRecord, config: &TrainConfig) -> Task {
    let of_table = data.preprocessing.as_ref().map(|rules| match rules.target {
        TargetRule::Classes { .. } => Task::Classification,
        TargetRule::Values { .. } => Task::Regression,
        TargetRule::Labels { .. } => Task::MultiLabel,
    });
    (of_table.or(checkpoint.manifest.objective.task))
        .unwrap_or_else(|| Task::of(config.task.targets(1)))
}
