//! The recipes by name, for installations that have no `recipes` folder beside them.

use std::path::Path;

use clap::builder::PossibleValuesParser;

use rootlet::train::TrainConfig;
use rootlet::{Error, Result};

macro_rules! preset {
    ($name:literal) => {
        (
            $name,
            include_str!(concat!("../../recipes/", $name, ".toml")),
        )
    };
}

/// Name and text of each.
const PRESETS: [(&str, &str); 12] = [
    preset!("cifar10-resnet20-quick"),
    preset!("cifar10-resnet56"),
    preset!("cifar10-simple-vit-tiny"),
    preset!("cifar10-simple-vit-tiny-quick"),
    preset!("cifar10-vgg16-small"),
    preset!("cifar10-vgg16-small-quick"),
    preset!("cifar100-resnet56"),
    preset!("cifar100-simple-vit-tiny"),
    preset!("cifar100-vgg16-small"),
    preset!("imagenet-resnet50"),
    preset!("photos"),
    preset!("tiny-imagenet-resnet18"),
];

/// Accepts the names.
pub(super) fn parser() -> PossibleValuesParser {
    PossibleValuesParser::new(PRESETS.map(|(name, _)| name))
}

/// The configuration of the preset with this name.
///
/// # Errors
/// There is none, or the recipe has a value that there is not.
pub(super) fn preset(name: &str) -> Result<TrainConfig> {
    let found = PRESETS.iter().find(|(known, _)| *known == name);
    let (_, text) = found.ok_or_else(|| Error::Usage(format!("there is no preset {name}")))?;
    TrainConfig::from_toml(text, Path::new(&format!("preset {name}")))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_recipe_is_a_preset() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes");
        let files = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().path());
        let mut names: Vec<String> = files
            .filter(|path| path.extension().is_some_and(|end| end == "toml"))
            .map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        assert_eq!(names, PRESETS.map(|(name, _)| name));
        for name in names {
            preset(&name).unwrap().resolve().unwrap();
        }
    }
}
