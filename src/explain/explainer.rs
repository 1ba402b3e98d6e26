//! The gradient of an output at a sample's inputs.

use super::smoothing::Smoothing;
use crate::checkpoint::Checkpoint;
use crate::data::table::{Preprocessing, Rule, TargetRule};
use crate::data::{Batch, DataRecord, Images, Loader, LoaderOptions, Targets};
use crate::engine::Device;
use crate::error::{Error, Misfit, Result};
use crate::model::Model;
use crate::network::Network;
use crate::train::{Predictor, TrainConfig, for_input_gradients, predicted_samples};

/// Samples, or noisy copies of one, that go through the network at once.
const BATCH: usize = 32;

/// A trained network that tells what its outputs depend on.
pub struct Explainer {
    predictor: Predictor,
    network: Network,
}

/// What one output depends on, for one sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The network's outputs, as [`Predictor::predict_all`] has them: logits, or values in their own unit.
    pub outputs: Vec<f32>,
    /// The output that is explained.
    pub output: usize,
    /// The sample, `[channel][y][x]` before normalisation; rows of tables as prepared for the network.
    pub inputs: Vec<f32>,
    /// The gradient of that output by each of `inputs`.
    pub gradient: Vec<f32>,
}

impl Explainer {
    /// The network of a checkpoint.
    ///
    /// # Errors
    /// As [`Predictor::load`].
    pub fn of_checkpoint(device: Device, checkpoint: &Checkpoint) -> Result<Self> {
        let (model, data) = Predictor::described(checkpoint)?;
        Self::new(device, checkpoint, data, &model)
    }

    /// The network of a checkpoint with a model of your own, for data as `data` describes them.
    ///
    /// # Errors
    /// As [`Predictor::new`].
    pub fn new(
        device: Device,
        checkpoint: &Checkpoint,
        data: &DataRecord,
        model: &Model,
    ) -> Result<Self> {
        let config = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
        let state = &checkpoint.snapshot.state;
        let predictor = Predictor::new(device, checkpoint, data, model)?;
        let batch = BATCH.min(config.run.batch);
        let network = for_input_gradients(predictor.device(), &config, model, state, batch)?;
        Ok(Self { predictor, network })
    }

    /// The same network, for predictions.
    pub fn predictor(&self) -> &Predictor {
        &self.predictor
    }

    /// What an output depends on, for each sample; without `output`, the one that is the answer: the largest.
    ///
    /// # Errors
    /// There is no such output, the samples have another size or cannot be read, or the device is lost.
    pub fn explain(
        &self,
        samples: &Images,
        output: Option<usize>,
        smoothing: Option<Smoothing>,
    ) -> Result<Vec<Explanation>> {
        smoothing.iter().try_for_each(Smoothing::check)?;
        let predictor = &self.predictor;
        if output.is_some_and(|output| output >= predictor.outputs()) {
            return Err(Error::OutOfRange {
                what: "the number of an output",
                value: output.unwrap_or(0).to_string(),
                must: "the network must have that output; they count from 0",
            });
        }
        let told = predictor.predict_all(samples)?;
        let chosen = told
            .classes()
            .into_iter()
            .map(|class| output.unwrap_or(class));
        let mut explanations: Vec<Explanation> = (told.rows().zip(chosen))
            .map(|(outputs, output)| Explanation {
                outputs: outputs.to_vec(),
                output,
                inputs: Vec::new(),
                gradient: Vec::new(),
            })
            .collect();
        let options = LoaderOptions {
            lanes: self.network.lanes(),
            ..LoaderOptions::of_batch(self.network.micro_batch())
        };
        let loader = Loader::start(
            samples.clone(),
            predictor.shape(),
            predictor.normalisation(),
            options,
        )?;
        let mut first = 0;
        for batch in loader {
            let batch = batch?;
            let own = explanations
                .get_mut(first..first + batch.count)
                .ok_or_else(left_out)?;
            match smoothing {
                None => self.plain(batch, own)?,
                Some(smoothing) => {
                    for (lane, explanation) in own.iter_mut().enumerate() {
                        let inputs = column(&batch.inputs, self.network.lanes(), lane);
                        let number = (first + lane) as u32;
                        self.smooth(inputs, explanation, smoothing, number)?;
                    }
                }
            }
            first += own.len();
        }
        let broken = |e: &Explanation| e.gradient.iter().any(|x| !x.is_finite());
        if let Some(sample) = explanations.iter().position(broken) {
            return Err(Error::Shape(Misfit::NotFinite {
                what: format!("the gradient at sample {sample}"),
                way_out: "the network's numbers are too large to explain it".to_owned(),
            }));
        }
        match first == explanations.len() {
            true => Ok(explanations),
            false => Err(left_out()),
        }
    }

    /// As [`Explainer::explain`], for samples as [`Predictor::predict`] takes them. Of a network that was trained on a
    /// table, inputs and gradients are those of its columns, in their own units; where a number is missing the gradient
    /// is 0.
    ///
    /// # Errors
    /// As [`Explainer::explain`] and [`Predictor::predict`].
    pub fn explain_numbers(
        &self,
        inputs: &[f32],
        output: Option<usize>,
        smoothing: Option<Smoothing>,
    ) -> Result<Vec<Explanation>> {
        let shape = self.predictor.shape();
        let Some(rules) = self.predictor.preprocessing() else {
            return self.explain(&predicted_samples(shape, inputs)?, output, smoothing);
        };
        let samples = predicted_samples(shape, &rules.inputs_of(inputs)?)?;
        let mut told = self.explain(&samples, output, smoothing)?;
        let rows = inputs.chunks_exact(rules.columns.len().max(1));
        for (explanation, row) in told.iter_mut().zip(rows) {
            explanation.gradient = by_column(rules, row, &explanation.gradient);
            explanation.inputs = row.to_vec();
        }
        Ok(told)
    }

