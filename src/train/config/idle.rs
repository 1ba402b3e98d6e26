//! Values that have no effect. Typed flags without effect are refused, because the user expects something of them. In a
//! file they are accepted, so that one file serves many methods and models.

use super::context::Context;
use super::section::Section;
use super::train_config::TrainConfig;
use super::usual::Usual;
use crate::topology::MethodName;
use crate::{Error, Result};

impl TrainConfig {
    /// Why the value of this name has no effect; `None` if it has one.
    pub(super) fn has_no_effect(&self, name: &str) -> Option<String> {
        self.why_idle(
            name,
            &Context {
                data: &self.data.name,
                task: self.task.task(),
                model: self.model_name(),
                name: self.topology.method,
                method: self.topology.build_method(),
                usual: Usual::of(&self.data.name),
            },
        )
    }

    /// This with the default in place of each value that has no effect: two configurations train the same exactly if
    /// these are equal.
    ///
    /// # Errors
    /// A configuration cannot cause one.
    pub fn effective(&self) -> Result<Self> {
        let mut effective = self.table()?;
        let default = Self::default().table()?;
        effective.insert("model".to_owned(), self.model_name().into());
        for field in Self::fields() {
            let kept = match field.key {
                // The number of connections chosen from a dense network is the number that was divided, which depends
                // on rounding.
                "assignment" => self.topology.method != MethodName::Dense,
                // Only an adapter can tell.
                "threads" => true,
                _ => false,
            };
            if kept || self.has_no_effect(field.key).is_none() {
                continue;
            }
            match default.get(field.key) {
                Some(value) => drop(effective.insert(field.key.to_owned(), value.clone())),
                None => drop(effective.remove(field.key)),
            }
        }
        effective
            .try_into()
            .map_err(|error: toml::de::Error| Error::Config {
                origin: "the configuration".to_owned(),
                why: error.message().trim().to_owned(),
            })
    }
}
