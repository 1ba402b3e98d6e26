//! In place of the CPU executor if the feature `cpu` is left out: no value of this type exists.

use crate::engine::{Dispatch, View};
use crate::error::{Error, Result};

enum Never {}

pub(crate) struct CpuExecutor(Never);

/// Of nothing.
#[derive(Default)]
pub(crate) struct Delays(());

impl CpuExecutor {
    pub(crate) fn new(_threads: usize) -> Result<Self> {
        Err(Error::LeftOut {
            what: "has no CPU executor",
            feature: "cpu",
            way_out: "name one of the adapters that `rootlet::engine::adapter::list` returns, or build it with that \
                      feature",
        })
    }

    pub(crate) fn threads(&self) -> usize {
        match self.0 {}
    }

    pub(crate) fn run(&self, _: &[Dispatch], _: &Delays) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn upload(&self, _: &View, _: &[u32]) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn download(&self, _: &View) -> Result<Vec<u32>> {
        match self.0 {}
    }
}
