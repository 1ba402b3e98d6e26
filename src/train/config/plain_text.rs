//! The text of a `config.toml` in a build without the command line, whose help explains the keys elsewhere.

use super::TrainConfig;
use crate::Result;

impl TrainConfig {
    /// The text of `config.toml`: every key that is set, also those with default values.
    ///
    /// # Errors
    /// A number that TOML cannot hold.
    pub fn to_toml(&self) -> Result<String> {
        let version = env!("CARGO_PKG_VERSION");
        Ok(format!("# rootlet {version}\n{}", self.table()?))
    }
}
