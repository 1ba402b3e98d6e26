//! The device of the commands that do not train.

use clap::Args;
use rootlet::Result;
use rootlet::engine::adapter::takes_threads;
use rootlet::engine::{Device, DeviceOptions};
use rootlet::train::TrainConfig;
use rootlet::train::config::{idle_threads, whole};

use super::checks::no_effect;
use super::output;

/// Which device a command that does not train runs on.
#[derive(Clone, Debug, Args)]
pub struct DeviceArgs {
    /// Adapter to run on: auto, cpu, an index of `rootlet adapters`, or a part of a name
    #[arg(
        long,
        value_name = "ADAPTER",
        env = "ROOTLET_ADAPTER",
        default_value = "auto"
    )]
    pub adapter: String,
    /// Threads of the CPU executor (0: one per core)
    #[arg(long, value_name = "N", default_value_t = 0, allow_negative_numbers = true, value_parser = threads)]
    pub threads: usize,
}

impl DeviceArgs {
    /// Refuses a number of threads for an adapter that has its own cores.
    pub(super) fn check_threads(&self) -> Result<()> {
        match self.threads > 0 && !takes_threads(&self.adapter) {
            true => Err(no_effect("threads", &idle_threads(&self.adapter))),
            false => Ok(()),
        }
    }

    /// Opens the device, and says what the user should know about it.
    pub(super) fn open(&self) -> Result<Device> {
        let options = DeviceOptions {
            threads: self.threads,
            ..DeviceOptions::default()
        };
        let device = Device::open(&self.adapter, &options)?;
        device.warning().into_iter().for_each(output::note);
        Ok(device)
    }
}

/// Parses a number of threads, even for an adapter that ignores it, so that a typing error is reported.
fn threads(text: &str) -> std::result::Result<usize, String> {
    let mut config = TrainConfig::default();
    config.machine.threads = whole(text)?;
    config.validate().map_err(|error| error.to_string())?;
    Ok(config.machine.threads)
}