    /// The gradients at the samples themselves.
    fn plain(&self, batch: Batch, explanations: &mut [Explanation]) -> Result<()> {
        let lanes = self.network.lanes();
        let mut weights = vec![0.0; self.network.outputs() * lanes];
        for (lane, explanation) in explanations.iter().enumerate() {
            weights[explanation.output * lanes + lane] = 1.0;
        }
        let found = self.gradients(&batch, &weights)?;
        for (lane, explanation) in explanations.iter_mut().enumerate() {
            self.put(
                explanation,
                column(&batch.inputs, lanes, lane),
                column(&found, lanes, lane),
            );
        }
        Ok(())
    }

    /// The mean of the gradients at noisy copies of a sample, whose inputs are normalised.
    fn smooth(
        &self,
        inputs: Vec<f32>,
        explanation: &mut Explanation,
        smoothing: Smoothing,
        number: u32,
    ) -> Result<()> {
        let (lanes, most) = (self.network.lanes(), self.network.micro_batch());
        let own = self.denormalised(&inputs);
        let lowest = own.iter().copied().fold(f32::INFINITY, f32::min);
        let highest = own.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let deviation = smoothing.noise * (highest - lowest).max(0.0);
        let mut weights = vec![0.0; self.network.outputs() * lanes];
        weights[explanation.output * lanes..][..lanes].fill(1.0);
        let mut sums = vec![0f64; inputs.len()];
        for first in (0..smoothing.copies).step_by(most) {
            let count = most.min(smoothing.copies - first);
            let mut batch = Batch {
                inputs: vec![0.0; inputs.len() * lanes],
                targets: Targets::zeros(self.network.targets(), lanes),
                count,
                weights: Vec::new(),
                index: 0,
            };
            for (input, &x) in inputs.iter().enumerate() {
                let deviation = deviation / self.deviation(input);
                for (lane, put) in batch.inputs[input * lanes..][..count]
                    .iter_mut()
                    .enumerate()
                {
                    let copy = (first + lane) as u32;
                    *put = x + deviation * smoothing.normal(number, copy, input as u32);
                }
            }
            let found = self.gradients(&batch, &weights)?;
            for (sum, row) in sums.iter_mut().zip(found.chunks_exact(lanes)) {
                *sum += row[..count].iter().map(|&g| f64::from(g)).sum::<f64>();
            }
        }
        let mean = sums
            .iter()
            .map(|sum| (sum / smoothing.copies as f64) as f32);
        self.put(explanation, inputs, mean.collect());
        Ok(())
    }

    fn gradients(&self, batch: &Batch, weights: &[f32]) -> Result<Vec<f32>> {
        let mut batch = batch.clone();
        // Nothing is compared.
        batch.targets = Targets::zeros(self.network.targets(), self.network.lanes());
        (self.network).input_gradients(self.predictor.device(), &batch, weights)
    }

    /// Takes inputs and gradients, both of normalised numbers, into an explanation.
    fn put(&self, explanation: &mut Explanation, inputs: Vec<f32>, gradient: Vec<f32>) {
        let unit = match self.predictor.preprocessing().map(|rules| &rules.target) {
            Some(TargetRule::Values { deviation, .. }) => {
                deviation.get(explanation.output).copied().unwrap_or(1.0) as f32
            }
            _ => 1.0,
        };
        let of_number = |(input, g): (usize, f32)| g * unit / self.deviation(input);
        explanation.gradient = gradient.into_iter().enumerate().map(of_number).collect();
        explanation.inputs = self.denormalised(&inputs);
    }

    /// The channel of an input.
    fn channel(&self, input: usize) -> usize {
        let shape = self.predictor.shape();
        input / (shape.height * shape.width).max(1)
    }

    /// What an input was divided by.
    fn deviation(&self, input: usize) -> f32 {
        let all = &self.predictor.normalisation().std;
        all.get(self.channel(input)).copied().unwrap_or(1.0)
    }

    fn denormalised(&self, inputs: &[f32]) -> Vec<f32> {
        let means = &self.predictor.normalisation().mean;
        let mean = |input: usize| means.get(self.channel(input)).copied().unwrap_or(0.0);
        let numbered = inputs.iter().enumerate();
        numbered
            .map(|(input, x)| x * self.deviation(input) + mean(input))
            .collect()
    }
}

/// One lane of `[feature][lanes]`.
fn column(values: &[f32], lanes: usize, lane: usize) -> Vec<f32> {
    values.chunks_exact(lanes).map(|row| row[lane]).collect()
}

/// The gradient by the columns of a table from that by the inputs.
fn by_column(rules: &Preprocessing, row: &[f32], gradient: &[f32]) -> Vec<f32> {
    let mut at = 0;
    (rules.columns.iter().zip(row))
        .map(|(column, x)| {
            let own = gradient.get(at).copied().unwrap_or(0.0);
            at += column.rule.inputs();
            match &column.rule {
                Rule::Number { deviation, .. } if !x.is_nan() => {
                    (f64::from(own) / deviation) as f32
                }
                Rule::Number { .. } | Rule::Category { .. } => 0.0,
            }
        })
        .collect()
}

/// The error for a source that leaves samples out.
fn left_out() -> Error {
    Error::Shape(Misfit::Samples {
        what: "some samples".to_owned(),
        why: "they cannot be read, and nothing explains them".to_owned(),
    })
}
