//! SPIR-V as wgpu gives it to Vulkan drivers, through Khronos's validator. `scripts/test` installs it if it is missing.

use std::io::Write;
use std::process::{Command, Stdio};

use naga::valid::Capabilities;
use rootlet::engine::WorkgroupShape;
use rootlet::engine::kernel::KernelInfo;
use rootlet::engine::wgsl::capabilities;

use crate::shaders::{each, each_in_ranges, spirv};

/// The version that wgpu writes for each version of Vulkan.
const VERSIONS: [((u8, u8), &str); 4] = [
    ((1, 0), "vulkan1.0"),
    ((1, 3), "vulkan1.1"),
    ((1, 5), "vulkan1.2"),
    ((1, 6), "vulkan1.3"),
];

/// The complaints of `spirv-val` about the words, if any.
fn fault(words: &[u32], environment: &str) -> Option<String> {
    let mut validator = Command::new("spirv-val")
        .args(["--target-env", environment, "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("no spirv-val in the PATH; `apt-get install spirv-tools` installs it on Debian");
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    validator.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = validator.wait_with_output().unwrap();
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    // A warning counts too.
    (!output.status.success() || !said.trim().is_empty()).then_some(said)
}

#[test]
fn khronos_validator_has_nothing_against_any_kernel() {
    let mut faults = Vec::new();
    let mut validated = 0;
    let mut validate = |kernel: &KernelInfo, shape: WorkgroupShape, module: &_, info: &_| {
        let subgroups = capabilities(kernel).contains(Capabilities::SUBGROUP);
        for (version, environment) in VERSIONS {
            // Subgroups came with Vulkan 1.1.
            if subgroups && version < (1, 3) {
                continue;
            }
            validated += 1;
            // Without run-time checks, like the crate's own kernels, only in the newest form.
            for checked in [true, false]
                .into_iter()
                .filter(|c| *c || version == (1, 6))
            {
                let words = spirv(kernel, module, info, version, checked);
                if let Some(said) = fault(&words, environment) {
                    faults.push(format!("{} {shape:?} {environment}: {said}", kernel.name));
                }
            }
        }
    };
    each(&mut validate);
    each_in_ranges(&mut validate);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(validated > 1000, "{validated}");
}

/// The test above would also pass if the validator accepted everything.
#[test]
fn khronos_validator_finds_a_wrong_type() {
    let mut checked = false;
    each(|kernel, _, module, info| {
        if std::mem::replace(&mut checked, true) {
            return;
        }
        let mut words = spirv(kernel, module, info, (1, 0), true);
        // OpIAdd of 5 words; its result's type is replaced with the number of one of its operands.
        let add = words
            .iter()
            .position(|&word| word == 5 << 16 | 128)
            .unwrap();
        words[add + 1] = words[add + 3];
        let said = fault(&words, "vulkan1.0").expect("a wrong type");
        assert!(said.contains("error"), "{said}");
    });
    assert!(checked);
}
