//! Every shader validates, translates to all shading languages, and cannot drift from its host half. Needs no adapter.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;

use crate::shaders::{each, each_packed, kernels};
use naga::back::{glsl, hlsl, msl, spv};
use naga::proc::BoundsCheckPolicies;
use naga::valid::ModuleInfo;
use naga::{AddressSpace, Block, ImageClass, Module, ShaderStage, Statement, TypeInner};
use rootlet::engine::Kernel;
use rootlet::engine::kernel::KernelInfo;
use rootlet::engine::reflect::reflect;
use rootlet::engine::wgsl::{capabilities, expand};
use rootlet::engine::{BARRIER_INVOCATIONS, WorkgroupShape};
use rootlet::optim::SgdStep;

#[path = "../common/mod.rs"]
mod common;
mod drift;

#[path = "../common/shaders.rs"]
mod shaders;

#[test]
fn every_shader_validates_and_is_what_its_host_half_declares() {
    let faults: Vec<String> = kernels()
        .into_iter()
        .filter_map(|kernel| reflect(kernel, &[]).err())
        .map(|fault| fault.to_string())
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// No kernel that a training records needs an optional feature. One that does measures what the feature brings, the
/// others take the place of kernels in some of their shapes.
#[test]
fn no_recorded_kernel_needs_an_optional_feature() {
    let needy: Vec<&str> = kernels()
        .into_iter()
        .filter(|kernel| !capabilities(kernel).is_empty())
        .map(|kernel| kernel.name)
        .collect();
    let places = kernels().into_iter();
    let replaced: Vec<&str> = places
        .filter_map(|kernel| Some(kernel.variants.subgroups?.name))
        .collect();
    assert_eq!(
        replaced,
        ["sparse/sddmm_subgroups", "sparse/sddmm_bias_subgroups"]
    );
    let others: Vec<&str> = needy
        .into_iter()
        .filter(|name| !replaced.contains(name))
        .collect();
    assert_eq!(others, ["bench/sum_subgroups"]);
}

#[test]
fn every_shader_translates_to_spirv() {
    let translate =
        |kernel: &KernelInfo, shape: WorkgroupShape, module: &Module, info: &ModuleInfo| {
            let pipeline = spv::PipelineOptions {
                shader_stage: ShaderStage::Compute,
                entry_point: kernel.entry_point().to_owned(),
            };
            let words = spv::write_vec(module, info, &spv::Options::default(), Some(&pipeline))
                .unwrap_or_else(|e| panic!("{} {shape:?}: {e}", kernel.name));
            assert_eq!(words[0], 0x0723_0203, "SPIR-V's magic number");
        };
    each(translate);
    each_packed(translate);
}

#[test]
fn every_shader_translates_to_msl() {
    let translate =
        |kernel: &KernelInfo, shape: WorkgroupShape, module: &Module, info: &ModuleInfo| {
            let options = msl::Options {
                lang_version: (2, 0),
                fake_missing_bindings: true,
                ..Default::default()
            };
            let pipeline = msl::PipelineOptions {
                entry_point: Some((ShaderStage::Compute, kernel.entry_point().to_owned())),
                ..Default::default()
            };
            let (text, translation) = msl::write_string(module, info, &options, &pipeline)
                .unwrap_or_else(|e| panic!("{} {shape:?}: {e}", kernel.name));
            assert!(
                translation.entry_point_names.iter().all(Result::is_ok),
                "{}",
                kernel.name
            );
            assert!(text.contains("kernel void"), "{}", kernel.name);
        };
    each(translate);
    each_packed(translate);
}

#[test]
fn every_shader_translates_to_hlsl() {
    let translate =
        |kernel: &KernelInfo, shape: WorkgroupShape, module: &Module, info: &ModuleInfo| {
            let options = hlsl::Options {
                fake_missing_bindings: true,
                ..Default::default()
            };
            let pipeline = hlsl::PipelineOptions {
                entry_point: Some((ShaderStage::Compute, kernel.entry_point().to_owned())),
            };
            let mut text = String::new();
            let translation = hlsl::Writer::new(&mut text, &options, &pipeline)
                .write(module, info, None)
                .unwrap_or_else(|e| panic!("{} {shape:?}: {e}", kernel.name));
            assert!(
                translation.entry_point_names.iter().all(Result::is_ok),
                "{}",
                kernel.name
            );
            assert!(text.contains("numthreads"), "{}", kernel.name);
        };
    each(translate);
    each_packed(translate);
}

#[test]
fn every_shader_translates_to_glsl() {
    let translate =
        |kernel: &KernelInfo, shape: WorkgroupShape, module: &Module, info: &ModuleInfo| {
            let options = glsl::Options {
                version: glsl::Version::Embedded {
                    version: 310,
                    is_webgl: false,
                },
                ..Default::default()
            };
            let pipeline = glsl::PipelineOptions {
                shader_stage: ShaderStage::Compute,
                entry_point: kernel.entry_point().to_owned(),
                multiview: None,
            };
            let mut text = String::new();
            glsl::Writer::new(
                &mut text,
                module,
                info,
                &options,
                &pipeline,
                BoundsCheckPolicies::default(),
            )
            .and_then(|mut writer| writer.write())
            .unwrap_or_else(|e| panic!("{} {shape:?}: {e}", kernel.name));
            assert!(text.contains("#version 310 es"), "{}", kernel.name);
        };
    each(translate);
    each_packed(translate);
}

/// Kernels with more storage buffers than WebGPU promises, at most 16: networks avoid them if an adapter has fewer.
const WIDE: [&str; 3] = ["optim/adamw_all", "optim/sgd_all", "sparse/conv_backward"];

/// WebGPU's default limits for compute: 8 storage buffers a stage, 256 invocations and 16 KiB a workgroup.
#[test]
fn every_shader_stays_inside_the_default_limits() {
    let limits = wgpu::Limits::default();
    each(|kernel, shape, module, _| {
        let what = format!("{} {shape:?}", kernel.name);
        let mut storage = 0;
        let mut shared = 0;
        for (_, global) in module.global_variables.iter() {
            match global.space {
                AddressSpace::Storage { .. } => storage += 1,
                AddressSpace::WorkGroup => {
                    shared += module.types[global.ty].inner.size(module.to_ctx());
                }
                _ => {}
            }
            let inner = &module.types[global.ty].inner;
            let image = matches!(
                inner,
                TypeInner::Image {
                    class: ImageClass::Storage { .. },
                    ..
                }
            );
            assert!(!image, "{what}: images are not for kernels");
        }
        let most = match WIDE.contains(&kernel.name) {
            true => 16,
            false => limits.max_storage_buffers_per_shader_stage,
        };
        assert_eq!(storage as usize, kernel.storage_buffers(), "{what}");
        assert!(storage <= most, "{what}: {storage} storage buffers");
        assert!(
            shared <= limits.max_compute_workgroup_storage_size,
            "{what}: {shared} bytes of workgroup memory"
        );
        let size = module.entry_points[0].workgroup_size;
        let reflected = reflect(kernel, &shape.constants()).unwrap().workgroup;
        assert_eq!(
            size, reflected,
            "{what}: workgroup size as naga resolves it"
        );
        assert!(
            size.iter().product::<u32>() <= limits.max_compute_invocations_per_workgroup,
            "{what}: workgroup of {size:?}"
        );
        for (size, limit) in size.iter().zip([
            limits.max_compute_workgroup_size_x,
            limits.max_compute_workgroup_size_y,
            limits.max_compute_workgroup_size_z,
        ]) {
            assert!(*size <= limit, "{what}");
        }
    });
}

/// Whether an invocation can come to a barrier, through any function that is called.
fn has_barrier(module: &Module, block: &Block) -> bool {
    let inside = |block: &Block| has_barrier(module, block);
    block.iter().any(|statement| match statement {
        Statement::ControlBarrier(_) | Statement::WorkGroupUniformLoad { .. } => true,
        Statement::Call { function, .. } => inside(&module.functions[*function].body),
        Statement::Block(block) => inside(block),
        Statement::If { accept, reject, .. } => inside(accept) || inside(reject),
        Statement::Switch { cases, .. } => cases.iter().any(|case| inside(&case.body)),
        Statement::Loop {
            body, continuing, ..
        } => inside(body) || inside(continuing),
        _ => false,
    })
}

/// Apple's compiler drops barriers of workgroups of at most 32 invocations (MoltenVK issue 2711).
#[test]
fn every_barrier_on_hardware_has_64_invocations() {
    let mut with_barrier = BTreeSet::new();
    each(|kernel, shape, module, _| {
        let barrier = has_barrier(module, &module.entry_points[0].function.body);
        let reflection = reflect(kernel, &shape.constants()).unwrap();
        assert_eq!(barrier, reflection.barrier, "{} {shape:?}", kernel.name);
        let size: u32 = reflection.workgroup.iter().product();
        // The only shape that Metal's adapters are given.
        if barrier && shape == WorkgroupShape::HARDWARE {
            with_barrier.insert(kernel.name);
            assert!(
                size >= BARRIER_INVOCATIONS,
                "{} {shape:?}: a barrier in a workgroup of {size}",
                kernel.name
            );
        }
    });
    // The test would pass if it found none.
    for name in ["sparse/sddmm", "layer/batch_metrics", "dense/forward"] {
        assert!(with_barrier.contains(name), "{name} has a barrier");
    }
}

/// A dispatch that is too long runs in ranges of its workgroups: that of every kernel can that has more than one.
#[test]
fn every_kernel_of_several_workgroups_runs_in_ranges() {
    let ranges = |kernel: &KernelInfo| reflect(kernel, &[]).unwrap().ranges;
    let whole: BTreeSet<&str> = (kernels().into_iter())
        .filter(|kernel| !ranges(kernel))
        .map(|kernel| kernel.name)
        .collect();
    let of_one_workgroup = [
        "bench/count",
        "bench/exchange",
        "layer/batch_metrics",
        "layer/cross_entropy_metrics",
        "optim/clip_factor",
        "primitive/scan_sums",
        "topology/extend_list",
    ];
    assert_eq!(whole, BTreeSet::from(of_one_workgroup));
    // None that looks at its workgroup's place otherwise, as one of a user's own may.
    let source = SgdStep::INFO.source;
    for (part, other) in [
        (
            "flat_group(group, groups)",
            "(group.x + group.y * groups.x)",
        ),
        (
            "flat_group(group, groups)",
            "flat_group(group, groups) + groups.z - 1u",
        ),
        ("flat_group(group, groups)", "flat_group(group, vec3(9u))"),
        ("@builtin(workgroup_id)", "@builtin(global_invocation_id)"),
    ] {
        let changed = source.replacen(part, other, 1);
        assert_ne!(changed, source);
        let kernel = KernelInfo {
            source: changed.leak(),
            ..*SgdStep::INFO
        };
        assert!(!ranges(&kernel), "{other}");
    }
}

/// Names of the shaders below `folder`, relative to `shaders/`, without `lib/`.
fn files(folder: &Path, prefix: &str, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            if name != "lib" {
                files(&path, &format!("{prefix}{name}/"), found);
            }
        } else {
            let stem = name
                .strip_suffix(".wgsl")
                .unwrap_or_else(|| panic!("{name} among the shaders"));
            found.insert(format!("{prefix}{stem}"));
        }
    }
}

#[test]
fn every_shader_is_registered_under_its_path() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("shaders");
    let mut on_disk = BTreeSet::new();
    files(&root, "", &mut on_disk);
    let registered: BTreeSet<String> = kernels().iter().map(|k| k.name.to_owned()).collect();
    assert_eq!(registered.len(), kernels().len(), "a name twice");
    assert_eq!(
        on_disk, registered,
        "files below shaders/ and what `kernel!` declares below src/"
    );
    for kernel in kernels() {
        let path = root.join(format!("{}.wgsl", kernel.name));
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text, kernel.source,
            "{} embeds another file than its own",
            kernel.name
        );
        let module = naga::front::wgsl::parse_str(&expand(kernel).unwrap()).unwrap();
        let entries: Vec<&str> = module
            .entry_points
            .iter()
            .map(|e| e.name.as_str())
            .collect();
        assert_eq!(entries, [kernel.entry_point()], "{}", kernel.name);
    }
}
