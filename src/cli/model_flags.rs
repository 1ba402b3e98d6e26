//! Flags that describe a model without training it, shared by `rootlet model` and `rootlet flops`.

use clap::Args;
use rootlet::data::ImageShape;
use rootlet::model::{MODELS, Model};
use rootlet::sparse::Assignment;
use rootlet::train::TrainConfig;
use rootlet::train::config::{real, whole};
use rootlet::{Error, Result};

/// The properties of a model besides its name and its connections.
#[derive(Debug, Args)]
pub struct ModelFlags {
    /// Factor on all channels and hidden widths [default: 1]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true, value_parser = real)]
    pub width: Option<f64>,
    /// How the connections are divided among the layers [default: erdos-renyi]
    #[arg(long, value_enum, value_name = "NAME")]
    pub assignment: Option<Assignment>,
    /// Widths of the hidden layers of mlp, as in 1024,1024 [default: 256,256]
    #[arg(
        long,
        value_name = "WIDTHS",
        value_delimiter = ',',
        allow_negative_numbers = true,
        value_parser = whole::<usize>
    )]
    pub hidden: Option<Vec<usize>>,
    /// Size of the images, as in 3x32x32 [default: 3x224x224 for the models of ImageNet, else 3x32x32]
    #[arg(long, value_name = "CxHxW")]
    pub image: Option<String>,
    /// Number of classes [default: 1000 for the models of ImageNet, else 10]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<usize>)]
    pub classes: Option<usize>,
    /// Candidates drawn in a round, per active connection [default: 1]
    #[arg(long, value_name = "FACTOR", allow_negative_numbers = true, value_parser = real)]
    pub gamma: Option<f64>,
}

/// The models that are made for 224×224 images in 1000 classes.
const LARGE: [&str; 4] = ["simple-vit", "resnet18", "resnet34", "resnet50"];

impl ModelFlags {
    /// The configuration that trains the model of this name.
    pub fn config(&self, name: &str) -> TrainConfig {
        let mut config = TrainConfig::default();
        let model = &mut config.model;
        model.name = name.to_owned();
        take(&self.width, &mut model.width);
        take(&self.hidden, &mut model.hidden);
        take(&self.assignment, &mut model.assignment);
        take(&self.gamma, &mut config.topology.gamma);
        config
    }

    /// The first of these flags that was typed, if any.
    pub fn typed(&self) -> Option<&'static str> {
        [
            ("width", self.width.is_some()),
            ("assignment", self.assignment.is_some()),
            ("hidden", self.hidden.is_some()),
            ("image", self.image.is_some()),
            ("classes", self.classes.is_some()),
            ("gamma", self.gamma.is_some()),
        ]
        .into_iter()
        .find_map(|(flag, typed)| typed.then_some(flag))
    }

    /// The images that the model with this name is meant for.
    pub fn image_shape(&self, name: &str) -> Result<ImageShape> {
        image_shape(self.image.as_deref(), name)
    }

    /// The model that a configuration trains on such images.
    pub fn build(&self, config: &TrainConfig) -> Result<Model> {
        config.validate().map_err(of_argument)?;
        if self.hidden.is_some() && config.model.name != MODELS[0] {
            return Err(Error::NoEffect {
                option: "hidden".to_owned(),
                why: format!(
                    "the model {} has widths of its own, which --width scales",
                    config.model.name
                ),
            });
        }
        let shape = self.image_shape(&config.model.name)?;
        let classes = default_classes(self.classes, &config.model.name)?;
        config.build_model(shape, classes)
    }
}

/// Calls the model an argument, as it is here, if the library speaks of an option.
fn of_argument(error: Error) -> Error {
    match error {
        Error::Value {
            option: "model", ..
        } => Error::Usage(error.message(|_| "NAME".to_owned())),
        other => other,
    }
}

/// Copies a value if it was typed.
fn take<T: Clone>(typed: &Option<T>, value: &mut T) {
    if let Some(typed) = typed {
        value.clone_from(typed);
    }
}

/// The image size that a model is made for, or the one given by `--image`.
fn image_shape(image: Option<&str>, model: &str) -> Result<ImageShape> {
    match (image, LARGE.contains(&model)) {
        (Some(text), _) => parse_image(text),
        (None, true) => Ok(square(224)),
        (None, false) => Ok(square(32)),
    }
}

/// The number of classes that a model is made for, or the one given by `--classes`.
fn default_classes(classes: Option<usize>, model: &str) -> Result<usize> {
    match (classes, LARGE.contains(&model)) {
        (Some(0), _) => Err(Error::Value {
            option: "classes",
            must: "must be at least 1".to_owned(),
            value: "0".to_owned(),
        }),
        (Some(classes), _) => Ok(classes),
        (None, true) => Ok(1000),
        (None, false) => Ok(10),
    }
}

fn square(side: usize) -> ImageShape {
    ImageShape {
        channels: 3,
        height: side,
        width: side,
    }
}

fn parse_image(text: &str) -> Result<ImageShape> {
    // A part that is not a number becomes 0, which is refused as a size.
    let sizes: Vec<usize> = text.split('x').map(|n| n.parse().unwrap_or(0)).collect();
    match sizes[..] {
        [channels, height, width] if sizes.iter().all(|&n| n > 0 && n < 1 << 20) => {
            Ok(ImageShape {
                channels,
                height,
                width,
            })
        }
        _ => Err(Error::Value {
            option: "image",
            must: "takes channels, height and width, as in 3x32x32".to_owned(),
            value: text.to_owned(),
        }),
    }
}
