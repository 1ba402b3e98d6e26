//! What a configuration stands for: its data set, augmentation, model, and the connections of each layer.

use super::{MethodName, TrainConfig};
use crate::data::{Augmentation, DataSource, ImageOptions, ImageShape, usual_augmentation};
use crate::model::{Extent, MODELS, Model, ModelOptions, by_name};
use crate::sparse::allocate;
use crate::topology::from_dense::Lottery;
use crate::topology::{self, Method};
use crate::{Error, Result};

/// The augmentation that suits data set and model.
pub(super) const AUTO: &str = "auto";

impl TrainConfig {
    /// The data set.
    pub fn source(&self) -> DataSource {
        DataSource {
            name: self.data.clone(),
            dir: self.data_dir.clone(),
            limit: self.limit,
            images: ImageOptions {
                size: self.image_size,
                resize: self.resize,
            },
        }
    }

    /// How training images are varied.
    ///
    /// # Errors
    /// An unknown name, of augmentation or data set.
    pub fn augmentation(&self) -> Result<Augmentation> {
        match self.augment.as_str() {
            AUTO if self.model == MODELS[0] => Ok(Augmentation::None),
            AUTO => usual_augmentation(&self.data),
            name => name.parse(),
        }
    }

    /// The model for images of this size and so many classes.
    ///
    /// # Errors
    /// A model that is not known or cannot take the images.
    pub fn build_model(&self, shape: ImageShape, classes: usize) -> Result<Model> {
        let input = Extent {
            channels: shape.channels,
            height: shape.height,
            width: shape.width,
        };
        let options = ModelOptions {
            input,
            classes,
            width: self.width,
            hidden: &self.hidden,
        };
        by_name(&self.model, &options)
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
            name => topology::method(&name.to_string()),
        }
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
        allocate(&shapes, sparsity, self.assignment)
    }
}
