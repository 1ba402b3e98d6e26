//! The wgpu executor: opens an adapter, allocates buffers and submits plans, one open compute pass a submission.

mod fault;
mod pipeline;
mod timing;
mod transfer;
mod wait;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use wgpu::{BufferUsages, DeviceType, Features, Limits};

use super::adapter::DeviceOptions;
use super::buffer::{Buffer, Memory};
use super::kernel::BindingKind;
use super::ledger::{Class, Ledger};
use super::loops::{Part, Piece};
use super::plan::{Plan, fold};
use super::shape::WorkgroupShape;
use crate::error::{Error, Result};
use fault::Faults;
use pipeline::{Pipeline, Pipelines};

/// Submissions that may be in flight before the host waits for the oldest: enough to keep the device
/// busy, few enough that the uploads staged for them stay small.
const IN_FLIGHT: usize = 4;

/// What a user can do about a buffer that is too large.
const ADVICE: &str = "use a higher --sparsity, a smaller --batch or --hidden, or another --adapter";

pub(crate) struct GpuExecutor {
    device: wgpu::Device,
    queue: wgpu::Queue,
    limits: Limits,
    hardware: bool,
    shape: WorkgroupShape,
    faults: Arc<Faults>,
    /// Whether passes can write timestamps.
    timestamps: bool,
    pipelines: Pipelines,
    in_flight: Mutex<VecDeque<wgpu::SubmissionIndex>>,
}

/// A plan's pipelines, bind groups and folded grids.
pub(crate) struct GpuProgram {
    dispatches: Vec<Prepared>,
    /// Keeps the parameters' bytes in the ledger.
    _params: Buffer,
}

/// One recorded dispatch.
struct Prepared {
    pipeline: Arc<Pipeline>,
    pieces: Vec<PreparedPiece>,
}

/// One of the dispatches that it is here.
struct PreparedPiece {
    bind_group: wgpu::BindGroup,
    grid: (u32, u32),
}

/// Uniforms of one buffer.
struct Uniforms {
    alignment: usize,
    bytes: Vec<u8>,
}

impl Uniforms {
    /// Appends one, and returns where it lies.
    fn push(&mut self, uniform: &[u8]) -> u64 {
        let at = self.bytes.len().next_multiple_of(self.alignment);
        self.bytes.resize(at, 0);
        self.bytes.extend_from_slice(uniform);
        self.bytes.resize(self.bytes.len().next_multiple_of(16), 0);
        at as u64
    }
}

