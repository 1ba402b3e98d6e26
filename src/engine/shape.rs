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

/// The fewest invocations of a workgroup with a barrier that Apple's compiler can be trusted with: at 32 and fewer it
/// drops the barrier, since one SIMD group seems to need none (MoltenVK issue 2711).
pub const BARRIER_INVOCATIONS: u32 = 64;

impl WorkgroupShape {
    /// Every shape.
    pub const ALL: [WorkgroupShape; 2] = [WorkgroupShape::Hardware, WorkgroupShape::Software];

    /// Its name, for people.
    pub fn name(self) -> &'static str {
        match self {
            WorkgroupShape::Hardware => "hardware",
            WorkgroupShape::Software => "software",
        }
    }

    /// The overrides by name; a shader declares those that it uses.
    pub fn constants(self) -> &'static [(&'static str, f64)] {
        match self {
            WorkgroupShape::Hardware => &[("LANES", 32.0), ("ROWS", 4.0), ("VECTORS", 1.0)],
            WorkgroupShape::Software => &[("LANES", 8.0), ("ROWS", 1.0), ("VECTORS", 4.0)],
        }
    }

    /// Invocations along x of a workgroup that declares `LANES`.
    pub(crate) fn lanes(self) -> u32 {
        self.constants()[0].1 as u32
    }

    /// Invocations along y of a workgroup that declares `ROWS`.
    pub(crate) fn rows(self) -> u32 {
        self.constants()[1].1 as u32
    }
}
