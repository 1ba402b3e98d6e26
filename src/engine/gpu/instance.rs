//! The wgpu instance.

use wgpu::Backends;

use crate::engine::ShaderCompiler;

/// The backends that `WGPU_BACKEND` names, or Vulkan, Metal and DX12.
pub(super) fn backends() -> Backends {
    Backends::from_env().unwrap_or(Backends::PRIMARY)
}

/// An instance of the [`backends`]; `compiler` is DX12's.
pub(super) fn instance(compiler: Option<ShaderCompiler>) -> wgpu::Instance {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = backends();
    if let Some(compiler) = compiler {
        descriptor.backend_options.dx12.shader_compiler = compiler.option();
    }
    #[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
    if let Some(instance) = without_wayland(&descriptor) {
        return instance;
    }
    wgpu::Instance::new(descriptor)
}

/// If there is no desktop session, an instance of Vulkan without its Wayland extension; otherwise none.
///
/// Mesa's device-select layer asks a Wayland compositor for its GPU as soon as that extension is on. If there is none,
/// its library writes `error: XDG_RUNTIME_DIR is invalid or not set in the environment.`, as if that were an error of
/// ours. A library must not set the environment variable that switches the layer off: other threads may be reading the
/// environment.
#[cfg(all(unix, not(target_vendor = "apple"), not(target_os = "android")))]
#[expect(
    unsafe_code,
    reason = "wgpu's way to an instance with other extensions"
)]
fn without_wayland(descriptor: &wgpu::InstanceDescriptor) -> Option<wgpu::Instance> {
    use wgpu::hal;

    // The same test as libwayland's.
    let session = std::env::var_os("XDG_RUNTIME_DIR")
        .is_some_and(|folder| std::path::Path::new(&folder).is_absolute());
    let vulkan_alone = descriptor.backends.contains(Backends::VULKAN)
        && !descriptor.backends.contains(Backends::GL);
    if session || !vulkan_alone {
        return None;
    }
    let descriptor = hal::InstanceDescriptor {
        name: "rootlet",
        flags: descriptor.flags,
        memory_budget_thresholds: descriptor.memory_budget_thresholds,
        backend_options: descriptor.backend_options.clone(),
        telemetry: None,
        display: None,
    };
    type Callback = hal::vulkan::CreateInstanceCallback<'static>;
    let callback: Box<Callback> = Box::new(|args| {
        args.extensions
            .retain(|name| *name != c"VK_KHR_wayland_surface");
    });
    // SAFETY: as wgpu makes an instance itself, except for the callback. It removes a single one of the extensions that
    // wgpu-hal wants. Only Wayland surfaces depend on it: none is ever made, and wgpu-hal checks for the extension
    // before it makes one.
    let instance =
        unsafe { hal::vulkan::Instance::init_with_callback(&descriptor, Some(callback)) };
    // SAFETY: it was just made, and nothing else has it.
    Some(unsafe { wgpu::Instance::from_hal::<hal::api::Vulkan>(instance.ok()?) })
}
