//! What is known about an adapter.

use super::shader_compiler::ShaderCompiler;
use crate::engine::WorkgroupShape;

/// One line of `rootlet adapters`.
#[derive(Clone, Debug, serde::Serialize)]
pub struct AdapterSummary {
    /// Its index, for `--adapter INDEX`.
    pub index: usize,
    /// The device's name.
    pub name: String,
    /// "discrete GPU", "integrated GPU", "virtual GPU", "software" or "other".
    pub kind: &'static str,
    /// Vulkan, Metal or DX12.
    pub backend: String,
    /// The driver's name and version.
    pub driver: String,
    /// Largest storage binding in bytes.
    pub max_binding: u64,
    /// Largest buffer in bytes.
    pub max_buffer: u64,
    /// Bytes of workgroup memory.
    pub workgroup_memory: u32,
    /// Most invocations in a workgroup.
    pub workgroup_invocations: u32,
    /// Smallest and largest subgroup, if it has any.
    pub subgroups: Option<(u32, u32)>,
    /// Whether it can time its own work.
    pub timestamps: bool,
    /// Whether it meets WebGPU's default limits, which are all that rootlet needs.
    pub usable: bool,
    /// Whether `auto` would choose it.
    pub chosen: bool,
    /// What compiles its shaders, if rootlet chooses it: on DX12.
    pub shader_compiler: Option<ShaderCompiler>,
    /// The workgroup shapes in which it computes correctly.
    #[serde(skip)]
    pub shapes: &'static [WorkgroupShape],
}
