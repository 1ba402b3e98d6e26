//! Replaces the wgpu executor if the feature `gpu` is left out: no adapter is found, and these types have no values.

use std::ops::Range;
use std::sync::Arc;

use crate::engine::running::around::Around;
use crate::engine::{
    AdapterSummary, DeviceOptions, Ledger, PhaseTime, Plan, TimedBy, View, WorkgroupShape,
};
use crate::error::Result;

/// The message for a user without an adapter.
pub(crate) const NONE_FOUND: &str =
    ". This build of rootlet runs on no GPU: its feature `gpu` is left out";

enum Never {}

pub(crate) struct Adapter(Never);
pub(crate) struct Buffer(Never);
pub(crate) struct Copies(Never);
pub(crate) struct GpuExecutor(Never);
pub(crate) struct GpuProgram(Never);

pub(crate) fn enumerate() -> Vec<(Adapter, AdapterSummary)> {
    Vec::new()
}

impl GpuExecutor {
    pub(crate) fn open(adapter: Adapter, _: &DeviceOptions) -> Result<Self> {
        match adapter.0 {}
    }

    pub(crate) fn timed_by(&self) -> TimedBy {
        match self.0 {}
    }

    pub(crate) fn is_hardware(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn is_checked(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn shape(&self) -> WorkgroupShape {
        match self.0 {}
    }

    pub(crate) fn has_subgroups(&self) -> bool {
        match self.0 {}
    }

    pub(crate) fn submissions(&self) -> u64 {
        match self.0 {}
    }

    pub(crate) fn storage_buffers(&self) -> u32 {
        match self.0 {}
    }

    pub(crate) fn largest_binding(&self) -> u64 {
        match self.0 {}
    }

    pub(crate) fn admit(&self, _label: &str, _bytes: u64) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn allocate(&self, _label: &str, _words: usize) -> Result<Buffer> {
        match self.0 {}
    }

    pub(crate) fn upload(&self, _: &View, _: &[u32]) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn download(&self, _: &View) -> Result<Vec<u32>> {
        match self.0 {}
    }

    pub(crate) fn prepare(
        &self,
        _: &Plan,
        _: &[WorkgroupShape],
        _: &Arc<Ledger>,
    ) -> Result<GpuProgram> {
        match self.0 {}
    }

    pub(crate) fn run(&self, _: &GpuProgram, _: Range<usize>) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn run_copied(
        &self,
        _: &GpuProgram,
        _first: usize,
        _: &[Around<'_>],
    ) -> Result<Copies> {
        match self.0 {}
    }

    pub(crate) fn collect(&self, copies: Copies, _label: &str) -> Result<Vec<u32>> {
        match copies.0 {}
    }

    pub(crate) fn can_time(&self, _: &GpuProgram) -> bool {
        match self.0 {}
    }

    pub(crate) fn run_phases(
        &self,
        _: &GpuProgram,
        _: &[(&'static str, Range<usize>)],
    ) -> Result<Vec<PhaseTime>> {
        match self.0 {}
    }

    pub(crate) fn run_dispatches(&self, _: &GpuProgram) -> Result<Vec<f64>> {
        match self.0 {}
    }

    pub(crate) fn flush(&self) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn wait(&self) -> Result<()> {
        match self.0 {}
    }

    pub(crate) fn lost(&self) -> Option<String> {
        match self.0 {}
    }

    pub(crate) fn lose(&self, _reason: &str) {
        match self.0 {}
    }
}
