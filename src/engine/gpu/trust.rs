//! Which shaders run without wgpu's run-time checks: only the crate's own.
//!
//! naga bounds every loop by a counter, clamps indices if the driver does not, and guards divisions. On hardware the
//! counters alone keep a compiler from unrolling, and so from having several loads in flight. This crate's kernels
//! state how long their loops are, which is checked when they are recorded, and they are compared with their twins. A
//! kernel of another crate keeps its checks: no safe code can remove them.

use wgpu::ShaderRuntimeChecks;

use crate::engine::KernelInfo;

/// The texts of this crate's kernels, by name.
const OWN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/own_shaders.rs"));

/// Whether a kernel's text is one of this crate's.
pub(super) fn is_own(kernel: &KernelInfo) -> bool {
    let found = OWN.binary_search_by_key(&kernel.name, |(name, _)| name);
    found.is_ok_and(|at| OWN[at].1 == kernel.source)
}

/// A shader module from a kernel's expanded text. `trusted`: without checks, which is only allowed for a text that [is
/// our own](is_own).
#[expect(
    unsafe_code,
    reason = "shaders without run-time checks, where they are the crate's own"
)]
pub(super) fn module(
    device: &wgpu::Device,
    label: &str,
    source: &str,
    trusted: bool,
) -> wgpu::ShaderModule {
    let descriptor = wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    };
    if !trusted {
        return device.create_shader_module(descriptor);
    }
    // SAFETY: the loops of this crate's kernels end, divisors are not zero, and indices stay within the bindings that
    // the crate's plans give them. Drivers that offer robust access confine other indices, and tests also run all
    // kernels with checks.
    unsafe { device.create_shader_module_trusted(descriptor, ShaderRuntimeChecks::unchecked()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_own_texts_are_known_and_no_others() {
        for kernel in crate::kernels::kernels() {
            assert!(is_own(kernel), "{}", kernel.name);
        }
        assert!(OWN.is_sorted_by_key(|(name, _)| *name));
        let first = crate::kernels::kernels()[0];
        let altered = |name, source| KernelInfo {
            name,
            source,
            params: first.params,
            bindings: first.bindings,
            parts: first.parts,
            pieces: first.pieces,
            variants: first.variants,
            twin: first.twin,
            chain: None,
        };
        assert!(is_own(&altered(first.name, first.source)));
        assert!(!is_own(&altered(first.name, "another text")));
        assert!(!is_own(&altered("another/name", first.source)));
    }
}
