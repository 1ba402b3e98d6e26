//! Declarations that differ from their shaders, and shaders that cannot be used, are named.

use crate::common::says;
use rootlet::engine::Kernel;
use rootlet::engine::kernel::{BindingInfo, BindingKind, Field, FieldKind, KernelInfo, Variants};
use rootlet::engine::loops::{NONE, Piece};
use rootlet::engine::reflect::reflect;
use rootlet::sparse::Spmm;

/// A copy of SpMM's declaration with changed fields and bindings.
fn drifted(
    params: impl FnOnce(&mut Vec<Field>),
    bindings: impl FnOnce(&mut Vec<BindingInfo>),
) -> rootlet::Result<()> {
    let original = Spmm::INFO;
    let mut fields = original.params.to_vec();
    let mut infos = original.bindings.to_vec();
    params(&mut fields);
    bindings(&mut infos);
    let kernel = KernelInfo {
        name: original.name,
        source: original.source,
        params: fields.leak(),
        bindings: infos.leak(),
        twin: |_| {},
        ..*original
    };
    reflect(&kernel, &[]).map(|_| ())
}

#[test]
fn a_declaration_that_drifts_from_its_shader_is_named() {
    let same = |_: &mut Vec<Field>| {};
    let kept = |_: &mut Vec<BindingInfo>| {};
    drifted(same, kept).unwrap();
    let shader = "shader `sparse/spmm`";
    says(
        drifted(same, |b| b[3].name = "biases"),
        &[shader, "`biases`"],
    );
    says(
        drifted(same, |b| b[1].kind = BindingKind::Read("f32")),
        &[shader, "`cols` holds u32, the host has f32"],
    );
    says(
        drifted(same, |b| b[4].kind = BindingKind::Write("f32")),
        &[shader, "`input`", "LOAD"],
    );
    says(
        drifted(same, |b| b[5].kind = BindingKind::Read("f32")),
        &[shader, "`output`", "STORE"],
    );
    says(
        drifted(same, |b| b[2].kind = BindingKind::Uniform(&[])),
        &[shader, "`weights` is not a uniform"],
    );
    says(
        drifted(same, |b| b.truncate(5)),
        &[
            shader,
            "output, params",
            "the host [bias, cols, input, params",
        ],
    );
    says(drifted(|f| f.truncate(4), kept), &[shader, "relu: u32"]);
    says(
        drifted(
            |f| {
                // Swapped like the struct's order would be, while the offsets stay.
                let (a, b) = (f[2].name, f[3].name);
                (f[2].name, f[3].name) = (b, a);
            },
            kept,
        ),
        &[
            shader,
            "`params`",
            "first_row: u32 at 8",
            "first_col: u32 at 8",
        ],
    );
    says(
        drifted(|f| f[1].kind = FieldKind::Scalar("f32"), kept),
        &[shader, "`params`", "vectors: f32"],
    );
}

/// A kernel whose shader is `source`; its entry point is `made_up`.
fn made_up(source: &'static str) -> rootlet::Result<()> {
    let kernel = KernelInfo {
        name: "tests/made_up",
        source,
        params: &[Field {
            name: "n",
            kind: FieldKind::Scalar("u32"),
            offset: 0,
        }],
        bindings: &[BindingInfo {
            name: "output",
            kind: BindingKind::Write("u32"),
        }],
        parts: false,
        pieces: |_, grid, _| Piece::whole(grid, NONE),
        variants: Variants::NONE,
        chain: None,
        twin: |_| {},
    };
    reflect(&kernel, &[]).map(|_| ())
}

const PARAMS: &str = "struct Params { n: u32 } @group(0) @binding(0) var<uniform> params: Params;";

const OUTPUT: &str = "@group(0) @binding(1) var<storage, read_write> output: array<u32>;";

#[test]
fn shaders_that_cannot_be_used_are_named() {
    let source = |output: &str, entry: &str| -> &'static str {
        let body = "{ output[0] = params.n; }";
        format!("{PARAMS} {output} @compute @workgroup_size(64) fn {entry}() {body}").leak()
    };
    made_up(source(OUTPUT, "made_up")).unwrap();
    says(
        made_up(source(OUTPUT, "other")),
        &["`tests/made_up`", "no entry point `made_up`"],
    );
    says(
        made_up(source(&OUTPUT.replace("group(0)", "group(1)"), "made_up")),
        &["`tests/made_up`", "`output`", "group 1"],
    );
    says(
        made_up("#import nothing\n"),
        &["`tests/made_up`", "unknown import `nothing`"],
    );
    says(made_up("fn made_up( {}"), &["`tests/made_up`", "expected"]);
    says(
        made_up(source(&OUTPUT.replace("array<u32>", "u32"), "made_up")),
        &["`tests/made_up`"],
    );
}
