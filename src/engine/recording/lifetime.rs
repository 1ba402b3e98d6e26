//! Memory shared by lifetime: the transient buffers of plans are placed in as few bytes as their lifetimes allow.
//!
//! A transient buffer lives from the first to the last dispatch of a plan that names it. Two whose lifetimes do not
//! overlap can share memory. Memory comes in *slots*, each a real buffer as large as the largest transient in it;
//! smaller ones lie side by side in it. Transients are placed greedily in falling order of size (Pisarchyk and Lee
//! 2020, "Efficient Memory Management for Deep Neural Net Inference"). WebGPU forbids a dispatch to write a buffer that
//! it also binds elsewhere, even at disjoint ranges, so two transients that meet like that in a dispatch are kept in
//! different slots.

use std::collections::{HashMap, HashSet};

use super::plan::{Dispatch, Plan};
use crate::engine::buffer::{Buffer, VIEW_ALIGNMENT, View};
use crate::engine::kernel::BindingKind;
use crate::engine::{Class, Device};
use crate::error::{Error, Misfit, Result};

/// A transient buffer in one plan.
struct Life {
    plan: usize,
    buffer: Buffer,
    /// Indices of the first and the last dispatch that name it.
    first: usize,
    last: usize,
    /// Transients that must not share a buffer with it.
    apart: HashSet<usize>,
}

/// A planned real buffer, and the places of transients in it.
struct Slot {
    words: usize,
    class: Class,
    /// Transients and their first words.
    places: Vec<(usize, usize)>,
}

/// A placement of transient buffers.
pub struct Layout {
    lives: Vec<Life>,
    slots: Vec<Slot>,
}

impl Layout {
    /// Plans the placement for plans that never run at the same time: each may use all of the memory.
    ///
    /// # Errors
    /// A transient buffer is read before it is written: its memory would hold another's values.
    pub fn of(plans: &[&Plan]) -> Result<Self> {
        Self::with(plans, false)
    }

    /// Like [`Layout::of`], for finding the sizes before anything is allocated: a transient buffer that is read first
    /// stands for one that is filled from elsewhere.
    ///
    /// # Errors
    /// None today.
    pub fn estimate(plans: &[&Plan]) -> Result<Self> {
        Self::with(plans, true)
    }

    fn with(plans: &[&Plan], given: bool) -> Result<Self> {
        let mut lives = Vec::new();
        for (number, plan) in plans.iter().enumerate() {
            lives_of(number, plan, given, &mut lives)?;
        }
        let mut order: Vec<usize> = (0..lives.len()).collect();
        order.sort_by_key(|&l| std::cmp::Reverse(lives[l].buffer.words()));
        let mut slots: Vec<Slot> = Vec::new();
        for l in order {
            let life = &lives[l];
            let fits = slots
                .iter_mut()
                .filter(|slot| slot.class == life.buffer.class())
                .filter_map(|slot| Some((free_place(slot, &lives, l)?, slot)));
            // The smallest slot with room leaves the large ones for others.
            match fits.min_by_key(|(at, slot)| (slot.words, *at)) {
                Some((at, slot)) => slot.places.push((l, at)),
                None => slots.push(Slot {
                    words: life.buffer.words(),
                    class: life.buffer.class(),
                    places: vec![(l, 0)],
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

/// The first word in `slot` where `life` has room during its whole lifetime.
fn free_place(slot: &Slot, lives: &[Life], life: usize) -> Option<usize> {
    let me = &lives[life];
    let mut taken: Vec<(usize, usize)> = Vec::new();
    for &(other, at) in &slot.places {
        let them = &lives[other];
        if me.apart.contains(&other) {
            return None;
        }
        if me.plan == them.plan && me.first <= them.last && them.first <= me.last {
            taken.push((at, at + them.buffer.words()));
        }
    }
    taken.sort_unstable();
    let mut at = 0;
    for (start, end) in taken {
        if at + me.buffer.words() <= start {
            break;
        }
        at = at.max(end.next_multiple_of(VIEW_ALIGNMENT));
    }
    (at + me.buffer.words() <= slot.words).then_some(at)
}

fn lives_of(number: usize, plan: &Plan, given: bool, lives: &mut Vec<Life>) -> Result<()> {
    let mut index: HashMap<usize, usize> = HashMap::new();
    for (at, dispatch) in plan.dispatches().iter().enumerate() {
        let mut meeting: Vec<(usize, bool)> = Vec::new();
        for (view, writes) in bound(dispatch) {
            if !view.buffer.is_transient() {
                continue;
            }
            let life = match index.get(&view.buffer.id()) {
                Some(&life) => life,
                None if writes || given => {
                    index.insert(view.buffer.id(), lives.len());
                    lives.push(Life {
                        plan: number,
                        buffer: view.buffer.clone(),
                        first: at,
                        last: at,
                        apart: HashSet::new(),
                    });
                    lives.len() - 1
                }
                None => {
                    return Err(Error::Shape(Misfit::Plan {
                        plan: plan.name.clone(),
                        kernel: dispatch.kernel.name,
                        why: format!(
                            "transient buffer `{}` is read before it is written",
                            view.buffer.label()
                        ),
                    }));
                }
            };
            lives[life].last = at;
            meeting.push((life, writes));
        }
        for &(a, a_writes) in &meeting {
            for &(b, b_writes) in &meeting {
                if a != b && (a_writes || b_writes) {
                    lives[a].apart.insert(b);
                }
            }
        }
    }
    Ok(())
}

/// A dispatch's views, and whether it writes them.
fn bound(dispatch: &Dispatch) -> impl Iterator<Item = (&View, bool)> {
    let bindings = dispatch.kernel.bindings.iter();
    let writes = bindings.map(|b| matches!(b.kind, BindingKind::Write(_)));
    dispatch.views.iter().zip(writes)
}

/// Gives every transient buffer of `plans` memory on `device`. The plans may run in any order, but never two at once. A
/// transient buffer's contents are lost when another plan, or the same one, runs again.
///
/// # Errors
/// As [`Layout::of`], or the device refuses the memory.
pub fn place(device: &Device, plans: &mut [&mut Plan]) -> Result<()> {
    let layout = Layout::of(&plans.iter().map(|p| &**p).collect::<Vec<_>>())?;
    let mut homes: HashMap<(usize, usize), (Buffer, usize)> = HashMap::new();
    for (number, slot) in layout.slots.iter().enumerate() {
        let label = format!("shared.{number}");
        let home = device.buffer(&label, slot.class, slot.words)?;
        for &(l, at) in &slot.places {
            let life = &layout.lives[l];
            homes.insert((life.plan, life.buffer.id()), (home.clone(), at));
        }
    }
    for (number, plan) in plans.iter_mut().enumerate() {
        for view in plan.dispatches_mut().iter_mut().flat_map(|d| &mut d.views) {
            if let Some((home, at)) = homes.get(&(number, view.buffer.id())) {
                *view = home.stored(view.precision(), *at, view.range());
            }
        }
    }
    Ok(())
}