/// The entry of a uniform of so many bytes.
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
    pub(crate) fn open(adapter: wgpu::Adapter, options: &DeviceOptions) -> Result<Self> {
        let info = adapter.get_info();
        let offered = adapter.limits();
        let mut limits = Limits::default();
        if !options.default_limits {
            limits.max_storage_buffer_binding_size = offered.max_storage_buffer_binding_size;
            limits.max_buffer_size = offered.max_buffer_size;
        }
        // Taken where it is offered: nothing that is computed depends on it.
        let features = match options.default_limits {
            true => Features::empty(),
            false => adapter.features() & (Features::TIMESTAMP_QUERY | Features::SUBGROUP),
        };
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("rootlet"),
            required_features: features,
            required_limits: limits.clone(),
            ..Default::default()
        });
        let (device, queue) = wait::block_on(request)
            .map_err(|e| Error::Device(format!("cannot open adapter {}: {e}", info.name)))?;
        let faults = Faults::watch(&device);
        let hardware = info.device_type != DeviceType::Cpu;
        let shape = options.shape.unwrap_or(match hardware {
            true => WorkgroupShape::Hardware,
            false => WorkgroupShape::Software,
        });
        Ok(GpuExecutor {
            pipelines: Pipelines::new(device.clone(), shape, info.backend, options.rewrite),
            device,
            queue,
            limits,
            hardware,
            shape,
            faults,
            timestamps: features.contains(Features::TIMESTAMP_QUERY),
            in_flight: Mutex::default(),
        })
    }

    pub(crate) fn is_hardware(&self) -> bool {
        self.hardware
    }

    pub(crate) fn shape(&self) -> WorkgroupShape {
        self.shape
    }

    pub(crate) fn has_subgroups(&self) -> bool {
        self.device.features().contains(Features::SUBGROUP)
    }

    pub(crate) fn largest_binding(&self) -> u64 {
        let limits = &self.limits;
        limits
            .max_storage_buffer_binding_size
            .min(limits.max_buffer_size)
    }

    /// Refuses a buffer that is larger than the adapter's limits.
    pub(crate) fn admit(&self, label: &str, bytes: u64) -> Result<()> {
        let limits = [
            (
                self.limits.max_storage_buffer_binding_size,
                "this adapter's largest storage binding",
            ),
            (self.limits.max_buffer_size, "this adapter's largest buffer"),
        ];
        match limits.into_iter().find(|(limit, _)| bytes > *limit) {
            None => Ok(()),
            Some((limit, what)) => Err(Error::Limit {
                buffer: label.to_owned(),
                bytes,
                limit,
                what: what.to_owned(),
                advice: ADVICE.to_owned(),
            }),
        }
    }

    pub(crate) fn allocate(&self, label: &str, words: usize) -> Result<wgpu::Buffer> {
        let bytes = words as u64 * 4;
        self.admit(label, bytes)?;
        let memory = self.device.push_error_scope(wgpu::ErrorFilter::OutOfMemory);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some(label),
            size: bytes,
            usage: BufferUsages::STORAGE
                | BufferUsages::UNIFORM
                | BufferUsages::COPY_SRC
                | BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        if wait::block_on(memory.pop()).is_some() {
            return Err(Error::Memory {
                buffer: label.to_owned(),
                bytes,
                advice: format!("the device has no memory left: {ADVICE}"),
            });
        }
        self.faults.check()?;
        Ok(buffer)
    }

    pub(crate) fn prepare(&self, plan: &Plan, ledger: &Arc<Ledger>) -> Result<GpuProgram> {
        let pieces: Vec<Vec<Piece>> = plan
            .dispatches()
            .iter()
            .map(|dispatch| dispatch.pieces(self.shape))
            .collect();
        let mut uniforms = Uniforms {
            alignment: self.limits.min_uniform_buffer_offset_alignment as usize,
            bytes: Vec::new(),
        };
        // Where each dispatch's parameters lie, and the parts of its pieces.
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

        let mut dispatches = Vec::new();
        for ((dispatch, pieces), (offset, parts)) in
            plan.dispatches().iter().zip(pieces).zip(offsets)
        {
            let pipeline = self.pipelines.get(dispatch.kernel)?;
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
                    return Err(Error::Shape(format!(
                        "buffer `{}` is not on this device",
                        view.buffer.label()
                    )));
                };
                let words = match info.kind {
                    BindingKind::Uniform(fields) => fields.len().next_multiple_of(4),
                    _ => view.words(),
                };
                entries.push(wgpu::BindGroupEntry {
                    binding: *binding,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer,
                        offset: view.range.start as u64 * 4,
                        size: wgpu::BufferSize::new(words as u64 * 4),
                    }),
                });
            }
            let mut prepared = Vec::new();
            for (i, piece) in pieces.iter().enumerate() {
                let part = pipeline.reflection.part_binding.zip(parts.get(i));
                let part = part
                    .map(|(binding, &offset)| uniform(binding, &params, offset, size_of::<Part>()));
                let entries: Vec<_> = entries.iter().cloned().chain(part).collect();
                let groups = piece.grid.workgroups(pipeline.reflection.workgroup);
                prepared.push(PreparedPiece {
                    bind_group: self.device.create_bind_group(&wgpu::BindGroupDescriptor {
                        label: Some(dispatch.kernel.name),
                        layout: &pipeline.layout,
                        entries: &entries,
                    }),
                    grid: fold(groups, self.limits.max_compute_workgroups_per_dimension),
                });
            }
            dispatches.push(Prepared {
                pipeline,
                pieces: prepared,
            });
        }
        self.faults.check()?;
        Ok(GpuProgram {
            dispatches,
            _params: Buffer::new(
                &label,
                Class::Scratch,
                bytes.len() / 4,
                Memory::Gpu(params),
                ledger,
            ),
        })
    }

    pub(crate) fn run(&self, program: &GpuProgram, range: Range<usize>) -> Result<()> {
        let mut encoder = self.device.create_command_encoder(&Default::default());
        {
            let mut pass = encoder.begin_compute_pass(&Default::default());
            encode(&mut pass, &program.dispatches[range]);
        }
        let submission = self.queue.submit([encoder.finish()]);
        self.throttle(submission)?;
        self.faults.check()
    }

    /// Waits for old submissions, so that the host does not run ahead of the device without bound.
    fn throttle(&self, submission: wgpu::SubmissionIndex) -> Result<()> {
        let oldest = {
            let mut in_flight = self
                .in_flight
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            in_flight.push_back(submission);
            if in_flight.len() <= IN_FLIGHT {
                return Ok(());
            }
            in_flight.pop_front()
        };
        self.wait_for(oldest)
    }

    pub(crate) fn flush(&self) -> Result<()> {
        self.queue.submit([]);
        self.wait()
    }

    pub(crate) fn wait(&self) -> Result<()> {
        self.wait_for(None)
    }

    /// Waits for a submission, or for all of them. Where the device is gone, that is the error, whatever waiting says of it.
    fn wait_for(&self, submission: Option<wgpu::SubmissionIndex>) -> Result<()> {
        let waited = wait::poll(&self.device, submission);
        self.faults.check()?;
        waited
    }

    /// Why the device is gone, if it is.
    pub(crate) fn lost(&self) -> Option<String> {
        self.faults.lost()
    }

    /// Loses the device, as a driver does that was reset.
    pub(crate) fn lose(&self, reason: &str) {
        self.faults.lose(reason.to_owned());
        self.device.destroy();
    }
}

fn encode(pass: &mut wgpu::ComputePass<'_>, dispatches: &[Prepared]) {
    let mut current: Option<&Arc<Pipeline>> = None;
    for dispatch in dispatches {
        if !current.is_some_and(|p| Arc::ptr_eq(p, &dispatch.pipeline)) {
            pass.set_pipeline(&dispatch.pipeline.pipeline);
            current = Some(&dispatch.pipeline);
        }
        for piece in &dispatch.pieces {
            pass.set_bind_group(0, &piece.bind_group, &[]);
            pass.dispatch_workgroups(piece.grid.0, piece.grid.1, 1);
        }
    }
}
