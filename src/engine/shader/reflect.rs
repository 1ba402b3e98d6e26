//! Reflection: what naga finds in a shader, and the check that the host declares the same.

use std::collections::HashMap;

use naga::valid::UniformityRequirements;
use naga::{
    AddressSpace, Expression, Module, ScalarKind, Statement, StorageAccess, StructMember, TypeInner,
};

use super::packed::packed;
use super::wgsl::{capabilities, expand, fault, imports_grid};
use crate::engine::Precision;
use crate::engine::kernel::{BindingKind, Field, FieldKind, KernelInfo, Uniform};
use crate::engine::loops::Part;
use crate::error::Result;

/// What a shader declares.
#[derive(Debug)]
pub struct Reflection {
    /// The full WGSL text, imports filled in.
    pub source: String,
    /// Binding number of `params`, and of each host binding in the host's order.
    pub params_binding: u32,
    /// See `params_binding`.
    pub bindings: Vec<u32>,
    /// Binding number of `part`, if the kernel runs in pieces.
    pub part_binding: Option<u32>,
    /// Size of the workgroup with the given overrides.
    pub workgroup: [u32; 3],
    /// Whether some of a dispatch's workgroups can run separately, see [`expand_ranges`](super::wgsl::expand_ranges):
    /// the shader reads its workgroup's index only through `flat_group` of the import `grid`.
    pub ranges: bool,
    /// Whether its text has a barrier, called or not with the given overrides.
    pub barrier: bool,
    /// Names of the pipeline-override constants the shader declares.
    pub overrides: Vec<String>,
}

/// Parses and validates a kernel's shader and checks it against the host's declaration.
///
/// `constants` sets pipeline overrides by name; those that the shader does not declare are ignored.
///
/// # Errors
/// The shader does not parse or validate, or differs from the host's declaration: the message names the difference.
pub fn reflect(kernel: &KernelInfo, constants: &[(&str, f64)]) -> Result<Reflection> {
    reflect_packed(kernel, &[], constants)
}

