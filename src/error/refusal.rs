//! What was asked for and cannot be done, as data: options that contradict each other or the data.

use std::fmt;
use std::path::PathBuf;

use super::Error;
use super::option::{
    ACTIVATIONS, ADAPTER, ASSIGNMENT, BALANCE, CHECK, CLASS_WEIGHTS, CONNECTIONS, CUTMIX, HIDDEN,
    IMAGE_SIZE, INIT, INIT_DENSE, LABEL_SMOOTHING, LOSS, MIXUP, MODEL, OptionName, RAND_AUGMENT,
    RESIDENT, RESIZE, SPARSITY, TASK, VAL_SPLIT, WIDTH,
};
use super::other_model::OtherModel;
use super::unshareable::Unshareable;
use crate::words::counted;

/// What cannot be done.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// More connections or units than 32-bit indices can count.
    Countless {
        /// All connections.
        connections: f64,
        /// Input and output units of all layers.
        units: f64,
    },
    /// A number of connections so low that a layer would have none.
    TooFewConnections {
        /// How many are asked for.
        connections: u64,
        /// Layers that they are divided among.
        layers: usize,
    },
    /// A model of images for the rows of a table.
    ModelOfImages {
        /// The model.
        model: String,
        /// The table.
        data: String,
        /// The model that takes rows.
        instead: &'static str,
    },
    /// Initial weights from a checkpoint and from a dense model at once.
    BothInits,
    /// Initial weights of a model that this one is not a wider form of.
    InitOfOtherModel {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// What differs.
        differs: OtherModel,
    },
    /// A loss that contradicts the task.
    LossOfOtherTask {
        /// The loss.
        loss: String,
        /// The task that it is for.
        of_loss: String,
        /// The task.
        task: String,
    },
    /// A task or a loss for other targets than the data have.
    Targets {
        /// The option that asks for it.
        option: OptionName<'static>,
        /// The option's value.
        value: String,
        /// The targets that it needs: "values".
        needs: String,
        /// The data set.
        data: String,
        /// The targets that it has.
        has: String,
        /// The task that they are for.
        task: String,
        /// What to do.
        way_out: String,
    },
    /// Weights of classes for data that have none.
    NoClasses {
        /// The weights.
        weights: String,
        /// The data set.
        data: String,
        /// The targets that it has.
        has: String,
    },
    /// Balanced classes for samples that have no single class.
    NoSingleClass {
        /// The data set.
        data: String,
        /// The targets that it has.
        has: String,
    },
    /// Label smoothing for a task without labels.
    Smoothing {
        /// The share that is smoothed.
        smoothing: f64,
        /// The task.
        task: String,
    },
    /// A number of class weights that differs from the number of classes.
    ClassWeights {
        /// How many weights there are.
        weights: usize,
        /// The data set.
        data: String,
        /// How many classes it has.
        classes: usize,
    },
    /// Weights of several classes a sample for a loss from outside the crate.
    WeightsOfLoss {
        /// The loss.
        loss: &'static str,
    },
    /// Mixed samples for a loss that knows only one class a sample.
    MixedClasses {
        /// The loss.
        loss: &'static str,
    },
    /// A variation of images for samples that are lists of numbers.
    NotImages {
        /// The option that asks for it.
        option: OptionName<'static>,
        /// The data set.
        data: String,
    },
    /// A variation of images for samples that are not bytes.
    NotBytes,
    /// Batches made by the device, of samples that only the loader can vary.
    ResidentMixes,
    /// Sizes at which no part can be cut out of images.
    ImageSizes {
        /// The part's side, in pixels.
        size: usize,
        /// The shorter side of resized images.
        resize: usize,
        /// The largest shorter side.
        most: u32,
    },
    /// Test images that are all training images.
    TestsNothing {
        /// Which images are, and of how many.
        found: String,
        /// What to do.
        way_out: String,
    },
    /// A share so small that no sample is held out.
    HoldsNone {
        /// The share.
        share: f64,
        /// Of how many images.
        images: usize,
    },
    /// A table whose columns are prepared otherwise than when the run began.
    OtherPreparation,
    /// A column of texts where only numbers can be given.
    TextColumn {
        /// The column.
        column: String,
    },
    /// A number that a column cannot have.
    NewNumber {
        /// The row, counted from 1.
        row: usize,
        /// The column.
        column: String,
        /// The number.
        number: f32,
    },
    /// Samples of another kind than the network was trained on.
    OtherSamples {
        /// What it was trained on: "a table".
        trained: &'static str,
        /// What it is not for: "images".
        given: &'static str,
    },
    /// A learning rate that is below 0 or not a number.
    LearningRate {
        /// The rate.
        rate: f32,
        /// The step, counted from 1.
        step: u64,
        /// Of how many steps.
        steps: u64,
    },
    /// Kernels to be compared with their twins on the executor that runs the twins.
    CheckOnCpu {
        /// The kernels, as they were asked for.
        kernel: String,
    },
    /// A check that compares no kernel.
    ChecksNothing {
        /// A part of the kernels' names; empty for all.
        kernels: String,
        /// Why none is compared.
        why: String,
    },
    /// A method that ranks all inactive pairs by scores that do not come from a step.
    RankedByStep {
        /// The method.
        method: String,
    },
    /// A topology round that was left before its exchange.
    RoundLeft,
    /// A benchmark without parts.
    NothingMeasured,
    /// A benchmark of a batch or a layer of size 0.
    SizeOfZero,
    /// The crossover, measured with activations of 16 bits.
    CrossoverInHalf,
    /// Figures of a benchmark that others cannot compare.
    Unshareable {
        /// What is missing or impossible.
        why: Unshareable,
    },
}

