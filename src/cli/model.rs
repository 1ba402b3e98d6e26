//! `rootlet model`.

use std::io::Write;
use std::path::Path;

use clap::Args;
use rootlet::data::ImageShape;
use rootlet::model::{MODELS, Model, ModelCount};
use rootlet::report::count_text;
use rootlet::sparse::Assignment;
use rootlet::train::TrainConfig;
use rootlet::{Error, Result};

const EXAMPLES: &str = "\
Examples:
  rootlet model resnet56 --sparsity 0.98
      Layers, active connections, parameters and floating-point operations of a ResNet-56 with 2 % of its connections.
  rootlet model resnet20 --width 4 --connections 5400
      Four times as wide at the connections of a narrow one: wider and sparser.
  rootlet model resnet50 --sparsity 0.9 --json
      The same as one JSON object.
  rootlet model
      The names of all models.";

/// Shows a model's layers, parameters and cost
///
/// Shows what a model has and costs at a sparsity: connections of each layer, trained parameters, and floating-point operations
/// as Evci et al. 2020 count them (forward f, backward 2 f). Nothing is allocated or trained.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub struct ModelArgs {
    /// Name of the model; without it, the names of all
    name: Option<String>,
    /// Share of all possible connections that do not exist
    #[arg(
        long,
        value_name = "SHARE",
        default_value_t = 0.9,
        allow_negative_numbers = true
    )]
    sparsity: f64,
    /// Number of connections in place of --sparsity
    #[arg(long, value_name = "N")]
    connections: Option<u64>,
    /// Factor of all channels and hidden widths
    #[arg(
        long,
        value_name = "FACTOR",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    width: f64,
    /// How the connections are divided among the layers
    #[arg(long, value_enum, value_name = "NAME", default_value = "erdos-renyi")]
    assignment: Assignment,
    /// Widths of the hidden layers of mlp, as in 1024,1024
    #[arg(
        long,
        value_name = "WIDTHS",
        value_delimiter = ',',
        default_value = "256,256"
    )]
    hidden: Vec<usize>,
    /// Size of the images, as in 3x32x32 [default: 3x224x224 for the models of ImageNet, else 3x32x32]
    #[arg(long, value_name = "CxHxW")]
    image: Option<String>,
    /// Number of classes [default: 1000 for the models of ImageNet, else 10]
    #[arg(long, value_name = "N")]
    classes: Option<usize>,
    /// Candidates drawn in a round, per active connection
    #[arg(
        long,
        value_name = "FACTOR",
        default_value_t = 1.0,
        allow_negative_numbers = true
    )]
    gamma: f64,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// The models that are made for 224×224 images of 1000 classes.
const LARGE: [&str; 4] = ["simple-vit", "resnet18", "resnet34", "resnet50"];

/// Shows a model.
pub fn run(args: &ModelArgs) -> Result<()> {
    let text = match &args.name {
        None => MODELS.join("\n"),
        Some(name) => describe(args, name)?,
    };
    writeln!(std::io::stdout(), "{text}").map_err(Error::io("write", Path::new("standard output")))
}

fn describe(args: &ModelArgs, name: &str) -> Result<String> {
    let shape = image_shape(args.image.as_deref(), name)?;
    let config = TrainConfig {
        model: name.to_owned(),
        hidden: args.hidden.clone(),
        sparsity: args.sparsity,
        connections: args.connections.filter(|&n| n > 0),
        width: args.width,
        assignment: args.assignment,
        gamma: args.gamma,
        ..TrainConfig::default()
    };
    config.validate()?;
    let classes = default_classes(args.classes, name)?;
    let model: Model = config.build_model(shape, classes)?;
    let count = ModelCount::new(&model, &config.allocate(&model)?);
    match args.json {
        true => serde_json::to_string(&count)
            .map_err(|e| Error::Device(format!("the model cannot be shown as JSON: {e}"))),
        false => Ok(count_text(&model, &count, args.gamma)),
    }
}

/// The images that a model is made for, or those of `--image`.
pub(super) fn image_shape(image: Option<&str>, model: &str) -> Result<ImageShape> {
    match (image, LARGE.contains(&model)) {
        (Some(text), _) => parse_image(text),
        (None, true) => Ok(square(224)),
        (None, false) => Ok(square(32)),
    }
}

/// The classes that a model is made for, or those of `--classes`.
pub(super) fn default_classes(classes: Option<usize>, model: &str) -> Result<usize> {
    match (classes, LARGE.contains(&model)) {
        (Some(0), _) => Err(Error::Usage("--classes must be at least 1".into())),
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
    // What is no number is a 0, which no size may be.
    let sizes: Vec<usize> = text.split('x').map(|n| n.parse().unwrap_or(0)).collect();
    match sizes[..] {
        [channels, height, width] if sizes.iter().all(|&n| n > 0 && n < 1 << 20) => {
            Ok(ImageShape {
                channels,
                height,
                width,
            })
        }
        _ => Err(Error::Usage(format!(
            "--image takes channels, height and width, as in 3x32x32, not {text}"
        ))),
    }
}
