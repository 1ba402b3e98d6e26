//! Every kernel's shader in every workgroup shape, as naga resolves it.
#![allow(dead_code)] // Each test program uses its part.

use naga::back::pipeline_constants::process_overrides;
use naga::back::spv;
use naga::proc::{BoundsCheckPolicies, BoundsCheckPolicy};
use naga::valid::{ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage};
use rootlet::engine::kernel::KernelInfo;
use rootlet::engine::reflect::{Reflection, reflect, reflect_packed};
use rootlet::engine::wgsl::{capabilities, expand, expand_ranges};
use rootlet::engine::{Precision, WorkgroupShape};

/// Every kernel of the crate: those of a training, and those that measure an adapter.
pub fn kernels() -> Vec<&'static KernelInfo> {
    [rootlet::kernels::kernels(), rootlet::bench::kernels()].concat()
}

/// A kernel's module under a workgroup shape, its pipeline overrides filled in.
pub fn resolved(kernel: &KernelInfo, shape: WorkgroupShape) -> (Module, ModuleInfo) {
    resolved_packed(kernel, &[], shape)
}

/// Like [`resolved`], for bindings whose numbers are stored like this.
pub fn resolved_packed(
    kernel: &KernelInfo,
    precisions: &[Precision],
    shape: WorkgroupShape,
) -> (Module, ModuleInfo) {
    let reflection = reflect_packed(kernel, precisions, &shape.constants()).unwrap();
    resolve(kernel, shape, &reflection, &reflection.source)
}

/// For each binding that is an array of vec4: stored in 16 bits, in both ways. Empty for a kernel without any.
pub fn packings(kernel: &KernelInfo) -> Vec<Vec<Precision>> {
    let text = expand(kernel).unwrap();
    let vectors = |name: &str| text.contains(&format!("> {name}: array<vec4<f32>>"));
    if !kernel.bindings.iter().any(|b| vectors(b.name)) {
        return Vec::new();
    }
    let all = |half: Precision| {
        let bindings = kernel.bindings.iter();
        let stored = bindings.map(|b| {
            if vectors(b.name) {
                half
            } else {
                Precision::F32
            }
        });
        stored.collect()
    };
    vec![all(Precision::Bf16), all(Precision::F16)]
}

/// Like [`resolved`], for ranges of its workgroups.
pub fn resolved_ranges(kernel: &KernelInfo, shape: WorkgroupShape) -> (Module, ModuleInfo) {
    let reflection = reflect(kernel, &shape.constants()).unwrap();
    resolve(kernel, shape, &reflection, &expand_ranges(kernel).unwrap())
}

fn resolve(
    kernel: &KernelInfo,
    shape: WorkgroupShape,
    reflection: &Reflection,
    source: &str,
) -> (Module, ModuleInfo) {
    let module = naga::front::wgsl::parse_str(source).unwrap();
    let info = Validator::new(ValidationFlags::all(), capabilities(kernel))
        .validate(&module)
        .unwrap();
    let constants = shape
        .constants()
        .iter()
        .filter(|(name, _)| reflection.overrides.iter().any(|o| o == name))
        .map(|(name, value)| ((*name).to_owned(), *value))
        .collect();
    let entry = Some((ShaderStage::Compute, kernel.entry_point()));
    let (module, info) = process_overrides(&module, &info, entry, &constants).unwrap();
    (module.into_owned(), info.into_owned())
}

/// The shapes of a kernel in which its own text runs; the one that takes its place in the others is a kernel, too.
pub fn own_shapes(
    kernel: &KernelInfo,
    base: WorkgroupShape,
) -> impl Iterator<Item = WorkgroupShape> {
    let shapes = kernel.shapes(base);
    shapes.filter(|shape| !shape.needs_subgroups())
}

/// Calls `test` for every kernel in every shape.
pub fn each(mut test: impl FnMut(&KernelInfo, WorkgroupShape, &Module, &ModuleInfo)) {
    for kernel in kernels() {
        let bases = WorkgroupShape::ALL.into_iter();
        for shape in bases.flat_map(|base| own_shapes(kernel, base)) {
            let (module, info) = resolved(kernel, shape);
            test(kernel, shape, &module, &info);
        }
    }
}

/// Calls `test` for every kernel in every shape and every one of its [packings].
pub fn each_packed(mut test: impl FnMut(&KernelInfo, WorkgroupShape, &Module, &ModuleInfo)) {
    for kernel in kernels() {
        for precisions in packings(kernel) {
            for shape in WorkgroupShape::ALL {
                let (module, info) = resolved_packed(kernel, &precisions, shape);
                test(kernel, shape, &module, &info);
            }
        }
    }
}

/// Calls `test` for every kernel in every shape, for ranges of its workgroups.
pub fn each_in_ranges(mut test: impl FnMut(&KernelInfo, WorkgroupShape, &Module, &ModuleInfo)) {
    for kernel in kernels() {
        for shape in WorkgroupShape::ALL {
            if reflect(kernel, &shape.constants()).unwrap().ranges {
                let (module, info) = resolved_ranges(kernel, shape);
                test(kernel, shape, &module, &info);
            }
        }
    }
}

/// SPIR-V as wgpu writes it on drivers with robust buffer access; `checked`: with run-time checks, as kernels of other
/// crates have them.
pub fn spirv(
    kernel: &KernelInfo,
    module: &Module,
    info: &ModuleInfo,
    lang_version: (u8, u8),
    checked: bool,
) -> Vec<u32> {
    let index = match checked {
        true => BoundsCheckPolicy::Restrict,
        false => BoundsCheckPolicy::Unchecked,
    };
    let options = spv::Options {
        lang_version,
        bounds_check_policies: BoundsCheckPolicies {
            index,
            ..BoundsCheckPolicies::default()
        },
        force_loop_bounding: checked,
        emit_int_div_checks: checked,
        ..spv::Options::default()
    };
    let pipeline = spv::PipelineOptions {
        shader_stage: ShaderStage::Compute,
        entry_point: kernel.entry_point().to_owned(),
    };
    spv::write_vec(module, info, &options, Some(&pipeline)).unwrap()
}
