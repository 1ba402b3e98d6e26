//! [`TrainConfig`]: all sections together, as one flat table in files.

use std::fmt;

use serde::de::{DeserializeSeed, Error as _, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::data::DataConfig;
use super::machine::MachineConfig;
use super::model::ModelConfig;
use super::optimiser::OptimiserConfig;
use super::run::RunConfig;
use super::section::{Field, Section, sections};
use super::task::TaskConfig;
use super::topology::TopologyConfig;
use crate::Result;

sections! {
    /// Everything that decides what a training run computes.
    ///
    /// It is the `config.toml` of a run, where all keys are in one table, and with `ConfigFlags` the flags of
    /// `rootlet train`. A value comes from the flag if it was given, otherwise from `ROOTLET_ADAPTER` (the adapter
    /// only), otherwise from the file, and otherwise it is the default. The defaults train on the embedded digits in
    /// well under a minute.
    ///
    /// ```
    /// use rootlet::train::TrainConfig;
    /// let mut config = TrainConfig::default();
    /// config.model.hidden = vec![512];
    /// config.model.sparsity = 0.98;
    /// config.validate()?;
    /// # Ok::<(), rootlet::Error>(())
    /// ```
    pub struct TrainConfig {
        /// Which data it trains on.
        data: DataConfig,
        /// What it learns to predict, and with which loss.
        task: TaskConfig,
        /// Which model, and how many connections it has.
        model: ModelConfig,
        /// How connections are pruned and grown.
        topology: TopologyConfig,
        /// How long, in what steps, and with which random numbers.
        run: RunConfig,
        /// The loss, the optimiser and its learning rate.
        optimiser: OptimiserConfig,
        /// What it computes on.
        machine: MachineConfig,
    }
}

impl TrainConfig {
    /// Checks every value; [`Error::Value`](crate::Error::Value) names the first bad one and what it must be.
    pub fn validate(&self) -> Result<()> {
        self.data.validate()?;
        self.task.validate()?;
        self.model.validate()?;
        self.topology.validate()?;
        self.run.validate()?;
        self.usual_optimiser().validate()?;
        self.machine.validate(self.run.batch)
    }

    /// Validates, and replaces what depends on the working directory or has two forms, so that the result, saved,
    /// repeats the run from anywhere: the data's paths become absolute, and a `limit`, `steps`, `patience` or
    /// `connections` of 0 none. What follows from other values is left to them: see [`TrainConfig::with_derived`].
    pub fn resolve(mut self) -> Result<Self> {
        self.validate()?;
        self.data.limit = self.data.limit.filter(|&limit| limit > 0);
        self.run.steps = self.run.steps.filter(|&steps| steps > 0);
        self.run.patience = self.run.patience.filter(|&epochs| epochs > 0);
        self.model.connections = (self.model.connections).filter(|&connections| connections > 0);
        self.topology.round_until = self.topology.round_until.map(|_| self.round_until());
        self.data.resolve()?;
        Ok(self)
    }

    /// T_end in epochs: as given, or 0.6 × the epochs.
    pub fn round_until(&self) -> f64 {
        self.topology.until(self.run.epochs)
    }

    /// The fields of all sections, in the order of the help: the seed comes last under the heading that the run and its
    /// optimiser share.
    pub(super) fn all_fields() -> Vec<Field> {
        let mut fields = Self::fields();
        fields.sort_by_key(|field| field.key == "seed");
        fields
    }

    /// The field of a key.
    pub(super) fn field(key: &str) -> Option<Field> {
        Self::fields().into_iter().find(|field| field.key == key)
    }
}

impl Serialize for TrainConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.write(&mut map)?;
        map.end()
    }
}

// What serde's `flatten` and `deny_unknown_fields` would do, but cannot do together: an unknown key is refused, and an
// error keeps its place in the file.
impl<'de> Deserialize<'de> for TrainConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Table)
    }
}

/// Reads the keys of all sections; missing keys get the default.
struct Table;

impl<'de> Visitor<'de> for Table {
    type Value = TrainConfig;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a configuration")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TrainConfig, A::Error> {
        let mut config = TrainConfig::default();
        let mut seen = Vec::new();
        while let Some(key) = map.next_key_seed(Key)? {
            if seen.contains(&key) {
                return Err(A::Error::duplicate_field(key));
            }
            seen.push(key);
            config.read(key, &mut map)?;
        }
        Ok(config)
    }
}

/// Reads an existing key.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = &'static str;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key {
    type Value = &'static str;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        static KEYS: std::sync::LazyLock<Vec<&'static str>> =
            std::sync::LazyLock::new(|| TrainConfig::fields().iter().map(|f| f.key).collect());
        let known = KEYS.iter().find(|known| **known == key);
        known.copied().ok_or_else(|| E::unknown_field(key, &KEYS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::option::ALL;

    #[test]
    fn messages_name_options_that_there_are() {
        let of_commands = [
            "check",
            "config",
            "name",
            "no_verify",
            "out",
            "runs",
            "save_every",
        ];
        for option in ALL {
            let known = TrainConfig::field(option.0).is_some();
            assert!(known || of_commands.contains(&option.0), "{option}");
        }
    }
}