/// Like [`reflect`], for the text with bindings stored like this; by default all are words.
///
/// # Errors
/// As there, or the shader does not read and write a binding of 16-bit numbers as vectors of four.
pub fn reflect_packed(
    kernel: &KernelInfo,
    precisions: &[Precision],
    constants: &[(&str, f64)],
) -> Result<Reflection> {
    let source = packed(kernel, expand(kernel)?, precisions)?;
    let module = naga::front::wgsl::parse_str(&source)
        .map_err(|e| fault(kernel, e.emit_to_string(&source)))?;
    let info =
        naga::valid::Validator::new(naga::valid::ValidationFlags::all(), capabilities(kernel))
            .validate(&module)
            .map_err(|e| fault(kernel, e.emit_to_string(&source)))?;

    let (index, entry) = module
        .entry_points
        .iter()
        .enumerate()
        .find(|(_, e)| e.name == kernel.entry_point())
        .ok_or_else(|| {
            fault(
                kernel,
                format!("has no entry point `{}`", kernel.entry_point()),
            )
        })?;
    let mut globals = HashMap::new();
    for (_, global) in module.global_variables.iter() {
        if let (Some(name), Some(binding)) = (&global.name, &global.binding) {
            if binding.group != 0 {
                let reason = format!("binding `{name}` is in group {}, not 0", binding.group);
                return Err(fault(kernel, reason));
            }
            globals.insert(name.as_str(), (binding.binding, global));
        }
    }
    let declared = kernel.bindings.len() + 1 + usize::from(kernel.parts);
    if globals.len() != declared {
        let mut found: Vec<&str> = globals.keys().copied().collect();
        found.sort_unstable();
        let mut host: Vec<&str> = kernel.bindings.iter().map(|b| b.name).collect();
        host.push("params");
        host.extend(kernel.parts.then_some("part"));
        host.sort_unstable();
        return Err(fault(
            kernel,
            format!(
                "binds [{}], the host [{}]",
                found.join(", "),
                host.join(", ")
            ),
        ));
    }
    let find = |name: &str, kind: BindingKind, precision: Precision| -> Result<u32> {
        let (binding, global) = globals
            .get(name)
            .ok_or_else(|| fault(kernel, format!("has no binding `{name}`")))?;
        check_binding(&module, global, kind, precision)
            .map_err(|reason| fault(kernel, format!("binding `{name}` {reason}")))?;
        Ok(*binding)
    };
    let params_binding = find(
        "params",
        BindingKind::Uniform(kernel.params),
        Precision::F32,
    )?;
    let bindings = kernel
        .bindings
        .iter()
        .zip(precisions.iter().chain(std::iter::repeat(&Precision::F32)))
        .map(|(b, precision)| find(b.name, b.kind, *precision))
        .collect::<Result<_>>()?;

    let part_binding = match kernel.parts {
        true => Some(find(
            "part",
            BindingKind::Uniform(Part::FIELDS),
            Precision::F32,
        )?),
        false => None,
    };

    let overrides: Vec<String> = module
        .overrides
        .iter()
        .filter_map(|(_, o)| o.name.clone())
        .collect();
    let mut workgroup = entry.workgroup_size;
    if let Some(sizes) = entry.workgroup_size_overrides {
        for (size, handle) in workgroup.iter_mut().zip(sizes) {
            if let Some(Expression::Override(handle)) =
                handle.map(|h| &module.global_expressions[h])
            {
                let declared = &module.overrides[*handle];
                let name = declared.name.as_deref().unwrap_or_default();
                let given = constants
                    .iter()
                    .find(|(n, _)| *n == name)
                    .map(|(_, v)| *v as u32);
                let default = declared.init.and_then(|h| literal(&module, h));
                *size = given
                    .or(default)
                    .ok_or_else(|| fault(kernel, format!("override `{name}` has no value")))?;
            }
        }
    }
    Ok(Reflection {
        source,
        params_binding,
        bindings,
        part_binding,
        workgroup,
        ranges: imports_grid(kernel)?
            && can_range(&module, &entry.function, info.get_entry_point(index)),
        barrier: info
            .get_entry_point(index)
            .uniformity
            .requirements
            .contains(UniformityRequirements::WORK_GROUP_BARRIER),
        overrides,
    })
}

/// Whether the workgroup's place in the dispatch is used in `flat_group` and nowhere else.
fn can_range(module: &Module, entry: &naga::Function, info: &naga::valid::FunctionInfo) -> bool {
    use naga::BuiltIn as B;
    let built_in = |handle: naga::Handle<Expression>| match entry.expressions[handle] {
        Expression::FunctionArgument(index) => match entry.arguments[index as usize].binding {
            Some(naga::Binding::BuiltIn(built_in)) => Some(built_in),
            _ => None,
        },
        _ => None,
    };
    // What may depend on the place: all arguments except these, and also structs of built-in values.
    let depends = |handle| {
        !matches!(
            built_in(handle),
            Some(B::LocalInvocationId | B::LocalInvocationIndex | B::SubgroupId | B::NumSubgroups)
                | Some(B::SubgroupInvocationId | B::SubgroupSize)
        )
    };
    let arguments = entry
        .expressions
        .iter()
        .filter(|(handle, e)| matches!(e, Expression::FunctionArgument(_)) && depends(*handle));
    let uses: usize = arguments.map(|(handle, _)| info[handle].ref_count).sum();
    let mut asked = 0;
    let mut blocks = vec![&entry.body];
    while let Some(block) = blocks.pop() {
        for statement in block {
            match statement {
                Statement::Block(inner) => blocks.push(inner),
                Statement::If { accept, reject, .. } => blocks.extend([accept, reject]),
                Statement::Switch { cases, .. } => blocks.extend(cases.iter().map(|c| &c.body)),
                Statement::Loop {
                    body, continuing, ..
                } => blocks.extend([body, continuing]),
                Statement::Call {
                    function,
                    arguments,
                    ..
                } if module.functions[*function].name.as_deref() == Some("flat_group") => {
                    let place = [Some(B::WorkGroupId), Some(B::NumWorkGroups)];
                    asked += match arguments.iter().map(|&a| built_in(a)).eq(place) {
                        true => 2,
                        false => 0,
                    };
                }
                _ => {}
            }
        }
    }
    asked > 0 && asked == uses
}

