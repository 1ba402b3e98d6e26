//! The command line's side of the configuration: applies the flags that were given to a file or the defaults.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};

use super::file::value_text;
use super::section::{Field, Section};
use super::train_config::TrainConfig;
use crate::{Error, Result};

/// The flags of a [`TrainConfig`] that were given on a command line, to be applied to a file or the defaults. Flatten
/// this into a clap parser.
#[derive(Clone, Debug)]
pub struct ConfigFlags(ArgMatches);

impl ConfigFlags {
    /// `base` with the values from the command line (or the environment) in place of its own.
    pub fn over(&self, mut base: TrainConfig) -> TrainConfig {
        // The flags have no clap defaults, so that only flags that were given are present, and only those are taken.
        let adapter = base.machine.adapter.clone();
        base.take(&self.0);
        // A variable that is set to an empty value, as scripts leave it, chooses nothing.
        let variable = self.0.value_source("adapter") == Some(ValueSource::EnvVariable);
        if variable && base.machine.adapter.trim().is_empty() {
            base.machine.adapter = adapter;
        }
        base
    }

    /// Whether the value of that name in `config.toml` comes from the command line or the environment rather than from
    /// a file.
    pub fn decides(&self, name: &str) -> bool {
        // clap panics if it is asked for an unknown name.
        if !self.0.ids().any(|id| id.as_str() == name) {
            return false;
        }
        match self.0.value_source(name) {
            Some(ValueSource::CommandLine) => true,
            // A variable with an empty value chooses nothing.
            Some(ValueSource::EnvVariable) => {
                let mut raw = self.0.get_raw(name).into_iter().flatten();
                raw.any(|value| !value.to_string_lossy().trim().is_empty())
            }
            _ => false,
        }
    }

    /// Whether the value of that name in `config.toml` was typed.
    pub fn given(&self, name: &str) -> bool {
        // clap panics if it is asked for an unknown name.
        self.0.ids().any(|id| id.as_str() == name)
            && self.0.value_source(name) == Some(ValueSource::CommandLine)
    }

    /// Refuses flags that were typed and have no effect on `config`, the result of applying them.
    ///
    /// # Errors
    /// [`Error::NoEffect`] names the flag and says why.
    pub fn check_effects(&self, config: &TrainConfig) -> Result<()> {
        let fields = TrainConfig::fields().into_iter();
        for field in fields.filter(|field| self.given(field.key)) {
            if let Some(why) = config.has_no_effect(field.key) {
                return Err(Error::NoEffect {
                    option: field.key.to_owned(),
                    why,
                });
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
        // A default that cannot be serialised would only cost the help its "[default: …]".
        let defaults = TrainConfig::default().table().unwrap_or_default();
        command.args(TrainConfig::all_flags().into_iter().map(|flag| {
            let default = defaults
                .get(flag.get_id().as_str())
                .and_then(default_text)
                .map(|value| format!(" [default: {value}]"))
                .unwrap_or_default();
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            flag.help(help + &default)
        }))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl TrainConfig {
    /// The flags, in the order of [`TrainConfig::all_fields`].
    fn all_flags() -> Vec<Arg> {
        let mut flags = Self::flags();
        let place = |flag: &Arg| {
            let mut fields = Self::all_fields().into_iter();
            fields.position(|field| flag.get_id() == field.key)
        };
        flags.sort_by_key(place);
        flags
    }
}

impl Field {
    /// The flag's name: the key with dashes.
    fn flag_name(&self) -> &'static str {
        // clap borrows names for as long as the program runs.
        static NAMES: LazyLock<BTreeMap<&str, String>> = LazyLock::new(|| {
            let keys = TrainConfig::fields().into_iter().map(|field| field.key);
            keys.map(|key| (key, key.replace('_', "-"))).collect()
        });
        NAMES.get(self.key).map_or(self.key, String::as_str)
    }

    /// The flag, without its value.
    pub(super) fn flag(&self) -> Arg {
        Arg::new(self.key)
            .long(self.flag_name())
            .value_name(self.value_name)
            .help_heading(self.heading)
            .help(self.help)
            // So that `--sparsity -1` reports what is wrong with the value, rather than that -1 is not a flag.
            .allow_negative_numbers(true)
    }
}

/// A default as it would be typed after its flag; `None` if the help says enough.
fn default_text(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::Boolean(false) => None,
        other => Some(value_text(other)),
    }
}
