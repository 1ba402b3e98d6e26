//! Lost devices: reporting the loss, and losing one on purpose, for tests of the consequences.

use super::definition::{Device, Executor};
use crate::error::{Error, Result};

/// What a device reports that was lost on purpose.
const ON_PURPOSE: &str = "it was told to";

impl Device {
    /// Why the device is gone, if it is: the driver was reset, the machine slept, or the GPU was unplugged. Nothing
    /// that it computed after the last successful call can be trusted, and no further call will succeed.
    pub fn lost(&self) -> Option<String> {
        match &self.executor {
            Executor::Cpu(_) => self.fuse.burnt().then(|| ON_PURPOSE.to_owned()),
            Executor::Gpu(gpu) => gpu.lost(),
        }
    }

    /// For tests: the device is lost at the `calls`-th call from now that runs something or moves data. A GPU is then
    /// destroyed; the CPU executor refuses all work.
    #[doc(hidden)]
    pub fn lose_after(&self, calls: u64) {
        self.fuse.light(calls);
    }

    /// To be called by everything that runs something or moves data.
    pub(in crate::engine) fn burn_fuse(&self) -> Result<()> {
        if !self.fuse.burn() {
            return Ok(());
        }
        match &self.executor {
            Executor::Cpu(_) => Err(Error::Lost(ON_PURPOSE.to_owned())),
            Executor::Gpu(gpu) => {
                // Such a test is about the driver's own answers.
                gpu.lose(ON_PURPOSE);
                Ok(())
            }
        }
    }
}