fn literal(module: &Module, handle: naga::Handle<Expression>) -> Option<u32> {
    match module.global_expressions[handle] {
        Expression::Literal(naga::Literal::U32(v)) => Some(v),
        _ => None,
    }
}

fn check_binding(
    module: &Module,
    global: &naga::GlobalVariable,
    kind: BindingKind,
    precision: Precision,
) -> Result<(), String> {
    let inner = &module.types[global.ty].inner;
    match kind {
        BindingKind::Uniform(fields) => {
            if global.space != AddressSpace::Uniform {
                return Err("is not a uniform".into());
            }
            check_fields(module, inner, fields)
        }
        BindingKind::Read(scalar) => {
            let access = StorageAccess::LOAD;
            check_array(module, global, inner, scalar, access, precision)
        }
        BindingKind::Write(scalar) => {
            let access = StorageAccess::LOAD | StorageAccess::STORE;
            check_array(module, global, inner, scalar, access, precision)
        }
    }
}

fn check_array(
    module: &Module,
    global: &naga::GlobalVariable,
    inner: &TypeInner,
    scalar: &str,
    requested: StorageAccess,
    precision: Precision,
) -> Result<(), String> {
    match global.space {
        AddressSpace::Storage { access } if access == requested => {}
        other => return Err(format!("has space {other:?}, the host wants {requested:?}")),
    }
    let TypeInner::Array { base, .. } = *inner else {
        return Err("is not an array".into());
    };
    if precision.is_half() {
        let pair = TypeInner::Vector {
            size: naga::VectorSize::Bi,
            scalar: naga::Scalar::U32,
        };
        return match module.types[base].inner == pair {
            true => Ok(()),
            false => Err("is not read and written as vec4, as 16-bit numbers must be".into()),
        };
    }
    let found = match module.types[base].inner {
        TypeInner::Scalar(s) | TypeInner::Atomic(s) => s,
        TypeInner::Vector {
            size: naga::VectorSize::Quad,
            scalar,
        } => scalar,
        _ => return Err("is neither an array of scalars nor of vec4".into()),
    };
    let name = scalar_name(found);
    if name == scalar {
        Ok(())
    } else {
        Err(format!("holds {name}, the host has {scalar}"))
    }
}

fn check_fields(module: &Module, inner: &TypeInner, fields: &[Field]) -> Result<(), String> {
    let TypeInner::Struct { members, .. } = inner else {
        return Err("is not a struct".into());
    };
    let found = found_fields(module, members);
    let declared = declared_fields(fields);
    if found == declared {
        Ok(())
    } else {
        Err(format!("has fields [{found}], the host [{declared}]"))
    }
}

fn found_fields(module: &Module, members: &[StructMember]) -> String {
    let field = |m: &StructMember| {
        let ty = match &module.types[m.ty].inner {
            TypeInner::Scalar(s) => scalar_name(*s).to_owned(),
            TypeInner::Struct { members, .. } => format!("[{}]", found_fields(module, members)),
            other => format!("{other:?}"),
        };
        let name = m.name.as_deref().unwrap_or_default();
        format!("{name}: {ty} at {}", m.offset)
    };
    members.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn declared_fields(fields: &[Field]) -> String {
    let field = |f: &Field| {
        let ty = match f.kind {
            FieldKind::Scalar(name) => name.to_owned(),
            FieldKind::Struct(fields) => format!("[{}]", declared_fields(fields)),
        };
        format!("{}: {ty} at {}", f.name, f.offset)
    };
    fields.iter().map(field).collect::<Vec<_>>().join(", ")
}

fn scalar_name(scalar: naga::Scalar) -> &'static str {
    match (scalar.kind, scalar.width) {
        (ScalarKind::Float, 4) => "f32",
        (ScalarKind::Uint, 4) => "u32",
        (ScalarKind::Sint, 4) => "i32",
        _ => "another scalar",
    }
}
