//! What a run was trained with. Its newest checkpoint tells that under a checksum, its summary has it, and so has
//! `config.toml`, which people edit. The first of them that can be read is believed; where the others differ, that is
//! said.

use super::names::{CHECKPOINTS, CONFIG, SUMMARY};
use super::{RunFolder, Summary};
use crate::checkpoint::{Manifest, Origin};
use crate::error::option;
use crate::train::TrainConfig;
use crate::words::listed;
use crate::{Error, Result};

/// What a run was trained with.
#[derive(Clone, Debug)]
pub struct Trained {
    /// The configuration.
    pub config: TrainConfig,
    /// Who tells it: "the checkpoint", a file's name.
    pub source: &'static str,
}

/// A value in which another file of a run differs from what it was trained with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The value's name.
    pub name: String,
    /// What the file says; none where it is not set there.
    pub file: Option<String>,
    /// What the run was trained with.
    pub trained: Option<String>,
}

impl RunFolder {
    /// What the run was trained with, by its newest checkpoint, else its summary, else its `config.toml`.
    ///
    /// # Errors
    /// None of them tells it: why `config.toml` does not.
    pub(in crate::report) fn trained_with(
        &self,
        newest: Option<&Manifest>,
        summary: Option<&Summary>,
    ) -> Result<Trained> {
        let saved = newest.and_then(|manifest| {
            let path = self.checkpoints();
            TrainConfig::from_toml(&manifest.config, &path).ok()
        });
        let sources = [
            ("the checkpoint", saved),
            (SUMMARY, summary.map(|summary| summary.config.clone())),
        ];
        let file = self.config().and_then(TrainConfig::resolve);
        for (source, config) in sources {
            // One that cannot be used, as of another version, tells nothing.
            let Some(config) = config.and_then(|config| config.resolve().ok()) else {
                continue;
            };
            // The file says what follows from other values in comments alone.
            return Ok(match file {
                Ok(file) if config.differences(&file)?.is_empty() => Trained {
                    config: file,
                    source,
                },
                _ => Trained { config, source },
            });
        }
        let (config, source) = (file?, CONFIG);
        Ok(Trained { config, source })
    }

    /// The configuration of a run without a checkpoint, to begin it with.
    ///
    /// # Errors
    /// No configuration that can be read, or a run that has ended: the checkpoints that it had are gone.
    pub fn config_to_begin_with(&self) -> Result<Trained> {
        let refuse = |what: String| Error::Checkpoint {
            path: self.path().to_owned(),
            reason: format!("holds no checkpoint{what}"),
        };
        let summary = self.summary().ok().flatten();
        if summary
            .as_ref()
            .is_some_and(|summary| summary.finished.is_some())
        {
            return Err(refuse(format!(
                ", though the run had some: restore its {CHECKPOINTS}, or train anew with {} and its {CONFIG}",
                option::CONFIG
            )));
        }
        self.trained_with(None, summary.as_ref()).map_err(|error| {
            refuse(format!(
                ", and no configuration to begin with ({error}); start the run again"
            ))
        })
    }

    /// Values in which `config.toml` differs from what the run was trained with; one that is missing, or is no file,
    /// differs in none.
    ///
    /// # Errors
    /// A file that is no configuration.
    pub fn edits(&self, trained: &Trained) -> Result<Vec<Edit>> {
        if !self.has_config() {
            return Ok(Vec::new());
        }
        let file = self.config().and_then(TrainConfig::resolve);
        edits(&trained.config, &file?)
    }

    /// What `config.toml` has to be said of, where the run was trained with something else: a sentence.
    pub(in crate::report) fn config_damage(&self, trained: &Trained) -> Option<String> {
        let file = self.path().join(CONFIG);
        let (file, source) = (file.display(), trained.source);
        if source == CONFIG {
            return None;
        }
        let wrong = match (self.has_config(), self.edits(trained)) {
            (true, Ok(edits)) if edits.is_empty() => return None,
            (true, Ok(edits)) => format!(
                "{file} is not what the run was trained with: {}",
                list(&edits)
            ),
            (true, Err(error)) => error.to_string(),
            (false, _) if self.path().join(CONFIG).exists() => format!("{file} is no file"),
            (false, _) => format!("{file} is missing"),
        };
        Some(format!("{wrong}; {source} is believed"))
    }
}

impl Trained {
    /// Why a summary is not of this run, which its newest checkpoint tells of: a sentence; none where it may be.
    pub(in crate::report) fn differs_from(
        &self,
        summary: &Summary,
        origin: Option<&Origin>,
    ) -> Result<Option<String>> {
        let config = match summary.config.clone().resolve() {
            Ok(config) => config,
            Err(error) => {
                return Ok(Some(format!("has a configuration of no run: {error}")));
            }
        };
        let ended = summary.finished.is_some();
        let mut edits = edits(&self.config, &config)?;
        // Others may change in a run, and reach its files one after the other until it ends.
        edits.retain(|edit| {
            let name = &edit.name;
            TrainConfig::is_fixed(name) || (ended && !TrainConfig::is_free(name))
        });
        let other = origin.filter(|origin| origin.began != summary.began);
        Ok(match (edits.is_empty(), other) {
            (true, None) => None,
            (false, _) => Some(format!("is of another run: {}", list(&edits))),
            (true, Some(origin)) => Some(format!(
                "is of another run: that was first started at {}, and this one at {}",
                summary.began, origin.began
            )),
        })
    }
}

fn edits(trained: &TrainConfig, file: &TrainConfig) -> Result<Vec<Edit>> {
    let value = |config: &TrainConfig, name: &str| -> Result<Option<String>> {
        let mut values = config.values()?.into_iter();
        Ok(values.find(|(n, _)| n == name).map(|(_, text)| text))
    };
    let mut edits = Vec::new();
    for name in trained.differences(file)? {
        let (file, trained) = (value(file, &name)?, value(trained, &name)?);
        // What is set in neither follows from a value that is.
        if file != trained {
            edits.push(Edit {
                name,
                file,
                trained,
            });
        }
    }
    Ok(edits)
}

/// Values that differ, in a sentence.
pub fn list(edits: &[Edit]) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    let each = edits.iter().map(|edit| {
        let (file, trained) = (text(&edit.file), text(&edit.trained));
        format!("`{}` is {file} there and {trained} here", edit.name)
    });
    listed(edits.len() as u64, each)
}
