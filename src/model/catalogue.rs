//! The models by name.

use super::resnet::{Block, cifar_resnet, imagenet_resnet};
use super::{Extent, Model, VitOptions, mlp, simple_vit, vgg_small};
use crate::error::{Error, Result};

/// The names that [`by_name`] knows; the first is the default.
pub const MODELS: [&str; 15] = [
    "mlp",
    "resnet20",
    "resnet32",
    "resnet44",
    "resnet56",
    "resnet110",
    "vgg11-small",
    "vgg13-small",
    "vgg16-small",
    "vgg19-small",
    "simple-vit-tiny",
    "simple-vit",
    "resnet18",
    "resnet34",
    "resnet50",
];

/// What a model is made for, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelOptions<'a> {
    /// Size of the images.
    pub input: Extent,
    /// Number of classes.
    pub classes: usize,
    /// Factor on all channels and hidden widths.
    pub width: f64,
    /// Widths of the hidden layers of `mlp`; other models ignore it.
    pub hidden: &'a [usize],
}

/// A model by its name.
///
/// # Errors
/// The name is unknown (the message lists the known ones), the width is not above 0, or the model cannot take such
/// images.
pub fn by_name(name: &str, options: &ModelOptions<'_>) -> Result<Model> {
    let &ModelOptions {
        input,
        classes,
        width,
        hidden,
    } = options;
    if !(width.is_finite() && width > 0.0) {
        return Err(Error::Value {
            option: "width",
            must: "must be a finite number above 0".to_owned(),
            value: width.to_string(),
        });
    }
    let cifar = |n| cifar_resnet(name, input, n, width, classes);
    let imagenet = |block, blocks| imagenet_resnet(name, input, block, blocks, width, classes);
    let vgg = |stages| vgg_small(name, input, stages, width, classes);
    let vit = |options: VitOptions| simple_vit(name, input, options.wide(width), classes);
    match name {
        "mlp" => {
            let hidden: Vec<usize> = hidden
                .iter()
                .map(|&h| super::resnet::wide(h, width))
                .collect();
            mlp(input, &hidden, classes)
        }
        "resnet20" => cifar(3),
        "resnet32" => cifar(5),
        "resnet44" => cifar(7),
        "resnet56" => cifar(9),
        "resnet110" => cifar(18),
        "vgg11-small" => vgg([1, 1, 2, 2, 2]),
        "vgg13-small" => vgg([2, 2, 2, 2, 2]),
        "vgg16-small" => vgg([2, 2, 3, 3, 3]),
        "vgg19-small" => vgg([2, 2, 4, 4, 4]),
        "simple-vit-tiny" => vit(VitOptions::tiny()),
        "simple-vit" => vit(VitOptions::small()),
        "resnet18" => imagenet(Block::Basic, [2, 2, 2, 2]),
        "resnet34" => imagenet(Block::Basic, [3, 4, 6, 3]),
        "resnet50" => imagenet(Block::Bottleneck, [3, 4, 6, 3]),
        _ => Err(Error::Value {
            option: "model",
            must: format!("must be one of {}", MODELS.join(", ")),
            value: name.to_owned(),
        }),
    }
}
