//! Submitting programs, and waiting for them.

use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

use wgpu::util::DeviceExt;

use super::executor::GpuExecutor;
use super::pace::{Chunk, Pacer, Queue};
use super::pipeline::Pipeline;
use super::program::{GpuProgram, PreparedPiece};
use super::wait;
use crate::engine::grid::fold;
use crate::error::Result;

impl Queue for GpuExecutor {
    type Program = GpuProgram;
    type Submission = wgpu::SubmissionIndex;

    fn submit(&self, program: &GpuProgram, chunk: &Chunk) -> Result<wgpu::SubmissionIndex> {
        let pieces = &program.pieces[chunk.units.clone()];
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            match (&chunk.groups, pieces) {
                (Some(groups), [piece]) => self.encode_range(&mut pass, piece, groups)?,
                _ => encode(&mut pass, pieces),
            }
        }
        self.staged.store(0, Ordering::Relaxed);
        Ok(self.queue.submit([encoder.finish()]))
    }

    fn await_end(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        self.wait_for(Some(submission))
    }

    fn await_idle(&self) -> Result<()> {
        self.submit_staged();
        self.wait_for(None)
    }

    fn now(&self) -> f64 {
        self.opened.elapsed().as_secs_f64()
    }
}

impl GpuExecutor {
    pub(crate) fn run(&self, program: &GpuProgram, dispatches: Range<usize>) -> Result<()> {
        let pieces = program.pieces_of(dispatches);
        self.pacer().run(self, program, &program.timings, pieces)?;
        self.faults.check()
    }

    /// Whether a program is submitted in one piece.
    pub(super) fn in_one(&self, program: &GpuProgram) -> bool {
        self.pacer()
            .in_one(&program.timings, 0..program.pieces.len())
    }

    pub(crate) fn submissions(&self) -> u64 {
        self.pacer().submissions
    }

    pub(super) fn pacer(&self) -> MutexGuard<'_, Pacer<wgpu::SubmissionIndex>> {
        self.pacer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Submits what is staged, such as uploads.
    pub(super) fn submit_staged(&self) {
        self.staged.store(0, Ordering::Relaxed);
        self.queue.submit([]);
    }

    pub(crate) fn flush(&self) -> Result<()> {
        self.submit_staged();
        self.wait()
    }

    pub(crate) fn wait(&self) -> Result<()> {
        self.pacer().finish(self)?;
        self.wait_for(None)
    }

    /// Waits for a submission, or for all of them. If the device is gone, that is the error, whatever the wait returns.
    pub(super) fn wait_for(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let waited = wait::submitted(&self.device, &self.queue, submission);
        self.faults.check()?;
        waited
    }

    /// Encodes some workgroups of a dispatch.
    fn encode_range(
        &self,
        pass: &mut wgpu::ComputePass<'_>,
        piece: &PreparedPiece,
        groups: &Range<usize>,
    ) -> Result<()> {
        let pipeline = self.pipelines.ranged(piece.kernel, &piece.pipeline)?;
        // Short-lived and only four words: not resident, so not in the ledger.
        let first = self
            .device
            .create_buffer_init(&wgpu::util::BufferInitDescriptor {
                label: Some("range of workgroups"),
                contents: bytemuck::bytes_of(&[groups.start as u32, 0, 0, 0]),
                usage: wgpu::BufferUsages::UNIFORM,
            });
        let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("range of workgroups"),
            layout: self.pipelines.range_layout(),
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: first.as_entire_binding(),
            }],
        });
        pass.set_pipeline(&pipeline);
        pass.set_bind_group(0, &piece.bind_group, &[]);
        pass.set_bind_group(1, &bind_group, &[]);
        let (x, y) = fold(
            groups.len(),
            self.limits.max_compute_workgroups_per_dimension,
        );
        pass.dispatch_workgroups(x, y, 1);
        Ok(())
    }
}

/// Encodes whole pieces.
pub(super) fn encode(pass: &mut wgpu::ComputePass<'_>, pieces: &[PreparedPiece]) {
    let mut current: Option<&Arc<Pipeline>> = None;
    for piece in pieces {
        if !current.is_some_and(|p| Arc::ptr_eq(p, &piece.pipeline)) {
            pass.set_pipeline(&piece.pipeline.pipeline);
            current = Some(&piece.pipeline);
        }
        pass.set_bind_group(0, &piece.bind_group, &[]);
        pass.dispatch_workgroups(piece.grid.0, piece.grid.1, 1);
    }
}
