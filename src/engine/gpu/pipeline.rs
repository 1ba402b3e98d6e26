//! Pipelines: one per kernel and device, compiled on first use.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::{trust, wait};
use crate::engine::kernel::{BindingKind, KernelInfo};
use crate::engine::reflect::{Reflection, reflect_packed};
use crate::engine::shader::packed::packed;
use crate::engine::wgsl::expand_ranges;
use crate::engine::{BARRIER_INVOCATIONS, DeviceOptions, Precision, ShapeFamily, WorkgroupShape};
use crate::error::{Error, Fault, Result};

pub(super) struct Pipeline {
    pub(super) pipeline: wgpu::ComputePipeline,
    pub(super) layout: wgpu::BindGroupLayout,
    pub(super) reflection: Reflection,
    shape: WorkgroupShape,
    /// How the numbers of its bindings are stored; empty if all are words.
    precisions: Vec<Precision>,
}

/// A rewrite of WGSL, given the kernel's name.
type Rewrite = fn(&str, String) -> String;

type Key = (&'static str, &'static str, WorkgroupShape, Vec<Precision>);

pub(super) struct Pipelines {
    device: wgpu::Device,
    backend: wgpu::Backend,
    rewrite: Option<Rewrite>,
    /// Whether the crate's own kernels keep their run-time checks.
    checked: bool,
    /// By name, source, shape and how bindings are stored: a kernel declared outside the crate may have the name of
    /// another.
    cache: Mutex<HashMap<Key, Arc<Pipeline>>>,
    /// The pipelines that run ranges of workgroups, compiled when a dispatch is too long, which is rare.
    ranged: Mutex<HashMap<Key, wgpu::ComputePipeline>>,
    range_layout: wgpu::BindGroupLayout,
}

impl Pipelines {
    pub(super) fn new(
        device: wgpu::Device,
        backend: wgpu::Backend,
        options: &DeviceOptions,
    ) -> Self {
        let range_layout = device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
            label: Some("range of workgroups"),
            entries: &[buffer(0, wgpu::BufferBindingType::Uniform)],
        });
        Pipelines {
            device,
            range_layout,
            ranged: Mutex::default(),
            backend,
            rewrite: options.rewrite,
            checked: options.checked,
            cache: Mutex::default(),
        }
    }

    /// Whether the crate's own kernels keep their run-time checks.
    pub(super) fn checked(&self) -> bool {
        self.checked
    }

    /// A kernel's pipeline in a shape, for bindings whose numbers are stored like this.
    pub(super) fn get(
        &self,
        kernel: &'static KernelInfo,
        shape: WorkgroupShape,
        precisions: &[Precision],
    ) -> Result<Arc<Pipeline>> {
        let key = (kernel.name, kernel.source, shape, precisions.to_vec());
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cache.get(&key) {
            return Ok(found.clone());
        }
        let made = Arc::new(self.compile(kernel, shape, precisions)?);
        cache.insert(key, made.clone());
        Ok(made)
    }

    /// A kernel's pipeline for ranges of workgroups: group 0 as in [`Pipelines::get`], and the range in group 1.
    pub(super) fn ranged(
        &self,
        kernel: &'static KernelInfo,
        whole: &Pipeline,
    ) -> Result<wgpu::ComputePipeline> {
        let precisions = whole.precisions.clone();
        let key = (kernel.name, kernel.source, whole.shape, precisions);
        let mut cache = self.ranged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(found) = cache.get(&key) {
            return Ok(found.clone());
        }
        let source = packed(kernel, expand_ranges(kernel)?, &whole.precisions)?;
        let source = self.rewritten(kernel, source);
        let layouts = [Some(&whole.layout), Some(&self.range_layout)];
        let made = self.create(
            kernel,
            whole.shape,
            &source,
            &layouts,
            &whole.reflection.overrides,
        )?;
        cache.insert(key, made.clone());
        Ok(made)
    }

    /// The layout of the range that [`Pipelines::ranged`] takes.
    pub(super) fn range_layout(&self) -> &wgpu::BindGroupLayout {
        &self.range_layout
    }

    fn rewritten(&self, kernel: &KernelInfo, source: String) -> String {
        match self.rewrite {
            Some(rewrite) => rewrite(kernel.name, source),
            None => source,
        }
    }

    fn compile(
        &self,
        kernel: &'static KernelInfo,
        shape: WorkgroupShape,
        precisions: &[Precision],
    ) -> Result<Pipeline> {
        let mut reflection = reflect_packed(kernel, precisions, &shape.constants())?;
        check(kernel, &reflection, self.backend)?;
        reflection.source = self.rewritten(kernel, reflection.source);
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
        let layout = self.accepted(kernel, || {
            self.device
                .create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
                    label: Some(kernel.name),
                    entries: &entries,
                })
        })?;
        let (source, overrides) = (&reflection.source, &reflection.overrides);
        Ok(Pipeline {
            pipeline: self.create(kernel, shape, source, &[Some(&layout)], overrides)?,
            layout,
            reflection,
            shape,
            precisions: precisions.to_vec(),
        })
    }

    fn create(
        &self,
        kernel: &KernelInfo,
        shape: WorkgroupShape,
        source: &str,
        layouts: &[Option<&wgpu::BindGroupLayout>],
        overrides: &[String],
    ) -> Result<wgpu::ComputePipeline> {
        let constants: Vec<(&str, f64)> = shape
            .constants()
            .into_iter()
            .filter(|(name, _)| overrides.iter().any(|o| o == name))
            .collect();
        self.accepted(kernel, || {
            let layout = self
                .device
                .create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                    label: Some(kernel.name),
                    bind_group_layouts: layouts,
                    immediate_size: 0,
                });
            // llvmpipe's code takes a tenth longer without the checks, so the software shape keeps them.
            let trusted = shape.family == ShapeFamily::Hardware
                && !self.checked
                && self.rewrite.is_none()
                && trust::is_own(kernel);
            let module = trust::module(&self.device, kernel.name, source, trusted);
            self.device
                .create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                    label: Some(kernel.name),
                    layout: Some(&layout),
                    module: &module,
                    entry_point: Some(kernel.entry_point()),
                    compilation_options: wgpu::PipelineCompilationOptions {
                        constants: &constants,
                        // Every kernel writes workgroup memory before it reads it, but Apple's compiler considers
                        // barriers needless over memory that was never written (wgpu issues 3181 and 4500).
                        zero_initialize_workgroup_memory: self.backend == wgpu::Backend::Metal,
                    },
                    cache: None,
                })
        })
    }

    /// The result of `make` for a kernel, unless the adapter refuses it.
    fn accepted<T>(&self, kernel: &KernelInfo, make: impl FnOnce() -> T) -> Result<T> {
        let scope = self.device.push_error_scope(wgpu::ErrorFilter::Validation);
        let made = make();
        match wait::block_on(scope.pop()) {
            None => Ok(made),
            Some(e) => Err(Error::Device(Fault::Shader {
                kernel: kernel.name,
                why: format!("the adapter refused it: {e}"),
            })),
        }
    }
}

