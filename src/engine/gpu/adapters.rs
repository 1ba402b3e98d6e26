//! The adapters of this machine.

pub(crate) use wgpu::Adapter;
use wgpu::{Backends, DeviceType, Limits};

use super::{instance, wait};
use crate::engine::{AdapterSummary, ShaderCompiler, WorkgroupShape};

/// What a user without an adapter is told.
pub(crate) const NONE_FOUND: &str = ". No Vulkan, Metal or DX12 adapter was found; a GPU needs its driver, and on \
    Debian or Ubuntu `apt-get install mesa-vulkan-drivers libvulkan1` installs a software adapter";

/// The adapters of a wgpu instance, with their summaries.
pub(crate) fn enumerate() -> Vec<(Adapter, AdapterSummary)> {
    let open = |compiler| {
        let instance = instance::instance(compiler);
        wait::block_on(instance.enumerate_adapters(Backends::all()))
    };
    let candidates = match instance::backends().contains(Backends::DX12) {
        true => ShaderCompiler::candidates(),
        false => Vec::new(),
    };
    let is_dx12 = |adapter: &wgpu::Adapter| adapter.get_info().backend == wgpu::Backend::Dx12;
    let (adapters, compiler) = ShaderCompiler::first(candidates, open, is_dx12);
    let mut list: Vec<_> = adapters
        .into_iter()
        .enumerate()
        .map(|(index, adapter)| {
            let mut summary = summarise(index, &adapter);
            summary.shader_compiler = compiler.filter(|_| is_dx12(&adapter));
            (adapter, summary)
        })
        .collect();
    if let Some(best) = best_hardware(&list) {
        list[best].1.chosen = true;
    }
    list
}

fn summarise(index: usize, adapter: &wgpu::Adapter) -> AdapterSummary {
    let info = adapter.get_info();
    let limits = adapter.limits();
    let features = adapter.features();
    AdapterSummary {
        index,
        name: info.name.clone(),
        kind: match info.device_type {
            DeviceType::DiscreteGpu => "discrete GPU",
            DeviceType::IntegratedGpu => "integrated GPU",
            DeviceType::VirtualGpu => "virtual GPU",
            DeviceType::Cpu => "software",
            DeviceType::Other => "other",
        },
        backend: info.backend.to_string(),
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        max_binding: limits.max_storage_buffer_binding_size,
        max_buffer: limits.max_buffer_size,
        workgroup_memory: limits.max_compute_workgroup_storage_size,
        workgroup_invocations: limits.max_compute_invocations_per_workgroup,
        subgroups: features
            .contains(wgpu::Features::SUBGROUP)
            .then_some((info.subgroup_min_size, info.subgroup_max_size)),
        timestamps: features.contains(wgpu::Features::TIMESTAMP_QUERY),
        usable: Limits::default().check_limits(&limits),
        chosen: false,
        shader_compiler: None,
        shapes: shapes(info.backend),
    }
}

/// `auto`: discrete GPUs come before integrated ones, and those before virtual ones; never a software adapter.
fn best_hardware(list: &[(Adapter, AdapterSummary)]) -> Option<usize> {
    let rank = |kind: &str| match kind {
        "discrete GPU" => Some(0),
        "integrated GPU" => Some(1),
        "virtual GPU" => Some(2),
        "other" => Some(3),
        _ => None,
    };
    list.iter()
        .filter(|(_, s)| s.usable)
        .filter_map(|(_, s)| rank(s.kind).map(|r| (r, s.index)))
        .min()
        .map(|(_, index)| index)
}

/// The shapes in which an adapter of this backend computes correctly. On Metal, the software shape is excluded, because
/// its barriers have fewer than [`BARRIER_INVOCATIONS`](crate::engine::BARRIER_INVOCATIONS).
pub(super) fn shapes(backend: wgpu::Backend) -> &'static [WorkgroupShape] {
    match backend {
        wgpu::Backend::Metal => &[WorkgroupShape::HARDWARE],
        _ => &WorkgroupShape::ALL,
    }
}
