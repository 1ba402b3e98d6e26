//! Workgroup shapes: pipeline overrides that a kernel's shader may declare.

/// How the invocations of a workgroup are laid out, by the kind of adapter.
///
/// A hardware GPU wants a subgroup of 32 lanes with one vec4 each per row; a software adapter, whose
/// lanes are one CPU vector of 8 and whose workgroups cost 55 ns to launch, 8 lanes with 4 vec4 each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WorkgroupShape {
    /// Many narrow lanes.
    Hardware,
    /// Few lanes with much work each.
    Software,
}

impl WorkgroupShape {
    /// Every shape.
    pub const ALL: [WorkgroupShape; 2] = [WorkgroupShape::Hardware, WorkgroupShape::Software];

    /// The overrides by name; a shader declares those that it uses.
    pub fn constants(self) -> &'static [(&'static str, f64)] {
        match self {
            WorkgroupShape::Hardware => &[("LANES", 32.0), ("ROWS", 4.0), ("VECTORS", 1.0)],
            WorkgroupShape::Software => &[("LANES", 8.0), ("ROWS", 1.0), ("VECTORS", 4.0)],
        }
    }
}