/// A buffer's entry in a bind group layout.
fn buffer(binding: u32, ty: wgpu::BufferBindingType) -> wgpu::BindGroupLayoutEntry {
    wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer {
            ty,
            has_dynamic_offset: false,
            min_binding_size: None,
        },
        count: None,
    }
}

/// Refuses a kernel that the backend's compiler is known to get wrong.
fn check(kernel: &KernelInfo, reflection: &Reflection, backend: wgpu::Backend) -> Result<()> {
    let invocations: u32 = reflection.workgroup.iter().product();
    if backend == wgpu::Backend::Metal && reflection.barrier && invocations < BARRIER_INVOCATIONS {
        return Err(Error::Device(Fault::Shader {
            kernel: kernel.name,
            why: format!(
                "it has a barrier in workgroups of {invocations} invocations, which Apple's compiler gets wrong; make \
                 them at least {BARRIER_INVOCATIONS}"
            ),
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::adapters::shapes;
    use super::*;
    use crate::engine::Kernel;
    use crate::engine::reflect::reflect;
    use crate::sparse::Sddmm;

    #[test]
    fn metal_is_not_given_barriers_in_small_workgroups() {
        let on = |backend, shape: WorkgroupShape| {
            let reflection = reflect(Sddmm::INFO, &shape.constants()).unwrap();
            check(Sddmm::INFO, &reflection, backend)
        };
        for backend in [wgpu::Backend::Metal, wgpu::Backend::Vulkan] {
            for &shape in shapes(backend) {
                on(backend, shape).unwrap();
            }
        }
        let message = on(wgpu::Backend::Metal, WorkgroupShape::SOFTWARE)
            .unwrap_err()
            .to_string();
        for part in ["`sparse/sddmm`", "barrier", "8 invocations", "at least 64"] {
            assert!(message.contains(part), "{message}");
        }
    }
}
