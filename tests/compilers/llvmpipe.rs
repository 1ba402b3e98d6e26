//! Mesa's llvmpipe compiles while it runs: what it compiles for one dispatch must serve the next.
//! `shaders/lib/unfixed.wgsl` says what makes it compile again each time, which takes longer than the dispatch and is
//! never freed.

use crate::shaders::kernels;
use rootlet::engine::kernel::{BindingKind, KernelInfo, Uniform, bytemuck};
use rootlet::engine::loops::Part;
use rootlet::engine::reflect::reflect;
use rootlet::engine::wgsl::capabilities;
use rootlet::engine::{Kernel, WorkgroupShape};
use rootlet::layer::SoftmaxCrossEntropy;
use wgpu::{BufferUsages, DeviceDescriptor, PollType};

const DISPATCHES: usize = 30;
/// Kilobytes that a dispatch may leave behind: compiling for every dispatch leaves 20 to 800.
const LEFT_BEHIND: f64 = 8.0;

/// Memory of this process, in kilobytes.
fn resident() -> f64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: f64 = text.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4.096
}

struct Llvmpipe {
    device: wgpu::Device,
    queue: wgpu::Queue,
}

impl Llvmpipe {
    fn open() -> Self {
        let instance = wgpu::Instance::new(wgpu::InstanceDescriptor {
            backends: wgpu::Backends::VULKAN,
            ..wgpu::InstanceDescriptor::new_without_display_handle()
        });
        let adapter = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN))
            .into_iter()
            .find(|adapter| adapter.get_info().name.contains("llvmpipe"))
            .expect("no llvmpipe; scripts/test installs it");
        // As the engine asks for: some kernels bind more storage buffers than WebGPU promises.
        let limits = wgpu::Limits {
            max_storage_buffers_per_shader_stage: 16,
            ..wgpu::Limits::default()
        };
        let request = adapter.request_device(&DeviceDescriptor {
            required_limits: limits,
            ..DeviceDescriptor::default()
        });
        let (device, queue) = pollster::block_on(request).unwrap();
        Llvmpipe { device, queue }
    }

    /// Kilobytes that a dispatch of `source` leaves behind, with every word of its uniforms set to `value`, except
    /// those where a part begins.
    fn left_behind(&self, kernel: &KernelInfo, source: &str, value: u32) -> f64 {
        let constants = WorkgroupShape::SOFTWARE.constants();
        let reflection = reflect(kernel, &constants).unwrap();
        let constants: Vec<(&str, f64)> = constants
            .iter()
            .filter(|(name, _)| reflection.overrides.iter().any(|o| o == name))
            .copied()
            .collect();
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(kernel.name),
                source: wgpu::ShaderSource::Wgsl(source.into()),
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.name),
                layout: None,
                module: &module,
                entry_point: Some(kernel.entry_point()),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            });
        let params = (
            reflection.params_binding,
            BindingKind::Uniform(kernel.params),
        );
        let part = reflection.part_binding;
        let others = kernel.bindings.iter().map(|b| b.kind);
        let bindings = std::iter::once(params)
            .chain(part.map(|binding| (binding, BindingKind::Uniform(Part::FIELDS))))
            .chain(reflection.bindings.into_iter().zip(others));
        let buffers: Vec<(u32, wgpu::Buffer)> = bindings
            .map(|(binding, kind)| {
                let uniform = matches!(kind, BindingKind::Uniform(_));
                let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
                    label: None,
                    size: if uniform { 256 } else { 1 << 16 },
                    usage: BufferUsages::COPY_DST | BufferUsages::UNIFORM | BufferUsages::STORAGE,
                    mapped_at_creation: false,
                });
                if uniform {
                    let bytes: Vec<u8> = value.to_le_bytes().repeat(64);
                    self.queue.write_buffer(&buffer, 0, &bytes);
                    if Some(binding) == part {
                        let whole = Part {
                            end: value,
                            end_y: value,
                            chunks: value,
                            ..Part::default()
                        };
                        self.queue
                            .write_buffer(&buffer, 0, bytemuck::bytes_of(&whole));
                    }
                }
                (binding, buffer)
            })
            .collect();
        let entries: Vec<_> = buffers
            .iter()
            .map(|(binding, buffer)| wgpu::BindGroupEntry {
                binding: *binding,
                resource: buffer.as_entire_binding(),
            })
            .collect();
        let bind_group = self.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &pipeline.get_bind_group_layout(0),
            entries: &entries,
        });
        let dispatch = |times: usize| {
            for _ in 0..times {
                let mut encoder = self.device.create_command_encoder(&Default::default());
                {
                    let mut pass = encoder.begin_compute_pass(&Default::default());
                    pass.set_pipeline(&pipeline);
                    pass.set_bind_group(0, &bind_group, &[]);
                    pass.dispatch_workgroups(1, 1, 1);
                }
                self.queue.submit([encoder.finish()]);
                self.device
                    .poll(PollType::Wait {
                        submission_index: None,
                        timeout: None,
                    })
                    .unwrap();
            }
        };
        dispatch(3);
        let before = resident();
        dispatch(DISPATCHES);
        (resident() - before) / DISPATCHES as f64
    }
}

#[test]
fn llvmpipe_compiles_no_kernel_at_every_dispatch() {
    let llvmpipe = Llvmpipe::open();
    let mut faults = Vec::new();
    for kernel in kernels() {
        // The device is opened without subgroups.
        if !capabilities(kernel).is_empty() {
            continue;
        }
        let source = reflect(kernel, &[]).unwrap().source;
        for value in [1, 4, 10, 32] {
            let left = llvmpipe.left_behind(kernel, &source, value);
            if left > LEFT_BEHIND {
                faults.push(format!("{}, {value}: {left:.0} kB a dispatch", kernel.name));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The test above would also pass if the driver did not do it; a driver that no longer does needs none of this.
#[test]
fn llvmpipe_compiles_a_loop_over_a_uniform_at_every_dispatch() {
    let kernel = SoftmaxCrossEntropy::INFO;
    let source = reflect(kernel, &[]).unwrap().source;
    let (plain, replaced) = (
        "params.classes",
        "unfixed(params.classes, arrayLength(&logits))",
    );
    assert!(source.contains(replaced));
    let left = Llvmpipe::open().left_behind(kernel, &source.replace(replaced, plain), 10);
    assert!(left > LEFT_BEHIND, "{left:.0} kB a dispatch");
}
