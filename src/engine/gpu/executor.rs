//! An open adapter: its limits, its buffers, and whether it is still there.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};

use wgpu::{BufferUsages, DeviceType, Features, Limits};

use super::fault::Faults;
use super::pace::Pacer;
use super::pipeline::Pipelines;
use super::wait;
use crate::clock::Instant;
use crate::engine::{DeviceOptions, Pace, TimedBy, WorkgroupShape};
use crate::error::{Error, Fault, Remedies, Result};

/// Maximum number of storage buffers that a kernel may bind, on adapters that allow it; all have 8.
const MOST_STORAGE_BUFFERS: u32 = 16;

pub(crate) struct GpuExecutor {
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    pub(super) limits: Limits,
    pub(super) hardware: bool,
    pub(super) shape: WorkgroupShape,
    pub(super) faults: Arc<Faults>,
    /// The finest clock that times dispatches.
    pub(super) timed_by: TimedBy,
    pub(super) pipelines: Pipelines,
    pub(super) pacer: Mutex<Pacer<wgpu::SubmissionIndex>>,
    /// Bytes uploaded since the last submission.
    pub(super) staged: AtomicU64,
    pub(super) opened: Instant,
}

impl GpuExecutor {
    pub(crate) fn open(adapter: wgpu::Adapter, options: &DeviceOptions) -> Result<Self> {
        let info = adapter.get_info();
        let offered = adapter.limits();
        let mut limits = Limits::default();
        if !options.default_limits {
            limits.max_storage_buffer_binding_size = offered.max_storage_buffer_binding_size;
            limits.max_buffer_size = offered.max_buffer_size;
            limits.max_storage_buffers_per_shader_stage =
                (offered.max_storage_buffers_per_shader_stage).clamp(
                    limits.max_storage_buffers_per_shader_stage,
                    MOST_STORAGE_BUFFERS,
                );
        }
        // Used if it is available: no result depends on it.
        let features = match options.default_limits {
            true => Features::empty(),
            false => adapter.features() & (Features::SUBGROUP | timestamps(options.timed_by)),
        };
        let request = adapter.request_device(&wgpu::DeviceDescriptor {
            label: Some("rootlet"),
            required_features: features,
            required_limits: limits.clone(),
            ..Default::default()
        });
        let (device, queue) = wait::block_on(request).map_err(|e| {
            Error::Device(Fault::Driver {
                doing: format!("opening adapter {}", info.name),
                why: e.to_string(),
            })
        })?;
        let faults = Faults::watch(&device);
        let hardware = info.device_type != DeviceType::Cpu;
        let shape = options.shape.unwrap_or(match hardware {
            true => WorkgroupShape::HARDWARE,
            false => WorkgroupShape::SOFTWARE,
        });
        Ok(GpuExecutor {
            pipelines: Pipelines::new(device.clone(), info.backend, options),
            device,
            queue,
            limits,
            hardware,
            shape,
            faults,
            timed_by: finest(features),
            pacer: Mutex::new(Pacer::new(options.pace.unwrap_or(Pace::of(hardware)))),
            staged: AtomicU64::new(0),
            opened: Instant::now(),
        })
    }

    pub(crate) fn timed_by(&self) -> TimedBy {
        self.timed_by
    }

    pub(crate) fn is_hardware(&self) -> bool {
        self.hardware
    }

    pub(crate) fn is_checked(&self) -> bool {
        self.pipelines.checked()
    }

    pub(crate) fn shape(&self) -> WorkgroupShape {
        self.shape
    }

    pub(crate) fn has_subgroups(&self) -> bool {
        self.device.features().contains(Features::SUBGROUP)
    }

    pub(crate) fn storage_buffers(&self) -> u32 {
        self.limits.max_storage_buffers_per_shader_stage
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
                remedies: Remedies::DEVICE_MEMORY,
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
                why: Some("the device has no memory left: free some".to_owned()),
                remedies: Remedies::DEVICE_MEMORY,
            });
        }
        self.faults.check()?;
        Ok(buffer)
    }

    /// Why the device is lost, if it is.
    pub(crate) fn lost(&self) -> Option<String> {
        self.faults.lost()
    }

    /// Loses the device, as a driver reset does.
    pub(crate) fn lose(&self, reason: &str) {
        self.faults.lose(reason.to_owned());
        self.device.destroy();
    }
}

/// The features that a clock needs, up to `most`.
fn timestamps(most: Option<TimedBy>) -> Features {
    match most {
        None | Some(TimedBy::TimestampsInsidePass) => {
            Features::TIMESTAMP_QUERY | Features::TIMESTAMP_QUERY_INSIDE_PASSES
        }
        Some(TimedBy::TimestampsAroundPass) => Features::TIMESTAMP_QUERY,
        Some(TimedBy::ManyDispatches | TimedBy::HostClock) => Features::empty(),
    }
}

/// The finest clock that a device with these features has.
fn finest(features: Features) -> TimedBy {
    if features.contains(timestamps(None)) {
        TimedBy::TimestampsInsidePass
    } else if features.contains(Features::TIMESTAMP_QUERY) {
        TimedBy::TimestampsAroundPass
    } else {
        TimedBy::ManyDispatches
    }
}
