//! The variants of kernels that a device has chosen: see [`tune`](super::tune).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::choice::choice;
use crate::engine::kernel::{Field, FieldKind};
use crate::engine::{Dispatch, WorkgroupShape};

choice! {
    /// Whether a device measures variants.
    pub enum Tune {
        /// On hardware: a software adapter would take longer to compile them than most runs gain
        Auto = "auto",
        /// On every adapter
        On = "on",
        /// On none, nor are choices of before taken
        Off = "off",
    }
}

#[allow(clippy::derivable_impls)] // Where it is declared by a macro.
impl Default for Tune {
    fn default() -> Self {
        Tune::Auto
    }
}

impl Tune {
    /// Whether adapters of this kind are measured.
    pub fn includes(self, hardware: bool) -> bool {
        match self {
            Tune::Auto => hardware,
            Tune::On => true,
            Tune::Off => false,
        }
    }
}

/// The chosen shapes, by class of sizes.
pub type Choices = BTreeMap<String, WorkgroupShape>;

/// The measured shape of a kernel for a class of sizes.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuned {
    /// The kernel's name, and the sizes.
    pub class: String,
    /// Seconds in each shape, the default first.
    pub seconds: Vec<(WorkgroupShape, f64)>,
    /// The chosen shape.
    pub chosen: WorkgroupShape,
    /// Shapes that were faster but wrong: their bits differed from the default's.
    pub wrong: Vec<WorkgroupShape>,
    /// Why the times cannot be trusted; then the default is chosen, only for this device.
    pub doubt: Option<String>,
}

impl Tuned {
    /// How many times as fast as the default the chosen shape is.
    pub fn gain(&self) -> f64 {
        let of = |shape| self.seconds.iter().find(|(other, _)| *other == shape);
        match (self.seconds.first(), of(self.chosen)) {
            (Some((_, default)), Some((_, chosen))) if *chosen > 0.0 => default / chosen,
            _ => 1.0,
        }
    }
}

/// A device's choices.
#[derive(Default)]
pub(in crate::engine) struct Chosen(Mutex<State>);

#[derive(Default)]
pub(in crate::engine) struct State {
    pub choices: Choices,
    pub measured: Vec<Tuned>,
}

impl Chosen {
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Dispatch {
    /// The class of sizes that determines its speed: the kernel, its parameters except those that place a layer, the
    /// number of connections per row, and how its views are stored if not in f32. None for a kernel without variants.
    pub fn class(&self, base: WorkgroupShape) -> Option<String> {
        self.kernel.shapes(base).nth(1)?;
        let mut class = self.kernel.name.to_owned();
        scalars(self.kernel.params, 0, &self.params, &mut class);
        if let Some(power) = self.connections_a_row() {
            class += &format!(" per_row=2^{power}");
        }
        for precision in self.precisions() {
            class += &format!(" {precision}");
        }
        Some(class)
    }

    /// The mean over the arena, rounded to a power of two.
    fn connections_a_row(&self) -> Option<u32> {
        let words = |names: [&str; 2]| {
            let mut bindings = self.kernel.bindings.iter().zip(&self.views);
            let found = bindings.find(|(binding, _)| names.contains(&binding.name));
            found.map(|(_, view)| view.words())
        };
        let rows = words(["row_offsets", "col_offsets"])?;
        let connections = words(["cols", "order"])?;
        Some((connections / rows.max(1)).max(1).ilog2())
    }
}

/// Appends the integers among the parameters, by name.
fn scalars(fields: &[Field], base: usize, bytes: &[u8], text: &mut String) {
    for field in fields {
        let at = base + field.offset;
        match field.kind {
            FieldKind::Struct(fields) => scalars(fields, at, bytes, text),
            FieldKind::Scalar("u32") if !field.name.starts_with("first_") => {
                if let Some(&[a, b, c, d]) = bytes.get(at..at + 4).and_then(|b| b.as_array()) {
                    let value = u32::from_le_bytes([a, b, c, d]);
                    *text += &format!(" {}={value}", field.name);
                }
            }
            FieldKind::Scalar(_) => {}
        }
    }
}
