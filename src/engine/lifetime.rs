//! Memory shared by lifetime: the transient buffers of plans are placed in as few bytes as their lifetimes allow.
//!
//! A transient buffer lives from the first dispatch of a plan that names it to the last. Two whose lives do not overlap can be
//! one piece of memory. WebGPU forbids to read and write one buffer within a dispatch, even at different ranges, so memory is
//! shared as whole buffers: each *slot* is a buffer as large as the largest that ever lives in it. Slots are filled greedily
//! by size (Pisarchyk and Lee 2020, "Efficient Memory Management for Deep Neural Net Inference", shared objects).

use std::collections::HashMap;

use super::buffer::{Buffer, View};
use super::device::Device;
use super::kernel::BindingKind;
use super::ledger::Class;
use super::plan::Plan;
use crate::error::{Error, Result};

/// A transient buffer in one plan.
struct Life {
    plan: usize,
    buffer: Buffer,
    first: usize,
    last: usize,
}

/// Memory that several lives share.
struct Slot {
    words: usize,
    class: Class,
    /// Indices of its lives.
    lives: Vec<usize>,
}

/// How transient buffers would be placed.
pub struct Layout {
    lives: Vec<Life>,
    slots: Vec<Slot>,
}

impl Layout {
    /// Looks at plans that never run at the same time: each may use all of the memory.
    ///
    /// # Errors
    /// A transient buffer that is read before anything was written to it: its memory would hold another's values.
    pub fn of(plans: &[&Plan]) -> Result<Self> {
        let mut lives = Vec::new();
        for (number, plan) in plans.iter().enumerate() {
            lives.extend(lives_of(number, plan)?);
        }
        let mut order: Vec<usize> = (0..lives.len()).collect();
        order.sort_by_key(|&l| std::cmp::Reverse(lives[l].buffer.words()));
        let mut slots: Vec<Slot> = Vec::new();
        for l in order {
            let life = &lives[l];
            let free = |slot: &&mut Slot| {
                slot.class == life.buffer.class()
                    && slot
                        .lives
                        .iter()
                        .all(|&other| !overlap(life, &lives[other]))
            };
            // In falling order of size every slot is large enough; the smallest leaves the large ones to others.
            match slots.iter_mut().filter(free).min_by_key(|s| s.words) {
                Some(slot) => slot.lives.push(l),
                None => slots.push(Slot {
                    words: life.buffer.words(),
                    class: life.buffer.class(),
                    lives: vec![l],
                }),
            }
        }
        Ok(Layout { lives, slots })
    }

    /// Bytes of all slots.
    pub fn bytes(&self) -> u64 {
        self.slots.iter().map(|s| s.words as u64 * 4).sum()
    }

    /// Bytes of the largest slot.
    pub fn largest(&self) -> u64 {
        let bytes = self.slots.iter().map(|s| s.words as u64 * 4);
        bytes.max().unwrap_or(0)
    }
}

fn overlap(a: &Life, b: &Life) -> bool {
    a.plan == b.plan && a.first <= b.last && b.first <= a.last
}

fn lives_of(number: usize, plan: &Plan) -> Result<Vec<Life>> {
    let mut index: HashMap<usize, usize> = HashMap::new();
    let mut lives: Vec<Life> = Vec::new();
    for (at, dispatch) in plan.dispatches().iter().enumerate() {
        for (view, binding) in dispatch.views.iter().zip(dispatch.kernel.bindings) {
            if !view.buffer.is_transient() {
                continue;
            }
            match index.get(&view.buffer.id()) {
                Some(&life) => lives[life].last = at,
                None if matches!(binding.kind, BindingKind::Write(_)) => {
                    index.insert(view.buffer.id(), lives.len());
                    lives.push(Life {
                        plan: number,
                        buffer: view.buffer.clone(),
                        first: at,
                        last: at,
                    });
                }
                None => {
                    return Err(Error::Shape(format!(
                        "plan `{}`, kernel `{}`: transient buffer `{}` is read before it is written",
                        plan.name,
                        dispatch.kernel.name,
                        view.buffer.label()
                    )));
                }
            }
        }
    }
    Ok(lives)
}

/// Gives every transient buffer of `plans` memory on `device`. The plans may be run in any order, never two at once; what a
/// transient buffer held is lost when another plan, or the same one again, runs.
///
/// # Errors
/// As [`Layout::of`], or memory that the device refuses.
pub fn place(device: &Device, plans: &mut [&mut Plan]) -> Result<()> {
    let layout = Layout::of(&plans.iter().map(|p| &**p).collect::<Vec<_>>())?;
    let mut homes: HashMap<(usize, usize), Buffer> = HashMap::new();
    for (number, slot) in layout.slots.iter().enumerate() {
        let label = format!("shared.{number}");
        let home = device.buffer(&label, slot.class, slot.words)?;
        for &l in &slot.lives {
            let life = &layout.lives[l];
            homes.insert((life.plan, life.buffer.id()), home.clone());
        }
    }
    for (number, plan) in plans.iter_mut().enumerate() {
        for view in plan.dispatches_mut().iter_mut().flat_map(|d| &mut d.views) {
            if let Some(home) = homes.get(&(number, view.buffer.id())) {
                *view = View {
                    buffer: home.clone(),
                    range: view.range.clone(),
                };
            }
        }
    }
    Ok(())
}
