//! Uploads and read-backs.

use std::sync::atomic::Ordering;

use super::super::buffer::{Memory, View};
use super::GpuExecutor;
use crate::error::{Error, Result};

/// Bytes of uploads that one submission copies: a tenth of a second on a slow bus.
const STAGED: u64 = 128 << 20;

fn memory(view: &View) -> Result<&wgpu::Buffer> {
    match view.buffer.memory() {
        Memory::Gpu(buffer) => Ok(buffer),
        Memory::Host(_) | Memory::Unplaced => Err(Error::Shape(format!(
            "buffer `{}` is not on this device",
            view.buffer.label()
        ))),
    }
}

impl GpuExecutor {
    pub(crate) fn upload(&self, view: &View, words: &[u32]) -> Result<()> {
        let (buffer, mut offset) = (memory(view)?, view.range.start as u64 * 4);
        // In several submissions where there is much: the device copies it, and no submission is to take long.
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
        let (offset, bytes) = (view.range.start as u64 * 4, view.words() as u64 * 4);
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
        let failed = |e: &dyn std::fmt::Display| {
            Error::Device(format!("reading buffer `{label}` back failed: {e}"))
        };
        // Short-lived and the size of the view: not resident, so not in the ledger.
        let staging = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("read-back"),
            size: bytes,
            usage: wgpu::BufferUsages::MAP_READ | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&Default::default());
        encoder.copy_buffer_to_buffer(buffer, offset, &staging, 0, bytes);
        let submission = self.queue.submit([encoder.finish()]);
        let (sender, receiver) = std::sync::mpsc::channel();
        staging.map_async(wgpu::MapMode::Read, .., move |result| {
            // The receiver is gone only if waiting failed, which is reported there.
            let _ = sender.send(result);
        });
        self.pacer().finish(self)?;
        self.wait_for(Some(submission))?;
        receiver
            .try_recv()
            .map_err(|e| failed(&e))?
            .map_err(|e| failed(&e))?;
        let mapped = staging.get_mapped_range(..).map_err(|e| failed(&e))?;
        Ok(bytemuck::pod_collect_to_vec(&mapped))
    }
}
