//! Programs: plans prepared for an adapter.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use super::executor::GpuExecutor;
use super::pace::{Shared, Timings, Unit};
use super::pipeline::Pipeline;
use crate::engine::buffer::{Buffer, Memory};
use crate::engine::grid::fold;
use crate::engine::kernel::{BindingKind, KernelInfo};
use crate::engine::ledger::{Class, Ledger};
use crate::engine::loops::{Part, Piece};
use crate::engine::plan::{Dispatch, Plan};
use crate::engine::{Precision, WorkgroupShape};
use crate::error::{Error, Misfit, Result};

/// A plan's pipelines, bind groups and folded grids.
pub(crate) struct GpuProgram {
    pub(super) pieces: Vec<PreparedPiece>,
    /// The pieces as the pacer sees them: one unit each.
    pub(super) timings: Shared,
    /// The index of each dispatch's first piece, and the total number.
    first: Vec<usize>,
    /// Keeps the parameters' bytes in the ledger.
    _params: Buffer,
}

impl GpuProgram {
    /// Number of dispatches.
    pub(super) fn dispatches(&self) -> usize {
        self.first.len() - 1
    }

    /// The pieces of some dispatches.
    pub(super) fn pieces_of(&self, dispatches: Range<usize>) -> Range<usize> {
        self.first[dispatches.start]..self.first[dispatches.end]
    }
}

/// A recorded dispatch, or one of the pieces that it is split into.
pub(super) struct PreparedPiece {
    pub(super) kernel: &'static KernelInfo,
    pub(super) pipeline: Arc<Pipeline>,
    pub(super) bind_group: wgpu::BindGroup,
    pub(super) grid: (u32, u32),
}

/// The uniforms in one buffer.
struct Uniforms {
    alignment: usize,
    bytes: Vec<u8>,
}

impl Uniforms {
    /// Appends a uniform, and returns its offset.
    fn push(&mut self, uniform: &[u8]) -> u64 {
        let at = self.bytes.len().next_multiple_of(self.alignment);
        self.bytes.resize(at, 0);
        self.bytes.extend_from_slice(uniform);
        self.bytes.resize(self.bytes.len().next_multiple_of(16), 0);
        at as u64
    }
}

/// The bind group entry of a uniform with this many bytes.
fn uniform(
    binding: u32,
    buffer: &wgpu::Buffer,
    offset: u64,
    bytes: usize,
) -> wgpu::BindGroupEntry<'_> {
    wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
            buffer,
            offset,
            size: wgpu::BufferSize::new(bytes.next_multiple_of(16) as u64),
        }),
    }
}

impl GpuExecutor {
    /// `shapes`: the workgroup shape of each dispatch.
    pub(crate) fn prepare(
        &self,
        plan: &Plan,
        shapes: &[WorkgroupShape],
        ledger: &Arc<Ledger>,
    ) -> Result<GpuProgram> {
        let pieces: Vec<Vec<Piece>> = (plan.dispatches().iter().zip(shapes))
            .map(|(dispatch, &shape)| dispatch.pieces(shape))
            .collect();
        let mut uniforms = Uniforms {
            alignment: self.limits.min_uniform_buffer_offset_alignment as usize,
            bytes: Vec::new(),
        };
        // The offsets of each dispatch's parameters, and of the parts of its pieces.
        let mut offsets = Vec::new();
        for (dispatch, pieces) in plan.dispatches().iter().zip(&pieces) {
            let params = uniforms.push(&dispatch.params);
            let parts = pieces.iter().filter(|_| dispatch.kernel.parts);
            let parts: Vec<u64> = parts
                .map(|piece| uniforms.push(bytemuck::bytes_of(&piece.part)))
                .collect();
            offsets.push((params, parts));
        }
        let mut bytes = uniforms.bytes;
        bytes.resize(bytes.len().max(16), 0);
        let label = format!("parameters of plan {}", plan.name);
        let params = self.allocate(&label, bytes.len() / 4)?;
        self.queue.write_buffer(&params, 0, &bytes);

        let mut prepared = Vec::new();
        let mut units = Vec::new();
        let mut first = vec![0];
        let dispatches = plan.dispatches().iter().zip(shapes);
        for (((dispatch, &shape), pieces), (offset, parts)) in dispatches.zip(pieces).zip(offsets) {
            let (kernel, precisions) = (dispatch.kernel.in_shape(shape), dispatch.precisions());
            let pipeline = self.pipelines.get(kernel, shape, &precisions)?;
            let mut entries = vec![uniform(
                pipeline.reflection.params_binding,
                &params,
                offset,
                dispatch.params.len(),
            )];
            for ((info, view), binding) in dispatch
                .kernel
                .bindings
                .iter()
                .zip(&dispatch.views)
                .zip(&pipeline.reflection.bindings)
            {
                let Memory::Gpu(buffer) = view.buffer.memory() else {
                    return Err(Error::Shape(Misfit::Foreign {
                        what: format!("buffer `{}`", view.buffer.label()),
                    }));
                };
                let bytes = match info.kind {
                    BindingKind::Uniform(fields) => fields.len().next_multiple_of(4) as u64 * 4,
                    _ => view.bytes(),
                };
                entries.push(wgpu::BindGroupEntry {
                    binding: *binding,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer,
                        offset: view.offset(),
                        size: wgpu::BufferSize::new(bytes),
                    }),
                });
            }
            let bound = work_of_bindings(dispatch) / pieces.len().max(1) as f64;
            for (i, piece) in pieces.iter().enumerate() {
                let part = pipeline.reflection.part_binding.zip(parts.get(i));
                let part = part
                    .map(|(binding, &offset)| uniform(binding, &params, offset, size_of::<Part>()));
                let entries: Vec<_> = entries.iter().cloned().chain(part).collect();
                let groups = piece.grid.workgroups(pipeline.reflection.workgroup);
                let invocations: u32 = pipeline.reflection.workgroup.iter().product();
                units.push(Unit::new(
                    dispatch.kernel.name,
                    groups,
                    pipeline.reflection.ranges,
                    work(groups, invocations, piece) + bound,
                ));
                prepared.push(PreparedPiece {
                    kernel,
                    pipeline: pipeline.clone(),
                    bind_group: self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                        label: Some(dispatch.kernel.name),
                        layout: &pipeline.layout,
                        entries: &entries,
                    }),
                    grid: fold(groups, self.limits.max_compute_workgroups_per_dimension),
                });
            }
            first.push(prepared.len());
        }
        self.faults.check()?;
        let side = self.limits.max_compute_workgroups_per_dimension;
        Ok(GpuProgram {
            pieces: prepared,
            timings: Arc::new(Mutex::new(Timings::new(units, side))),
            first,
            _params: Buffer::new(
                &label,
                Class::Scratch,
                bytes.len() / 4,
                Precision::F32,
                Memory::Gpu(params),
                ledger,
            ),
        })
    }
}

/// The weight of an invocation's start and end, in iterations of a loop: a few bytes from distant memory.
const INVOCATION: f64 = 32.0;

/// The work of a piece, from which the pacer guesses before it has measured: about one per iteration of a loop.
fn work(groups: usize, invocations: u32, piece: &Piece) -> f64 {
    groups as f64 * f64::from(invocations) * (INVOCATION + piece.iterations as f64)
}

/// The number of words that a dispatch binds: most kernels touch each of them.
fn work_of_bindings(dispatch: &Dispatch) -> f64 {
    let words: usize = dispatch.views.iter().map(|view| view.words()).sum();
    words as f64
}
