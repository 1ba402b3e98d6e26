//! HLSL as wgpu gives it to DX12's compilers. Those only run on Windows, so the text is searched for what the old one,
//! FXC, refuses: a vector component on the left of an assignment, chosen by an index that is only known when the shader
//! runs.

use std::collections::HashMap;

use naga::back::hlsl;
use naga::valid::{Capabilities, ModuleInfo, ValidationFlags, Validator};
use naga::{Module, ShaderStage};
use rootlet::engine::WorkgroupShape;
use rootlet::engine::kernel::KernelInfo;

use crate::shaders::{each, each_in_ranges};

fn translated(module: &Module, info: &ModuleInfo, entry_point: &str) -> String {
    let options = hlsl::Options {
        fake_missing_bindings: true,
        ..Default::default()
    };
    let pipeline = hlsl::PipelineOptions {
        entry_point: Some((ShaderStage::Compute, entry_point.to_owned())),
    };
    let mut text = String::new();
    hlsl::Writer::new(&mut text, &options, &pipeline)
        .write(module, info, None)
        .unwrap();
    text
}

/// Names, numbers, and every other character by itself.
fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let end = match word(first) {
            true => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        tokens.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    tokens
}

/// A type's name, and the number of dimensions if it is an array.
type Declared<'a> = (&'a str, usize);

fn is_vector(name: &str) -> bool {
    ["float", "half", "int", "uint", "bool"]
        .iter()
        .filter_map(|scalar| name.strip_prefix(scalar))
        .any(|width| matches!(width, "2" | "3" | "4"))
}

/// The place after the bracket that closes the one at `at`.
fn behind_bracket(tokens: &[&str], at: usize) -> usize {
    let mut depth = 0;
    for (i, token) in tokens.iter().enumerate().skip(at) {
        match *token {
            "[" => depth += 1,
            "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return i + 1;
        }
    }
    panic!("an open bracket")
}

/// Assignments to a vector component that is not chosen by a literal.
fn dynamic_components(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let mut structs: HashMap<&str, HashMap<&str, Declared<'_>>> = HashMap::new();
    let mut globals: HashMap<&str, Declared<'_>> = HashMap::new();
    let mut locals: HashMap<&str, Declared<'_>> = HashMap::new();
    let mut inside_struct = None;
    let mut depth = 0;
    let mut found = Vec::new();
    let mut statement = true;
    let name = |token: &str| token.starts_with(|c: char| c.is_alphabetic() || c == '_');
    let mut i = 0;
    while i < tokens.len() {
        let token = tokens[i];
        match token {
            "{" => depth += 1,
            "}" => {
                depth -= 1;
                if depth == 0 {
                    locals.clear();
                    inside_struct = None;
                }
            }
            "struct" => inside_struct = Some(tokens[i + 1]),
            _ => {}
        }
        // A declaration: a type, a name, dimensions, and a terminator.
        if name(token) && tokens.get(i + 1).is_some_and(|next| name(next)) {
            let mut end = i + 2;
            let mut dimensions = 0;
            while tokens.get(end) == Some(&"[") {
                end = behind_bracket(&tokens, end);
                dimensions += 1;
            }
            if matches!(tokens.get(end), Some(&(";" | "=" | "," | ")" | ":"))) {
                let scope = match inside_struct {
                    Some(name) => structs.entry(name).or_default(),
                    None if depth == 0 && matches!(tokens[end], ";" | "=" | ":") => &mut globals,
                    None => &mut locals,
                };
                scope.insert(tokens[i + 1], (token, dimensions));
            }
        }
        // An assignment: a name, indices and members, and `=`, alone or after an operator.
        if statement && name(token) && matches!(tokens.get(i + 1), Some(&("[" | "."))) {
            let mut declared = locals.get(token).or(globals.get(token)).copied();
            let mut end = i + 1;
            let mut dynamic = false;
            loop {
                match tokens.get(end) {
                    Some(&"[") => {
                        let behind = behind_bracket(&tokens, end);
                        let literal = behind == end + 3
                            && tokens[end + 1].starts_with(|c: char| c.is_ascii_digit());
                        declared = declared.map(|(kind, dimensions)| match dimensions {
                            0 => {
                                dynamic |= is_vector(kind) && !literal;
                                ("scalar", 0)
                            }
                            _ => (kind, dimensions - 1),
                        });
                        end = behind;
                    }
                    Some(&".") => {
                        declared = declared.and_then(|(kind, _)| match is_vector(kind) {
                            true => Some(("scalar", 0)),
                            false => structs.get(kind)?.get(tokens[end + 1]).copied(),
                        });
                        end += 2;
                    }
                    _ => break,
                }
            }
            let assigned = match tokens[end] {
                "=" => tokens[end + 1] != "=",
                operator => {
                    "+-*/%&|^<>".contains(operator) && tokens[end + 1..end + 3].contains(&"=")
                }
            };
            let place = tokens[i..end].concat();
            if assigned {
                assert!(declared.is_some(), "`{place}` is not declared");
                if dynamic {
                    found.push(place);
                }
            }
        }
        statement = matches!(token, ";" | "{" | "}" | ":");
        i += 1;
    }
    found
}

#[test]
fn fxc_is_given_no_component_chosen_at_run_time() {
    let mut faults = Vec::new();
    let mut search = |kernel: &KernelInfo, shape: WorkgroupShape, module: &_, info: &_| {
        let text = translated(module, info, kernel.entry_point());
        for place in dynamic_components(&text) {
            faults.push(format!("{} {shape:?}: {place}", kernel.name));
        }
    };
    each(&mut search);
    each_in_ranges(&mut search);
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// The test above would also pass if it overlooked them.
#[test]
fn components_chosen_at_run_time_are_found() {
    let source = "
        struct Held { values: vec4<f32>, parts: array<vec2<u32>, 2> }
        @group(0) @binding(0) var<storage, read_write> output: array<vec4<f32>>;
        var<workgroup> tile: array<vec4<f32>, 8>;
        fn put(values: ptr<function, vec3<i32>>, at: u32) { (*values)[at] = 1; }
        @compute @workgroup_size(64)
        fn main(@builtin(local_invocation_index) lane: u32) {
            var sum = vec4(0.0);
            var list = array<f32, 4>();
            var held = Held();
            var whole = vec3(0);
            put(&whole, lane);
            sum[lane] = 1.0;
            sum[lane] += 1.0;
            tile[lane][lane / 2u] = 2.0;
            held.values[lane] = 3.0;
            held.parts[lane][lane] = 4u;
            // Arrays and literals are fine, and so are buffers, which HLSL addresses by bytes.
            list[lane] = 5.0;
            tile[lane][2] = 6.0;
            held.parts[lane].y = 7u;
            output[lane] = sum + list[lane] + held.values + f32(whole.x) + f32(held.parts[lane].x);
            output[lane][lane] = 8.0;
        }";
    let module = naga::front::wgsl::parse_str(source).unwrap();
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .unwrap();
    let found = dynamic_components(&translated(&module, &info, "main"));
    let names: Vec<&str> = found
        .iter()
        .map(|place| place.split('[').next().unwrap())
        .collect();
    let expected = ["values", "sum", "sum", "tile", "held.values", "held.parts"];
    assert_eq!(names, expected, "{found:?}");
}
