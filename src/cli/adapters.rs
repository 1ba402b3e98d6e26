//! `rootlet adapters`.

use clap::Args;
use rootlet::{Error, Result};

/// Lists the GPUs and other adapters
///
/// Lists every adapter with its index, name, type, backend, driver, limits and features, and marks the one that
/// `--adapter auto` takes. `--adapter` (or the environment variable ROOTLET_ADAPTER) chooses another.
#[derive(Debug, Args)]
pub struct AdaptersArgs {}

/// Lists the adapters.
pub fn run(_args: &AdaptersArgs) -> Result<()> {
    // LEAD: the engine's list of adapters, one a block of lines.
    Err(Error::Usage(
        "`rootlet adapters` is not built yet".to_owned(),
    ))
}
