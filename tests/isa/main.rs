//! What the crate's kernels become on a real GPU: Mesa's compiler makes the machine code of an AMD chip (RDNA 2) that
//! need not be present. No register may be spilled, registers and workgroup memory stay within what docs/isa.md states
//! for each kernel, and the sparse products have several loads in flight at once. `REDRAW=1` before the test updates
//! those numbers; `ISA=sparse/spmm` prints a kernel's machine code.
#![allow(clippy::unwrap_used)]
#![cfg(all(target_os = "linux", target_arch = "x86_64"))]

#[path = "../common/shaders.rs"]
mod shaders;

mod assembly;
mod radv;
mod table;

use rootlet::engine::WorkgroupShape;
use rootlet::engine::kernel::{BindingKind, KernelInfo};
use rootlet::engine::reflect::reflect;

use radv::{Compiled, Radv};
use table::Row;

/// Kernels whose main loops must have at least four vec4 loads in flight: they gather rows or go through planes, and
/// wait for little else.
const GATHER: [&str; 24] = [
    "bench/load",
    "layer/bias_gradient",
    "layer/linear_gelu",
    "layer/linear_gelu_backward",
    "layer/norm/batch_norm_apply",
    "layer/norm/batch_norm_backward",
    "layer/norm/batch_norm_merge_apply",
    "layer/norm/batch_norm_merge_backward",
    "layer/norm/batch_norm_statistics",
    "layer/norm/batch_norm_sums",
    "layer/norm/batch_norm_whole",
    "layer/norm/batch_norm_whole_backward",
    "sparse/conv",
    "sparse/conv_backward",
    "sparse/conv_sddmm",
    "sparse/conv_sddmm_normal",
    "sparse/conv_statistics",
    "sparse/conv_transposed",
    "sparse/sddmm",
    "sparse/sddmm_bias",
    "sparse/sddmm_bias_subgroups",
    "sparse/sddmm_subgroups",
    "sparse/spmm",
    "sparse/spmm_transposed",
];

/// A kernel as hardware runs it, without the run-time checks that the crate's own do without.
fn compiled(chip: &Radv, kernel: &'static KernelInfo, shape: WorkgroupShape) -> Compiled {
    let reflection = reflect(kernel, &shape.constants()).unwrap();
    let (module, info) = shaders::resolved(kernel, shape);
    let words = shaders::spirv(kernel, &module, &info, (1, 6), false);
    let mut bindings = vec![(reflection.params_binding, true)];
    bindings.extend(reflection.part_binding.map(|binding| (binding, true)));
    for (info, binding) in kernel.bindings.iter().zip(&reflection.bindings) {
        bindings.push((*binding, matches!(info.kind, BindingKind::Uniform(_))));
    }
    chip.compile(&words, kernel.entry_point(), &bindings)
}

#[test]
fn every_kernel_is_good_machine_code() {
    let chip = Radv::open("navi21");
    let mut rows = Vec::new();
    let mut faults = Vec::new();
    let mut kernels = shaders::kernels();
    kernels.sort_by_key(|kernel| kernel.name);
    let base = WorkgroupShape::HARDWARE;
    let each = kernels.into_iter();
    let each = each.flat_map(|k| shaders::own_shapes(k, base).map(move |shape| (k, shape)));
    for (kernel, shape) in each {
        let compiled = compiled(&chip, kernel, shape);
        let name = match shape == base {
            true => kernel.name.to_owned(),
            false => format!("{} {}", kernel.name, shape.name()),
        };
        if std::env::var("ISA").is_ok_and(|name| name == kernel.name) {
            println!("{}", compiled.assembly);
        }
        let row = Row::of(&name, &compiled);
        let spilled = ["Spilled SGPRs", "Spilled VGPRs", "Scratch size"];
        if spilled.iter().any(|name| compiled.statistics[*name] > 0) {
            faults.push(format!("{name} spills registers"));
        }
        if GATHER.contains(&kernel.name) && row.loads < 4 {
            faults.push(format!("{name} has {} loads under way, not 4", row.loads));
        }
        rows.push(row);
    }
    let driver = chip
        .driver
        .split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ");
    faults.extend(table::compare(&driver, &rows));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
