//! Pipelines: one per kernel and device, compiled at first use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::kernel::{BindingKind, KernelInfo};
use super::super::reflect::{Reflection, reflect};
use super::super::shape::{BARRIER_INVOCATIONS, WorkgroupShape};
use super::wait;
use crate::error::{Error, Result};

pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) reflection: Reflection,
}

/// From a kernel's name and WGSL to another WGSL.
type Rewrite = fn(&str, String) -> String;

pub(super) struct Pipelines {
    device: wgpu::Device,
    shape: &'static [(&'static str, f64)],
    backend: wgpu::Backend,
    rewrite: Option<Rewrite>,
    /// By name and source: a kernel declared outside the crate may bear the name of another.
    cache: Mutex<HashMap<(&'static str, &'static str), Arc<Pipeline>>>,
}

impl Pipelines {
    pub(super) fn new(
        device: wgpu::Device,
        shape: WorkgroupShape,
        backend: wgpu::Backend,
        rewrite: Option<Rewrite>,
    ) -> Self {
        Pipelines {
            device,
            shape: shape.constants(),
            backend,
            rewrite,
            cache: Mutex::default(),
        }
    }

    pub(super) fn get(&self, kernel: &'static KernelInfo) -> Result<Arc<Pipeline>> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cache.get(&(kernel.name, kernel.source)) {
            return Ok(found.clone());
        }
        let made = Arc::new(self.compile(kernel)?);
        cache.insert((kernel.name, kernel.source), made.clone());
        Ok(made)
    }

    fn compile(&self, kernel: &'static KernelInfo) -> Result<Pipeline> {
        let mut reflection = reflect(kernel, self.shape)?;
        check(kernel, &reflection, self.backend)?;
        if let Some(rewrite) = self.rewrite {
            reflection.source = rewrite(kernel.name, reflection.source);
        }
        let constants: Vec<(&str, f64)> = self
            .shape
            .iter()
            .filter(|(name, _)| reflection.overrides.iter().any(|o| o == name))
            .copied()
            .collect();
        let buffer = |binding: u32, ty| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty,
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        };
        let mut entries: Vec<_> = [Some(reflection.params_binding), reflection.part_binding]
            .into_iter()
            .flatten()
            .map(|binding| buffer(binding, wgpu::BufferBindingType::Uniform))
            .collect();
        for (info, binding) in kernel.bindings.iter().zip(&reflection.bindings) {
            let ty = match info.kind {
                BindingKind::Uniform(_) => wgpu::BufferBindingType::Uniform,
                BindingKind::Read(_) => wgpu::BufferBindingType::Storage { read_only: true },
                BindingKind::Write(_) => wgpu::BufferBindingType::Storage { read_only: false },
            };
            entries.push(buffer(*binding, ty));
        }
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let layout = self
            .device
            .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                label: Some(kernel.name),
                entries: &entries,
            });
        let pipeline_layout = self
            .device
            .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(kernel.name),
                bind_group_layouts: &[Some(&layout)],
                immediate_size: 0,
            });
        let module = self
            .device
            .create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(kernel.name),
                source: wgpu::ShaderSource::Wgsl(reflection.source.as_str().into()),
            });
        let pipeline = self
            .device
            .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(kernel.name),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some(kernel.entry_point()),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &constants,
                    // Every kernel writes workgroup memory before it reads it, but Apple's compiler takes barriers over
                    // memory that nothing was written to for needless (wgpu issues 3181 and 4500).
                    zero_initialize_workgroup_memory: self.backend == wgpu::Backend::Metal,
                },
                cache: None,
            });
        match wait::block_on(scope.pop()) {
            None => Ok(Pipeline {
                pipeline,
                layout,
                reflection,
            }),
            Some(e) => Err(Error::Device(format!(
                "the adapter refused shader `{}`: {e}",
                kernel.name
            ))),
        }
    }
}

/// Refuses a kernel that the backend's compiler is known to get wrong.
fn check(kernel: &KernelInfo, reflection: &Reflection, backend: wgpu::Backend) -> Result<()> {
    let invocations: u32 = reflection.workgroup.iter().product();
    if backend == wgpu::Backend::Metal && reflection.barrier && invocations < BARRIER_INVOCATIONS {
        return Err(Error::Device(format!(
            "shader `{}` has a barrier in workgroups of {invocations} invocations, which Apple's compiler gets wrong; make \
             them at least {BARRIER_INVOCATIONS}",
            kernel.name
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Kernel;
    use crate::sparse::Sddmm;

    #[test]
    fn metal_is_not_given_barriers_in_small_workgroups() {
        let on = |backend, shape: WorkgroupShape| {
            let reflection = reflect(Sddmm::INFO, shape.constants()).unwrap();
            check(Sddmm::INFO, &reflection, backend)
        };
        for backend in [wgpu::Backend::Metal, wgpu::Backend::Vulkan] {
            for &shape in WorkgroupShape::on(backend) {
                on(backend, shape).unwrap();
            }
        }
        let message = on(wgpu::Backend::Metal, WorkgroupShape::Software)
            .unwrap_err()
            .to_string();
        for part in ["`sparse/sddmm`", "barrier", "8 invocations", "at least 64"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