impl Error {
    /// An error that says what cannot be done.
    pub(crate) fn refused(what: Refusal) -> Self {
        Error::Refused(Box::new(what))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Countless { connections, units } => write!(
                f,
                "{connections} connections between {units} units are more than 2^32, all that can be counted; use a higher \
                 {SPARSITY} or a smaller {HIDDEN}"
            ),
            Refusal::TooFewConnections {
                connections,
                layers,
            } => write!(
                f,
                "{CONNECTIONS} {connections} leave a layer of the model without any, as they are divided among its {} \
                 ({ASSIGNMENT}); give more",
                counted(*layers as u64, "layer")
            ),
            Refusal::ModelOfImages {
                model,
                data,
                instead,
            } => write!(
                f,
                "{MODEL} {model} is for images, and {data} is a table; its rows are learned by {instead}"
            ),
            Refusal::InitOfOtherModel {
                checkpoint,
                differs,
            } => write!(
                f,
                "{INIT} {}: {differs}; only the last layer may be another one, and others wider: give the same {MODEL}, at \
                 least the same {WIDTH} and {HIDDEN}, and samples of the same size",
                checkpoint.display()
            ),
            Refusal::BothInits => write!(
                f,
                "{INIT} and {INIT_DENSE} both say what to begin with; leave one out"
            ),
            Refusal::LossOfOtherTask {
                loss,
                of_loss,
                task,
            } => write!(
                f,
                "{LOSS} {loss} is for {of_loss}, and {TASK} is {task}; use {LOSS} auto"
            ),
            Refusal::Targets {
                option,
                value,
                needs,
                data,
                has,
                task,
                way_out,
            } => write!(
                f,
                "{option} {value} compares outputs with {needs}, and the data set {data} has {has}, for {task}; {way_out}"
            ),
            Refusal::NoClasses { weights, data, has } => write!(
                f,
                "{CLASS_WEIGHTS} {weights} weigh classes, and the data set {data} has {has}; leave them out"
            ),
            Refusal::NoSingleClass { data, has } => write!(
                f,
                "{BALANCE} draws each class as often, and a sample of the data set {data} has no single class, but {has}; leave it \
                 out"
            ),
            Refusal::Smoothing { smoothing, task } => write!(
                f,
                "{LABEL_SMOOTHING} {smoothing} is for a class a sample, and the task is {task}; leave it out"
            ),
            Refusal::ClassWeights {
                weights,
                data,
                classes,
            } => write!(
                f,
                "{CLASS_WEIGHTS} has {weights} numbers, and the data set {data} has {classes} classes; give one for each, in their \
                 order"
            ),
            Refusal::WeightsOfLoss { loss } => write!(
                f,
                "{CLASS_WEIGHTS} of several classes a sample are the business of the loss, and {loss} is not one of this crate; \
                 leave them out"
            ),
            Refusal::MixedClasses { loss } => write!(
                f,
                "{MIXUP} and {CUTMIX} give a sample two classes, which {loss} does not know; leave them out"
            ),
            Refusal::NotImages { option, data } => write!(
                f,
                "{option} varies images, and a sample of the data set {data} is a list of numbers; leave it out"
            ),
            Refusal::NotBytes => write!(
                f,
                "{RAND_AUGMENT} varies images of bytes, and these samples are numbers; leave it out"
            ),
            Refusal::ResidentMixes => write!(
                f,
                "{RESIDENT} has the device make batches, and {MIXUP}, {CUTMIX} and {RAND_AUGMENT} are the loader's work; leave one of \
                 them out"
            ),
            Refusal::ImageSizes { size, resize, most } => write!(
                f,
                "parts of {size} × {size} pixels cannot be cut out of images whose shorter side is resized to {resize}; \
                 {IMAGE_SIZE} must be at least 1 and at most {RESIZE}, and that at most {most}"
            ),
            Refusal::TestsNothing { found, way_out } => {
                write!(f, "{found}, and training images test nothing: {way_out}")
            }
            Refusal::HoldsNone { share, images } => write!(
                f,
                "a {VAL_SPLIT} of {share} holds out none of {images} images, because one of each class stays; give a larger one"
            ),
            Refusal::OtherPreparation => write!(
                f,
                "the columns of the table were prepared otherwise when the run began: load it with what the checkpoint has of that \
                 (`DataOptions::table.prepared`)"
            ),
            Refusal::TextColumn { column } => write!(
                f,
                "the column `{column}` is of texts, not of numbers; give the rows as a file"
            ),
            Refusal::NewNumber {
                row,
                column,
                number,
            } => write!(
                f,
                "row {row}, column `{column}`: {number} is no number that training had"
            ),
            Refusal::OtherSamples { trained, given } => {
                write!(f, "the network was trained on {trained}, not on {given}")
            }
            Refusal::LearningRate { rate, step, steps } => write!(
                f,
                "the learning rate of step {step} of {steps} is {rate}; it has to be a number, and not below 0"
            ),
            Refusal::CheckOnCpu { kernel } => write!(
                f,
                "{CHECK} {kernel} has no effect here: the CPU executor runs the twins themselves, and a kernel is compared with its \
                 twin; leave it out, or train on another {ADAPTER}"
            ),
            Refusal::ChecksNothing { kernels, why } => {
                write!(f, "a check of ")?;
                match kernels.as_str() {
                    "" => f.write_str("all kernels")?,
                    part => write!(f, "kernels whose names contain `{part}`")?,
                }
                write!(f, " compares nothing: {why}")
            }
            Refusal::RankedByStep { method } => write!(
                f,
                "the method `{method}` cannot rank all inactive pairs without looking at a step: their scores are needed tile by \
                 tile, within its backward pass"
            ),
            Refusal::RoundLeft => write!(
                f,
                "a topology round was left before its exchange: ask for the next pass until there is none"
            ),
            Refusal::NothingMeasured => write!(f, "there is nothing to measure: name a part"),
            Refusal::SizeOfZero => write!(f, "batch and sizes start at 1"),
            Refusal::CrossoverInHalf => write!(
                f,
                "the part crossover is measured with activations in f32: leave it out, or {ACTIVATIONS}"
            ),
            Refusal::Unshareable { why } => write!(f, "the report to share {why}"),
        }
    }
}
