//! What a kernel binds, as its host half declares it: uniform structs and buffers.

use crate::engine::buffer::Scalar;

/// A field of a uniform struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, the same on both sides.
    pub name: &'static str,
    /// Its type.
    pub kind: FieldKind,
    /// Its offset in bytes.
    pub offset: usize,
}

/// Type of a field of a uniform struct.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// A scalar, by its WGSL name.
    Scalar(&'static str),
    /// A struct with these fields, at a multiple of 16 bytes within the uniform.
    Struct(&'static [Field]),
}

/// The type of a field in a uniform struct: a scalar, or another such struct.
pub trait FieldType: bytemuck::Pod {
    /// The field's type as the shader sees it.
    const KIND: FieldKind;
}

impl FieldType for u32 {
    const KIND: FieldKind = FieldKind::Scalar(Self::WGSL);
}

impl FieldType for f32 {
    const KIND: FieldKind = FieldKind::Scalar(Self::WGSL);
}

/// A struct that a shader sees as a uniform: declared by [`uniform!`](crate::uniform!).
pub trait Uniform: bytemuck::Pod {
    /// Its fields in order.
    const FIELDS: &'static [Field];
}

/// What a binding is in the shader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingKind {
    /// `var<storage, read>` array of this scalar (or of vec4 of it).
    Read(&'static str),
    /// `var<storage, read_write>` array of this scalar (or of vec4, or of atomics of it).
    Write(&'static str),
    /// `var<uniform>` of a struct with these fields.
    Uniform(&'static [Field]),
}

impl BindingKind {
    /// Whether it is an array of this scalar.
    pub(crate) fn holds(self, wanted: &str) -> bool {
        matches!(self, BindingKind::Read(scalar) | BindingKind::Write(scalar) if scalar == wanted)
    }

    /// Whether it is written.
    pub(crate) fn writes(self) -> bool {
        matches!(self, BindingKind::Write(_))
    }
}

/// One binding as the host declares it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BindingInfo {
    /// The variable's name in the shader and the field's name on the host.
    pub name: &'static str,
    /// The kind of binding.
    pub kind: BindingKind,
}
