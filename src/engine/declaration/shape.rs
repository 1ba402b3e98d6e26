//! Workgroup shapes: pipeline overrides that a kernel's shader may declare.

/// What a kernel's text is written for.
///
/// A hardware GPU wants many narrow lanes, each with a vec4 of a row. A software adapter, whose lanes are one CPU
/// vector and whose workgroups take 55 ns to launch, wants few lanes with much work each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ShapeFamily {
    /// Many narrow lanes.
    Hardware,
    /// Few lanes with much work each.
    Software,
}

/// How the invocations of a workgroup are laid out.
///
/// Each family has one that all kernels can take, [`HARDWARE`](Self::HARDWARE) and [`SOFTWARE`](Self::SOFTWARE). A
/// kernel may have [variants](super::kernel::Variants): other shapes of a family, in which it gives the same bits. The
/// fastest of them is found by [measurement](crate::engine::tune).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkgroupShape {
    /// Which of its texts a kernel uses, if it has two.
    pub family: ShapeFamily,
    lanes: u32,
    rows: u32,
    unroll: u32,
    subgroups: bool,
}

/// Number of loads that an invocation has in flight in the unrolled loops of a kernel, unless a variant says otherwise.
const UNROLL: u32 = 4;

/// The fewest invocations of a workgroup with a barrier for which Apple's compiler can be trusted: at 32 and fewer it
/// drops the barrier, since one SIMD group seems to need none (MoltenVK issue 2711).
pub const BARRIER_INVOCATIONS: u32 = 64;

impl WorkgroupShape {
    /// A subgroup of 32 lanes per row.
    pub const HARDWARE: WorkgroupShape = WorkgroupShape::hardware(32, 4);

    /// A CPU vector per row.
    pub const SOFTWARE: WorkgroupShape = WorkgroupShape::software(8, 1);

    /// The shapes that all kernels can take, one per family.
    pub const ALL: [WorkgroupShape; 2] = [WorkgroupShape::HARDWARE, WorkgroupShape::SOFTWARE];

    /// A shape for hardware.
    pub const fn hardware(lanes: u32, rows: u32) -> Self {
        WorkgroupShape {
            family: ShapeFamily::Hardware,
            lanes,
            rows,
            unroll: UNROLL,
            subgroups: false,
        }
    }

    /// A shape for software adapters.
    pub const fn software(lanes: u32, rows: u32) -> Self {
        WorkgroupShape {
            family: ShapeFamily::Software,
            lanes,
            rows,
            unroll: UNROLL,
            subgroups: false,
        }
    }

    /// The shape with this many loads in flight in the loops that a kernel unrolls: 4, or 8 in a kernel that declares
    /// `UNROLL`.
    pub const fn unrolled(self, unroll: u32) -> Self {
        WorkgroupShape { unroll, ..self }
    }

    /// The shape with sums by subgroups, for a kernel that has [another text](super::kernel::Variants) for them.
    pub const fn by_subgroups(self) -> Self {
        WorkgroupShape {
            subgroups: true,
            ..self
        }
    }

    /// Whether it needs an adapter that [has subgroups](crate::engine::Device::has_subgroups).
    pub const fn needs_subgroups(self) -> bool {
        self.subgroups
    }

    /// Its name for people: the family's, or a variant's lanes and rows, with `u8` if it unrolls by 8, and `s` if it
    /// sums by subgroups.
    pub fn name(self) -> String {
        match self {
            WorkgroupShape::HARDWARE => return "hardware".to_owned(),
            WorkgroupShape::SOFTWARE => return "software".to_owned(),
            _ => {}
        }
        let mut name = format!("{}x{}", self.lanes, self.rows);
        if self.unroll != UNROLL {
            name += &format!("u{}", self.unroll);
        }
        if self.subgroups {
            name.push('s');
        }
        name
    }

    /// The shape of a family with this name.
    pub fn named(family: ShapeFamily, name: &str) -> Option<Self> {
        if let Some(base) = Self::ALL.into_iter().find(|base| base.name() == name) {
            return (base.family == family).then_some(base);
        }
        let (name, subgroups) = match name.strip_suffix('s') {
            Some(rest) => (rest, true),
            None => (name, false),
        };
        let (lanes, rest) = name.split_once('x')?;
        let (rows, unroll) = match rest.split_once('u') {
            Some((rows, unroll)) => (rows, unroll.parse().ok()?),
            None => (rest, UNROLL),
        };
        Some(WorkgroupShape {
            family,
            lanes: lanes.parse().ok()?,
            rows: rows.parse().ok()?,
            unroll,
            subgroups,
        })
    }

    /// The overrides by name; a shader declares those that it uses.
    pub fn constants(self) -> [(&'static str, f64); 4] {
        let vectors = match self.family {
            ShapeFamily::Hardware => 1.0,
            ShapeFamily::Software => 4.0,
        };
        [
            ("LANES", self.lanes.into()),
            ("ROWS", self.rows.into()),
            ("VECTORS", vectors),
            ("UNROLL", self.unroll.into()),
        ]
    }

    /// Invocations along x of a workgroup that declares `LANES`.
    pub(crate) fn lanes(self) -> u32 {
        self.lanes
    }

    /// Invocations along y of a workgroup that declares `ROWS`.
    pub(crate) fn rows(self) -> u32 {
        self.rows
    }

    /// Loads in flight in the loops of a kernel that declares `UNROLL`.
    pub(crate) fn unroll(self) -> u32 {
        self.unroll
    }

    /// Invocations of a workgroup that declares both.
    pub fn invocations(self) -> u32 {
        self.lanes * self.rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_found_by_its_name() {
        let shapes = [
            (WorkgroupShape::HARDWARE, "hardware"),
            (WorkgroupShape::hardware(8, 16), "8x16"),
            (WorkgroupShape::hardware(32, 4).unrolled(8), "32x4u8"),
            (WorkgroupShape::hardware(32, 4).by_subgroups(), "32x4s"),
            (WorkgroupShape::software(8, 4), "8x4"),
        ];
        for (shape, name) in shapes {
            assert_eq!(shape.name(), name);
            assert_eq!(WorkgroupShape::named(shape.family, name), Some(shape));
        }
        for name in [
            "", "x", "8", "8x", "8x4u", "8xu8", "8x4u8u8", "8x4su8", "s", "software",
        ] {
            assert_eq!(
                WorkgroupShape::named(ShapeFamily::Hardware, name),
                None,
                "{name}"
            );
        }
    }
}
