//! The command line's side of the configuration: the flags that were given, laid over a file or the defaults.

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

use super::idle::{MAYBE_IDLE, why_idle};
use super::number::told;
use super::{TrainConfig, value_text};
use crate::{Error, Result};

/// The flags of a [`TrainConfig`] that were given on a command line, to be laid over a file or the defaults.
/// Flatten this into a clap parser.
#[derive(Clone, Debug)]
pub struct ConfigFlags(pub(super) ArgMatches);

impl ConfigFlags {
    /// `base` with the values that were given on the command line (or in the environment) in place of its own.
    pub fn over(&self, mut base: TrainConfig) -> Result<TrainConfig> {
        // The flags have no clap defaults, so that only those that were given are present, and only those are updated.
        let adapter = base.adapter.clone();
        base.update_from_arg_matches(&self.0)
            .map_err(|error| Error::Usage(error.to_string()))?;
        // A variable that is set to nothing, as scripts leave it, chooses nothing.
        let variable = self.0.value_source("adapter") == Some(ValueSource::EnvVariable);
        if variable && base.adapter.trim().is_empty() {
            base.adapter = adapter;
        }
        Ok(base)
    }

    /// Whether the value of that name in `config.toml` comes from the command line or the environment, and not from a file.
    pub fn decides(&self, name: &str) -> bool {
        // Asked of a name that it does not know, clap panics.
        if !self.0.ids().any(|id| id.as_str() == name) {
            return false;
        }
        match self.0.value_source(name) {
            Some(ValueSource::CommandLine) => true,
            // One that is set to nothing chooses nothing.
            Some(ValueSource::EnvVariable) => {
                let mut raw = self.0.get_raw(name).into_iter().flatten();
                raw.any(|value| !value.to_string_lossy().trim().is_empty())
            }
            _ => false,
        }
    }

    /// Whether the value of that name in `config.toml` was typed.
    pub fn given(&self, name: &str) -> bool {
        // Asked of a name that it does not know, clap panics.
        self.0.ids().any(|id| id.as_str() == name)
            && self.0.value_source(name) == Some(ValueSource::CommandLine)
    }

    /// Refuses flags that were typed and have no effect on `config`, to which they led.
    ///
    /// # Errors
    /// [`Error::Usage`] names the flag and why it has none.
    pub fn check_effects(&self, config: &TrainConfig) -> Result<()> {
        for &name in MAYBE_IDLE.iter().filter(|name| self.given(name)) {
            if let Some(why) = why_idle(name, config)? {
                return Err(Error::Usage(format!(
                    "--{} has no effect here: {why}; leave it out",
                    name.replace('_', "-")
                )));
            }
        }
        Ok(())
    }
}

impl FromArgMatches for ConfigFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self(matches.clone()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        self.0 = matches.clone();
        Ok(())
    }
}

impl Args for ConfigFlags {
    fn augment_args(command: Command) -> Command {
        // An unserialisable default would only cost the help its "[default: …]".
        let defaults = TrainConfig::default().table().unwrap_or_default();
        let flags = TrainConfig::augment_args(Command::new("config")).mut_args(|flag| {
            let default = defaults
                .get(flag.get_id().as_str())
                .and_then(default_text)
                .map(|value| format!(" [default: {value}]"))
                .unwrap_or_default();
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            told(flag)
                .required(false)
                // So that `--sparsity -1` is told what is wrong with the value, not that -1 is no flag.
                .allow_negative_numbers(true)
                .help(help + &default)
        });
        command.args(flags.get_arguments())
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

/// A default as it would be typed after its flag; `None` where the help says enough.
fn default_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Boolean(false) => None,
        other => Some(value_text(other)),
    }
}

/// `8,12` as a list; an empty text or `none` is the empty list.
pub(super) fn parse_list<T>(
    text: &str,
    item: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let text = text.trim();
    if text.is_empty() || text == "none" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|text| item(text).map_err(|error| format!("`{}`: {error}", text.trim())))
        .collect()
}
