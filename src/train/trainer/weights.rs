//! The weights of samples in training: by their class, and their own.

use std::any::Any;
use std::sync::Arc;

use crate::data::{Batch, Dataset, Draws, Images, TargetKind, Targets, weigh_pair};
use crate::error::{Error, Refusal, Result};
use crate::loss::{BinaryCrossEntropy, Loss};
use crate::network::Part;
use crate::train::TrainConfig;
use crate::train::config::{ClassWeights, read_class_weights};

/// Weights of classes, from the configuration and the training part. The contents of a file are stored in the
/// configuration from then on.
///
/// # Errors
/// Weights of another number of classes than the data have, or a file that does not tell them.
fn of_classes(config: &mut TrainConfig, data: &Dataset) -> Result<Option<Vec<f32>>> {
    let classes = data.outputs();
    match config.task.class_weights()? {
        ClassWeights::None => Ok(None),
        ClassWeights::Balanced => balanced(data).map(Some),
        ClassWeights::File(path) => {
            let weights = read_class_weights(&path, &data.class_names, classes)?;
            let texts: Vec<String> = weights.iter().map(f32::to_string).collect();
            config.task.class_weights = texts.join(",");
            Ok(Some(weights))
        }
        ClassWeights::Given(weights) if weights.len() == classes => Ok(Some(weights)),
        ClassWeights::Given(weights) => Err(Error::refused(Refusal::ClassWeights {
            weights: weights.len(),
            data: data.name.clone(),
            classes,
        })),
    }
}

/// Weights with which each class counts the same. For one class per sample: the number of samples, divided by the
/// number of classes that have some and by the class's own number. For several classes: the samples to which it does
/// not apply over those to which it does. A class that gives nothing to weigh has weight 1.
fn balanced(data: &Dataset) -> Result<Vec<f32>> {
    let (train, classes) = (&data.train, data.outputs());
    let samples = train.len() as f64;
    let counts = counts(train, classes)?;
    let there = counts.iter().filter(|&&count| count > 0.0).count() as f64;
    let weight = |&count: &f64| match train.targets() {
        TargetKind::Flags(_) if count > 0.0 && count < samples => (samples - count) / count,
        TargetKind::Labels if count > 0.0 => samples / (there * count),
        _ => 1.0,
    };
    Ok(counts.iter().map(|count| weight(count) as f32).collect())
}

/// How often each class occurs.
fn counts(train: &Images, classes: usize) -> Result<Vec<f64>> {
    let mut counts = vec![0.0; classes];
    let source = train.source();
    if train.targets() == TargetKind::Labels {
        for number in 0..train.len() {
            counts[train.label(number) as usize] += 1.0;
        }
        return Ok(counts);
    }
    let mut inputs = vec![0.0; source.features()];
    let mut flags = vec![0.0; classes];
    for number in 0..train.len() {
        source.read(number, Draws::default(), &mut inputs, &mut flags)?;
        for (count, &flag) in counts.iter_mut().zip(&flags) {
            *count += f64::from(flag);
        }
    }
    Ok(counts)
}

/// The weights of classes in a form that a training can use: weights of samples by their class, or a loss that includes
/// them.
pub(super) struct Weighing {
    pub loss: Arc<dyn Loss>,
    /// For each class, if samples have one class each.
    pub of_label: Option<Vec<f32>>,
}

impl Weighing {
    /// As the configuration says.
    ///
    /// # Errors
    /// The number of weights differs from the number of classes, or samples have several classes and the loss is a
    /// program's own.
    pub fn new(config: &mut TrainConfig, data: &Dataset, loss: &Arc<dyn Loss>) -> Result<Self> {
        let weights = of_classes(config, data)?;
        if let (Some(weights), TargetKind::Flags(_)) = (&weights, data.train.targets()) {
            let own: &dyn Any = loss.as_ref();
            if !own.is::<BinaryCrossEntropy>() {
                return Err(Error::refused(Refusal::WeightsOfLoss { loss: loss.name() }));
            }
            return Ok(Weighing {
                loss: Arc::new(BinaryCrossEntropy::weighted(weights.clone())?),
                of_label: None,
            });
        }
        Ok(Weighing {
            loss: loss.clone(),
            of_label: weights,
        })
    }
}

/// Multiplies the weights of a batch's samples by those of their classes.
pub(super) fn weigh_batch(batch: &mut Batch, of_label: Option<&[f32]>) {
    let Some(of_label) = of_label else {
        return;
    };
    let of = |label: u32| of_label.get(label as usize).copied().unwrap_or(1.0);
    if batch.weights.is_empty() {
        batch.weights = vec![1.0; batch.labels().len()];
    }
    match &mut batch.targets {
        Targets::Labels(labels) => {
            let weights = batch.weights.iter_mut().zip(labels);
            weights.for_each(|(weight, label)| *weight *= of(*label));
        }
        Targets::Mixed(mixed) => {
            let pairs = mixed.labels.iter().zip(&mixed.others);
            let weights = batch.weights.iter_mut().zip(&mut mixed.shares);
            for ((weight, share), (label, other)) in weights.zip(pairs) {
                let (both, rest) = weigh_pair([of(*label), of(*other)], *share);
                *weight *= both;
                *share = rest;
            }
        }
        Targets::Flags(_) | Targets::Values(_) => {}
    }
}

/// As [`weigh_batch`], for a part of a batch of `train`, wherever it is made.
pub(super) fn weigh<'p>(mut part: Part<'p>, of_label: Option<&[f32]>, train: &Images) -> Part<'p> {
    match (&mut part, of_label) {
        (Part::Loaded(batch), _) => weigh_batch(batch, of_label),
        (Part::Resident(batch), Some(of_label)) => batch.weigh(|image| {
            let label = train.label(image as usize);
            of_label.get(label as usize).copied().unwrap_or(1.0)
        }),
        (Part::Resident(_), None) => {}
    }
    part
}
