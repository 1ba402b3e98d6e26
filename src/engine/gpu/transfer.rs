//! Uploads and read-backs.

use std::sync::atomic::Ordering;

use super::executor::GpuExecutor;
use super::program::GpuProgram;
use super::wait::{self, Mapped};
use crate::engine::buffer::{Memory, View};
use crate::engine::running::around::Around;
use crate::error::{Error, Fault, Misfit, Result};

/// Bytes of uploads that one submission copies: a tenth of a second on a slow bus.
const STAGED: u64 = 128 << 20;

fn memory(view: &View) -> Result<&wgpu::Buffer> {
    match view.buffer.memory() {
        Memory::Gpu(buffer) => Ok(buffer),
        Memory::Host(_) | Memory::Counted | Memory::Unplaced => {
            Err(Error::Shape(Misfit::Foreign {
                what: format!("buffer `{}`", view.buffer.label()),
            }))
        }
    }
}

impl GpuExecutor {
    pub(crate) fn upload(&self, view: &View, words: &[u32]) -> Result<()> {
        let (buffer, mut offset) = (memory(view)?, view.offset());
        // Large uploads take several submissions: the device copies them, and no submission should take long.
        for words in words.chunks(STAGED as usize / 4) {
            let bytes = size_of_val(words) as u64;
            if self.staged.fetch_add(bytes, Ordering::Relaxed) + bytes > STAGED {
                self.submit_staged();
                self.staged.store(bytes, Ordering::Relaxed);
            }
            self.queue
                .write_buffer(buffer, offset, bytemuck::cast_slice(words));
            offset += bytes;
        }
        self.faults.check()
    }

    pub(crate) fn download(&self, view: &View) -> Result<Vec<u32>> {
        let (offset, bytes) = (view.offset(), view.bytes());
        self.read(memory(view)?, offset, bytes, view.buffer.label())
    }

    /// Reads `bytes` from `offset` on; `label` names the buffer in messages.
    pub(super) fn read(
        &self,
        buffer: &wgpu::Buffer,
        offset: u64,
        bytes: u64,
        label: &str,
    ) -> Result<Vec<u32>> {
        let staging = self.staging(bytes);
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, offset, &staging, 0, bytes);
        self.queue.submit([encoder.finish()]);
        self.collect(self.map(staging), label)
    }

    /// Runs dispatches of a program from `first` on, each between copies of some of its bindings, and does not wait for
    /// the last.
    pub(crate) fn run_copied(
        &self,
        program: &GpuProgram,
        first: usize,
        around: &[Around<'_>],
    ) -> Result<Copies> {
        let words: usize = around.iter().map(Around::words).sum();
        let staging = self.staging(words as u64 * 4);
        let mut at = 0;
        let mut copy = |views: &[&View]| -> Result<()> {
            let mut encoder = self.device.create_command_encoder(&Default::default());
            for view in views {
                let (offset, bytes) = (view.offset(), view.bytes());
                encoder.copy_buffer_to_buffer(memory(view)?, offset, &staging, at, bytes);
                at += bytes;
            }
            self.queue.submit([encoder.finish()]);
            Ok(())
        };
        for (i, around) in around.iter().enumerate() {
            copy(&around.before)?;
            // Submitted separately, because the pacer decides how much the device receives at once.
            self.run(program, first + i..first + i + 1)?;
            copy(&around.after)?;
        }
        Ok(self.map(staging))
    }

    /// Short-lived and as large as what is copied: not resident, so not in the ledger.
    fn staging(&self, bytes: u64) -> wgpu::Buffer {
        self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        })
    }

    /// Requests the words of a buffer that submitted work fills.
    fn map(&self, staging: wgpu::Buffer) -> Copies {
        let (sender, mapped) = std::sync::mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only if waiting failed, which is reported there.
            let _ = sender.send(result);
        });
        // After the copies, so that a wait for it does not wait for later submissions.
        let submission = self.queue.submit([]);
        Copies {
            staging,
            submission,
            mapped,
        }
    }

    /// Waits for the copies; `label` names them in messages.
    pub(crate) fn collect(&self, copies: Copies, label: &str) -> Result<Vec<u32>> {
        let failed = |e: &dyn std::fmt::Display| {
            Error::Device(Fault::Driver {
                doing: format!("reading buffer `{label}` back"),
                why: e.to_string(),
            })
        };
        self.pacer().finish(self)?;
        self.wait_for(Some(copies.submission))?;
        wait::mapped(&copies.mapped).map_err(|e| failed(&e))?;
        let mapped = (copies.staging.get_mapped_range(..)).map_err(|e| failed(&e))?;
        Ok(bytemuck::pod_collect_to_vec(&mapped))
    }
}

/// Copies that the device makes for the host, one after another.
pub(crate) struct Copies {
    staging: wgpu::Buffer,
    submission: wgpu::SubmissionIndex,
    mapped: Mapped,
}
