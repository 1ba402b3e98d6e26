//! From a checkpoint, or a trainer, to the outputs for given samples.

use std::path::Path;
use std::sync::Arc;

use super::TrainConfig;
use super::setup::Setup;
use super::trainer::Trainer;
use crate::checkpoint::{self, Checkpoint, Which};
use crate::data::table::Preprocessing;
use crate::data::{
    self, DataRecord, ImageShape, Images, Loader, LoaderOptions, Normalisation, Targets, Vectors,
};
use crate::engine::{Device, DeviceOptions, StepState};
use crate::error::{Error, Misfit, Result};
use crate::model::Model;
use crate::network::{Network, NetworkOptions, NetworkState};
use crate::topology::method;

/// Samples at once, unless a configuration says fewer.
const BATCH: usize = 64;

/// A trained network for predictions: the newest or a certain checkpoint of a run, with the normalisation of its
/// training.
pub struct Predictor {
    device: Device,
    network: Network,
    shape: ImageShape,
    normalisation: Normalisation,
    class_names: Vec<String>,
    preprocessing: Option<Arc<Preprocessing>>,
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
        Ok(Self {
            which,
            ..Self::new(device, &checkpoint, data, &model)?
        })
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
        let rules = self.preprocessing.as_ref().ok_or_else(|| {
            Error::Usage("the network was trained on images, not on a table".to_owned())
        })?;
        self.predict_all(&data::table::rows_of(path.as_ref(), rules)?)
    }

    /// The outputs for all samples of a source, such as the test half of a data set; for a table, its rows as prepared
    /// for the network.
    ///
    /// # Errors
    /// The samples have another size or cannot be read, or the device is lost.
    pub fn predict_all(&self, samples: &Images) -> Result<Predictions> {
        let (network, device) = (&self.network, &self.device);
        let told = outputs(device, network, samples, self.shape, &self.normalisation)?;
        Ok(told.in_own_unit(self.preprocessing.as_deref()))
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
        let (network, device) = (self.network(), self.device());
        let told = self
            .by_averages(|| outputs(device, network, samples, data.shape, &data.normalisation))?;
        Ok(told.in_own_unit(data.preprocessing.as_deref()))
    }
}

/// A network's outputs for some samples: for classes logits, not probabilities.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    outputs: usize,
    /// `[sample][output]`.
    values: Vec<f32>,
}

impl Predictions {
    /// The same predictions with values in the target's own unit.
    fn in_own_unit(mut self, rules: Option<&Preprocessing>) -> Self {
        if let Some(rules) = rules {
            rules.to_own_unit(&mut self.values);
        }
        self
    }

    /// Number of samples.
    pub fn len(&self) -> usize {
        self.values.len() / self.outputs
    }

    /// Whether there are no samples.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All outputs, `[sample][output]`.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The outputs for each sample.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.values.chunks_exact(self.outputs)
    }

    /// The class of each sample: its largest output, or the lowest class among equal ones.
    pub fn classes(&self) -> Vec<usize> {
        let largest = |row: &[f32]| {
            let better = |best, c| if row[c] > row[best] { c } else { best };
            (1..row.len()).fold(0, better)
        };
        self.rows().map(largest).collect()
    }

    /// The softmax of each sample's outputs, `[sample][class]`: the probabilities, if the network was trained by
    /// cross-entropy.
    pub fn probabilities(&self) -> Vec<f32> {
        let mut all = self.values.clone();
        for row in all.chunks_exact_mut(self.outputs) {
            let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|z| *z = (*z - highest).exp());
            let total: f32 = row.iter().sum();
            row.iter_mut().for_each(|z| *z /= total);
        }
        all
    }
}

/// A network only for forward passes, which computes the same as that of a training with this configuration.
///
/// # Errors
/// The state does not belong to the model, or the device is too small.
pub fn for_tests(
    device: &Device,
    config: &TrainConfig,
    model: &Model,
    state: &NetworkState,
    batch: usize,
) -> Result<Network> {
    let options = options_for_tests(config, model, batch)?;
    let averaged = state.averaged();
    let state = averaged.as_ref().unwrap_or(state);
    Network::new(device, model, state, &options, method("static")?.as_ref())
}

impl Setup {
    /// As [`for_tests`]: a network of its model, with its loss and its metric.
    ///
    /// # Errors
    /// As [`for_tests`].
    pub fn for_tests(
        &self,
        device: &Device,
        config: &TrainConfig,
        state: &NetworkState,
        batch: usize,
    ) -> Result<Network> {
        let options = NetworkOptions {
            loss: self.loss.clone(),
            metric: self.metric.clone(),
            ..options_for_tests(config, &self.model, batch)?
        };
        let averaged = state.averaged();
        let state = averaged.as_ref().unwrap_or(state);
        let method = method("static")?;
        Network::new(device, &self.model, state, &options, method.as_ref())
    }
}

fn options_for_tests(config: &TrainConfig, model: &Model, batch: usize) -> Result<NetworkOptions> {
    Ok(NetworkOptions {
        micro_batch: config.machine.micro_batch.map(|part| part.min(batch)),
        forward: config.forward(model, config.topology.build_method().as_ref())?,
        dense_above: config.machine.dense_above,
        fused: config.machine.fused,
        activations: config.machine.activations,
        ..NetworkOptions::evaluation(batch)
    })
}

fn samples(shape: ImageShape, inputs: &[f32]) -> Result<Images> {
    let features = shape.features();
    let labels = vec![0u32; inputs.len() / features.max(1)];
    Ok(Vectors::new(features, inputs.to_vec(), labels)?.into())
}

fn outputs(
    device: &Device,
    network: &Network,
    samples: &Images,
    shape: ImageShape,
    normalisation: &Normalisation,
) -> Result<Predictions> {
    let (lanes, outputs) = (network.lanes(), network.outputs());
    let options = LoaderOptions {
        lanes,
        ..LoaderOptions::of_batch(network.micro_batch())
    };
    let mut values = Vec::with_capacity(samples.len() * outputs);
    for batch in Loader::start(samples.clone(), shape, normalisation, options)? {
        let mut batch = batch?;
        // Nothing is compared.
        batch.targets = Targets::zeros(network.targets(), lanes);
        network.load(device, &batch)?;
        network.test(device, StepState::whole(0, 0, batch.count, 0.0))?;
        let found: Vec<f32> = device.download(&network.logits())?;
        for lane in 0..batch.count {
            values.extend((0..outputs).map(|o| found[o * lanes + lane]));
        }
    }
    let (found, requested) = (values.len() / outputs, samples.len());
    if found != requested {
        return Err(Error::Shape(Misfit::Samples {
            what: format!("{} of {requested} samples", requested - found),
            why: "they cannot be read, and no outputs would stand for them".to_owned(),
        }));
    }
    Ok(Predictions { outputs, values })
}
