//! The configuration as text: read from files, compared and changed by key.

use crate::error::Fault;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::train_config::TrainConfig;
use crate::bounds::list_text;
use crate::files;
use crate::words::short;
use crate::{Error, Result};

impl TrainConfig {
    /// Reads the text of a `config.toml`; what it leaves out is the default. `origin` names the file in messages.
    /// Values are not validated: flags may still override them.
    pub fn from_toml(text: &str, origin: &Path) -> Result<Self> {
        let mut config: Self = parse(text, origin, "configuration")?;
        if is_older(text) {
            // It was in every file then, and only concerned folders without a test part: for these it still is the
            // usual share.
            config.data.val_split = config.data.val_split.filter(|&share| share != 0.1);
        }
        Ok(config)
    }

    /// Reads a `config.toml`, as [`TrainConfig::from_toml`] does.
    pub fn load(path: &Path) -> Result<Self> {
        let text = files::read_text(path, files::Most::TYPED)?;
        Self::from_toml(&text, path)
    }

    /// Names of the values in which the two differ, as in `config.toml`; a value that is derived in one of them and
    /// written out in the other does not count as a difference.
    pub fn differences(&self, other: &Self) -> Result<Vec<String>> {
        let (mine, theirs) = (self.with_derived().table()?, other.with_derived().table()?);
        let mut names: Vec<String> = mine
            .keys()
            .chain(theirs.keys().filter(|name| !mine.contains_key(*name)))
            .filter(|name| mine.get(*name) != theirs.get(*name))
            .cloned()
            .collect();
        names.sort_unstable();
        Ok(names)
    }

    /// Every value as text, by its name in `config.toml`; lists as on the command line, such as `256,256`.
    pub fn values(&self) -> Result<Vec<(String, String)>> {
        Ok(self
            .table()?
            .into_iter()
            .map(|(name, value)| (name, value_text(&value)))
            .collect())
    }

    /// This with the value `name` replaced.
    ///
    /// # Errors
    /// An unknown name, or a value that does not suit it.
    pub fn with_value(&self, name: &str, value: toml::Value) -> Result<Self> {
        let mut table = self.table()?;
        table.insert(name.to_owned(), value);
        table
            .try_into()
            .map_err(|error: toml::de::Error| Error::Config {
                origin: format!("`{name}`"),
                why: error.message().trim().to_owned(),
            })
    }

    pub(super) fn table(&self) -> Result<toml::Table> {
        toml::Table::try_from(self).map_err(|error| {
            Error::Device(Fault::Written {
                what: "the configuration",
                form: "TOML",
                why: error.to_string(),
            })
        })
    }
}

/// Whether this file was written by a version without validation parts: it has all keys of that version, and none of
/// the later ones that are always written.
fn is_older(text: &str) -> bool {
    const WRITTEN: [&str; 2] = ["val_split", "skip_bad_images"];
    let Ok(table) = text.parse::<toml::Table>() else {
        return false;
    };
    WRITTEN.iter().all(|key| table.contains_key(*key)) && !table.contains_key("best_metric")
}

/// Reads the text of a TOML file; an error names the file, the line and what is wrong.
pub(crate) fn parse<T: DeserializeOwned>(text: &str, origin: &Path, what: &str) -> Result<T> {
    toml::from_str(text).map_err(|error| {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| format!(", line {}", before.matches('\n').count() + 1))
            .unwrap_or_default();
        let message = error.message().trim().replace('\n', "; ");
        let key = (error.span())
            .and_then(|span| key_of(text, span.start))
            .filter(|key| !message.contains(*key))
            .map(|key| format!("`{key}`: "))
            .unwrap_or_default();
        Error::Config {
            origin: format!("{what} {}{line}", origin.display()),
            why: format!("{key}{message}"),
        }
    })
}

/// The key whose value begins at this place in the text of a TOML file.
fn key_of(text: &str, at: usize) -> Option<&str> {
    let line = text.get(..at)?.rsplit('\n').next()?;
    let (key, _) = line.split_once('=')?;
    Some(key.trim())
}

/// A value as it would be typed after its flag.
pub(super) fn value_text(value: &toml::Value) -> String {
    match value {
        toml::Value::String(text) => text.clone(),
        toml::Value::Array(items) if items.is_empty() => "none".to_owned(),
        toml::Value::Array(items) => list_text(items),
        other => short(&other.to_string()),
    }
}
