//! The recipes by name, for installations that have no `recipes` folder beside them.

use std::path::Path;

use clap::builder::PossibleValuesParser;

use rootlet::checkpoint::load_which;
use rootlet::data::{IMAGE_FOLDER, NAMES};
use rootlet::train::TrainConfig;
use rootlet::train::config::{ConfigFlags, ModelConfig};
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

/// The preset of a user's own images.
const PHOTOS: &str = "photos";

/// Largest side length at which its model suits images, in pixels: it sees them whole, without making them smaller
/// first.
const SMALL: usize = 64;

/// The configuration from which a run on a folder of images starts if nobody named one, nor a model; `None` for other
/// data. What flags say is left to what is usual beside them: a learning rate is that of its optimiser, and a run that
/// `--init` names has a model and a size of images of its own.
///
/// # Errors
/// As [`preset`]; or the run that `--init` names cannot be read.
pub(super) fn of_photos(flags: &ConfigFlags) -> Result<Option<TrainConfig>> {
    let asked = flags.over(TrainConfig::default());
    let (data, name) = (&asked.data, asked.data.name.as_str());
    let is_folder = data.dir.is_none() && !NAMES.contains(&name) && Path::new(name).is_dir();
    let is_photos = name == IMAGE_FOLDER || is_folder;
    // Widths are those of a perceptron.
    let names_model = ["model", "hidden", "init_dense"];
    if !is_photos || names_model.iter().any(|key| flags.given(key)) {
        return Ok(None);
    }
    let (mut base, usual) = (preset(PHOTOS)?, TrainConfig::default());
    if let Some(run) = &asked.model.init {
        let (checkpoint, _) = load_which(run, None)?;
        let before = TrainConfig::from_toml(&checkpoint.manifest.config, &checkpoint.path)?;
        base.data.image_size = before.data.image_size;
        base.data.resize = before.data.resize;
        base.model = ModelConfig {
            init: None,
            init_dense: None,
            ..before.model
        };
    }
    if flags.given("image_size") {
        base.data.resize = usual.data.resize;
        if data.image_size > SMALL {
            base.model.name = usual.model.name;
        }
    }
    if flags.given("optimiser") {
        base.optimiser.lr = usual.optimiser.lr;
        base.optimiser.weight_decay = usual.optimiser.weight_decay;
    }
    if flags.given("milestones") && !flags.given("lr_schedule") {
        base.optimiser.lr_schedule = usual.optimiser.lr_schedule;
    }
    Ok(Some(base))
}

/// What a user is told of a run that starts from it.
pub(super) fn note_of_photos(config: &TrainConfig) -> String {
    let size = config.data.image_size;
    let model = config.model.name_for(size * size);
    format!(
        "a folder of images starts from the preset {PHOTOS}, here with {model} on {size} x {size} pixels: flags go \
         before it, and --model, --preset or --config takes its place"
    )
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
