//! What a configuration stands for: its data set, augmentation, model, and the connections of each layer.

use super::{MethodName, TrainConfig};
use crate::data::{
    Augmentation, DataOptions, IMAGE_FOLDER, ImageOptions, ImageShape, usual_augmentation,
};
use crate::model::{MODELS, Model, ModelOptions, by_name};
use crate::network::Forward;
use crate::optim::Sgd;
use crate::sparse::allocate;
use crate::topology::from_dense::{Lottery, Start, TopKast};
use crate::topology::{self, Method};
use crate::words::counted;
use crate::{Error, Result};

/// The augmentation that suits data set and model; the model that suits the images.
pub(super) const AUTO: &str = "auto";
/// The model for large images where none was named.
const LARGE_MODEL: &str = "resnet18";
/// Pixels of images up to which the default is a perceptron. Its first layer has an input for every value: 150,528 of a photo of
/// 224 × 224 pixels.
const PERCEPTRON_PIXELS: usize = 64 * 64;

impl TrainConfig {
    /// The model's name as far as it is known before the data set is read: as given, or by the size that an image folder's images
    /// get. The published images of other sets are small.
    pub fn model_name(&self) -> &str {
        let pixels = match self.data == IMAGE_FOLDER {
            true => self.image_size.saturating_pow(2),
            false => 0,
        };
        self.model_of(pixels)
    }

    /// The model's name: as given, or by the size of the images.
    pub fn model_for(&self, shape: ImageShape) -> &str {
        self.model_of(shape.height.saturating_mul(shape.width))
    }

    fn model_of(&self, pixels: usize) -> &str {
        match self.model.as_str() {
            // Whoever chose widths for a perceptron wants one.
            AUTO if pixels > PERCEPTRON_PIXELS && self.hidden == Self::default().hidden => {
                LARGE_MODEL
            }
            AUTO => MODELS[0],
            name => name,
        }
    }

    /// Takes the perceptron where its widths were asked for and no model. Returns whether another would have been taken by their
    /// size alone.
    pub fn takes_perceptron(&mut self) -> bool {
        if self.model != AUTO {
            return false;
        }
        let by_size = Self {
            hidden: Self::default().hidden,
            ..self.clone()
        };
        if by_size.hidden == self.hidden {
            // Widths that are also the default say nothing by themselves.
            self.model = MODELS[0].to_owned();
        }
        by_size.model_name() != MODELS[0]
    }

    /// What to know of a model that was not named, where it is not the usual one for images of this size.
    pub(crate) fn model_note(&self, shape: ImageShape) -> Option<String> {
        let model = self.model_for(shape);
        (self.model == AUTO && model != MODELS[0]).then(|| {
            format!(
                "the model is {model}, for no --model was given and images of {} × {} pixels are many inputs for a perceptron; \
                 --model mlp trains one all the same",
                shape.height, shape.width
            )
        })
    }

    /// The data set.
    pub fn source(&self) -> DataOptions {
        let defaults = ImageOptions::default();
        DataOptions {
            name: self.data.clone(),
            dir: self.data_dir.clone(),
            limit: self.limit,
            images: ImageOptions {
                size: self.image_size,
                resize: self.resize,
                val_split: self.val_split,
                skip_bad: self.skip_bad_images,
                // Other sets do not depend on it: runs of several seeds share them.
                seed: match self.data == IMAGE_FOLDER {
                    true => self.seed,
                    false => defaults.seed,
                },
            },
        }
    }

    /// How training images are varied.
    ///
    /// # Errors
    /// An unknown name, of augmentation or data set.
    pub fn augmentation(&self) -> Result<Augmentation> {
        match self.augment.as_str() {
            AUTO if self.model_name() == MODELS[0] => Ok(Augmentation::None),
            AUTO => usual_augmentation(&self.data),
            name => name.parse(),
        }
    }

    /// The model for images of this size and so many classes.
    ///
    /// # Errors
    /// A model that is not known or cannot take the images.
    pub fn build_model(&self, shape: ImageShape, classes: usize) -> Result<Model> {
        let options = ModelOptions {
            input: shape.extent(),
            classes,
            width: self.width,
            hidden: &self.hidden,
        };
        by_name(self.model_for(shape), &options)
    }

    /// The optimiser.
    pub fn optimiser(&self) -> Sgd {
        Sgd {
            momentum: self.momentum as f32,
            weight_decay: self.weight_decay as f32,
            nesterov: self.nesterov,
        }
    }

    /// The method.
    ///
    /// # Errors
    /// None that a configuration can have.
    pub fn build_method(&self) -> Result<Box<dyn Method>> {
        match self.method {
            MethodName::Lottery => Ok(Box::new(Lottery {
                cycles: self.lottery_cycles,
            })),
            MethodName::Topkast => Ok(Box::new(TopKast {
                backward: self.topkast_backward,
            })),
            name => topology::method(&name.to_string()),
        }
    }

    /// What forward passes use of a network by `method`, if not every connection.
    ///
    /// # Errors
    /// As [`TrainConfig::allocate`].
    pub fn forward(&self, model: &Model, method: &dyn Method) -> Result<Option<Forward>> {
        let Start::Backed(_) = method.start() else {
            return Ok(None);
        };
        let wanted = self.allocate(model)?;
        let dense: u64 = model.shapes().iter().map(|s| s.dense()).sum();
        let density = wanted.iter().sum::<u64>() as f64 / dense as f64;
        Ok(Some(Forward {
            counts: wanted.iter().map(|&n| n as usize).collect(),
            // With the optimiser's own, which all weights have, it is the weight decay over the density.
            decay: (self.weight_decay * (1.0 / density - 1.0)) as f32,
        }))
    }

    /// Number of connections of each sparse layer of `model`.
    ///
    /// # Errors
    /// More connections than the dense model has, or as [`allocate`].
    pub fn allocate(&self, model: &Model) -> Result<Vec<u64>> {
        let shapes = model.shapes();
        let sparsity = match self.connections {
            None => self.sparsity,
            Some(connections) => {
                let dense: u64 = shapes.iter().map(|s| s.dense()).sum();
                if connections > dense {
                    return Err(Error::Usage(format!(
                        "--connections {connections} are more than the {dense} of the dense model"
                    )));
                }
                1.0 - connections as f64 / dense as f64
            }
        };
        allocate(&shapes, sparsity, self.assignment).map_err(|error| match (error, self.connections) {
            // Of a sparsity nobody spoke.
            (Error::Usage(_), Some(connections)) => Error::Usage(format!(
                "--connections {connections} leave a layer of the model without any, as they are divided among its {} (--assignment); give more",
                counted(shapes.len() as u64, "layer"),
            )),
            (other, _) => other,
        })
    }
}
