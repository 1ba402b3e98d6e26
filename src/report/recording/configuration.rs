//! What a run was trained with. Its newest checkpoint has this under a checksum. Its summary has it too, and so has
//! `config.toml`, which people edit. The first of these that can be read is believed, and differences in the others are
//! reported.

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
    /// Where the configuration comes from: "the checkpoint", or a file's name.
    pub source: &'static str,
}

/// A value in which another file of a run differs from what the run was trained with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The value's name.
    pub name: String,
    /// The value in the file; none if it is not set there.
    pub file: Option<String>,
    /// The value that the run was trained with.
    pub trained: Option<String>,
}

impl RunFolder {
    /// What the run was trained with: from its newest checkpoint, else its summary, else its `config.toml`.
    ///
    /// # Errors
    /// None of them has it; the error says why `config.toml` does not.
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
            // A configuration that cannot be used, such as that of another version, is skipped.
            let Some(config) = config.and_then(|config| config.resolve().ok()) else {
                continue;
            };
            // The file has values that follow from others only in comments.
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

    /// The configuration with which to start a run that has no checkpoint.
    ///
    /// # Errors
    /// There is no readable configuration, or the run has ended, and so its checkpoints are gone.
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

    /// The values in which `config.toml` differs from what the run was trained with. A missing file, or something that
    /// is not a file, differs in none.
    ///
    /// # Errors
    /// The file is not a configuration.
    pub fn edits(&self, trained: &Trained) -> Result<Vec<Edit>> {
        if !self.has_config() {
            return Ok(Vec::new());
        }
        let file = self.config().and_then(TrainConfig::resolve);
        edits(&trained.config, &file?)
    }

    /// A sentence about a `config.toml` that differs from what the run was trained with; none if it does not.
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
    /// Why a summary cannot belong to this run, judging by its newest checkpoint: a sentence; none if it may.
    pub(in crate::report) fn differs_from(
        &self,
        summary: &Summary,
        origin: Option<&Origin>,
    ) -> Result<Option<String>> {
        let config = match summary.config.clone().resolve() {
            Ok(config) => config,
            Err(error) => {
                return Ok(Some(format!(
                    "does not have the configuration of a run: {error}"
                )));
            }
        };
        let ended = summary.finished.is_some();
        let mut edits = edits(&self.config, &config)?;
        // Other values may change in a run, and reach its files one after another until it ends.
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
        // If both leave it out, it follows from another value.
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

/// The values that differ, in a sentence.
pub fn list(edits: &[Edit]) -> String {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
    let each = edits.iter().map(|edit| {
        let (file, trained) = (text(&edit.file), text(&edit.trained));
        format!("`{}` is {file} there and {trained} here", edit.name)
    });
    listed(edits.len() as u64, each)
}
