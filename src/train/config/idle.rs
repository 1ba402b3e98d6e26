//! Values that have no effect. Flags with them are refused where they were typed: who types one expects something of
//! it. Values from a file stay, so that one file serves many methods and models.

use super::context::Context;
use super::section::Section;
use super::train_config::TrainConfig;
use crate::topology::MethodName;
use crate::{Error, Result};

impl TrainConfig {
    /// Why the value of this name has no effect; none if it has one.
    pub(super) fn has_no_effect(&self, name: &str) -> Option<String> {
        self.why_idle(
            name,
            &Context {
                data: &self.data.name,
                task: self.task.task(),
                model: self.model_name(),
                name: self.topology.method,
                method: self.topology.build_method(),
            },
        )
    }

    /// This with the default in place of each value that has no effect: what two such configurations train is the same
    /// exactly if they are.
    ///
    /// # Errors
    /// None that a configuration can have.
    pub fn effective(&self) -> Result<Self> {
        let mut effective = self.table()?;
        let default = Self::default().table()?;
        effective.insert("model".to_owned(), self.model_name().into());
        for field in Self::fields() {
            let kept = match field.key {
                // What is chosen from a dense network is as many connections as were divided, which rounding decides.
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
