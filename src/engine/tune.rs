//! Which of its variants a kernel runs in: chosen by measurement on the device, for each class of sizes.
//!
//! Variants give the same bits, so that a choice is of no consequence but for time. [`Device::tune`] times those of the
//! dispatches of some plans where they are, in their own buffers, and compares the bits of one that is faster with the
//! default's: a compiler may get one of them wrong.

use std::collections::BTreeSet;

use super::buffer::View;
pub use super::choices::{Choices, Tune, Tuned};
use super::device::{Device, Program};
use super::kernel::BindingKind;
use super::ledger::Class;
use super::plan::{Dispatch, Plan};
use super::random::pcg4d;
use super::shape::WorkgroupShape;
use crate::error::Result;

/// Words below which a dispatch is not worth a measurement: it takes about as long as its launch.
const LEAST_WORDS: usize = 1 << 14;

/// Seconds that a measurement of one variant is to last, by repeating the dispatch; and repetitions at most.
const SECONDS: f64 = 5e-4;
const MOST_COPIES: usize = 32;

/// Measurements of each variant, in turns.
const TURNS: usize = 3;

/// A variant must be so much faster than the default to be chosen, so that noise does not choose.
const GAIN: f64 = 1.03;

impl Device {
    /// The choices that its programs are prepared with.
    pub fn choices(&self) -> Choices {
        self.chosen.lock().choices.clone()
    }

    /// Takes choices that were measured before, on this adapter. Those of shapes that a kernel does not have are not
    /// followed.
    pub fn choose(&self, choices: Choices) {
        self.chosen.lock().choices.extend(choices);
    }

    /// The shape that a dispatch runs in on it.
    pub(super) fn shape_of(&self, dispatch: &Dispatch, base: WorkgroupShape) -> WorkgroupShape {
        if let Some(number) = self.variant {
            let count = dispatch.kernel.shapes(base).count();
            let mut shapes = dispatch.kernel.shapes(base);
            return shapes.nth(number % count).unwrap_or(base);
        }
        let state = self.chosen.lock();
        let chosen = dispatch
            .class(base)
            .and_then(|class| state.choices.get(&class));
        let known = chosen.filter(|&&chosen| dispatch.kernel.shapes(base).any(|s| s == chosen));
        known.copied().unwrap_or(dispatch.default_shape(base))
    }

    /// Whether it measures the variants of what networks it is given, before they run.
    pub fn tunes(&self) -> bool {
        self.tunes
    }

    /// What it has measured since the last call.
    pub fn measured(&self) -> Vec<Tuned> {
        std::mem::take(&mut self.chosen.lock().measured)
    }

    /// Where the device [tunes](Device::tunes): measures the variants of those dispatches whose class was not chosen
    /// yet, and chooses. The plans' buffers have memory, and their indices are those of a network; what activations,
    /// deltas and gradients held before is lost.
    ///
    /// # Errors
    /// A lost device, or a shader that it refuses.
    pub fn tune(&self, plans: &[&Plan]) -> Result<()> {
        let Some(base) = self.shape().filter(|_| self.tunes) else {
            return Ok(());
        };
        let mut noisy = BTreeSet::new();
        for dispatch in plans.iter().flat_map(|plan| plan.dispatches()) {
            let words: usize = dispatch.views.iter().map(|view| view.words()).sum();
            let Some(class) = dispatch.class(base).filter(|_| words >= LEAST_WORDS) else {
                continue;
            };
            if self.chosen.lock().choices.contains_key(&class) {
                continue;
            }
            for (binding, view) in dispatch.kernel.bindings.iter().zip(&dispatch.views) {
                let passing = matches!(view.buffer.class(), Class::Activations | Class::Data);
                if passing
                    && binding.kind == BindingKind::Read("f32")
                    && noisy.insert((view.buffer.id(), view.range.start, view.range.end))
                {
                    self.fill(view, 0)?;
                }
            }
            let measured = self.measure(dispatch, base, class)?;
            let mut chosen = self.chosen.lock();
            let choice = (measured.class.clone(), measured.chosen);
            chosen.choices.extend([choice]);
            chosen.measured.push(measured);
        }
        Ok(())
    }

    fn measure(&self, dispatch: &Dispatch, base: WorkgroupShape, class: String) -> Result<Tuned> {
        let default = dispatch.default_shape(base);
        let others = dispatch.kernel.shapes(base).filter(|&s| s != default);
        let shapes: Vec<WorkgroupShape> = std::iter::once(default).chain(others).collect();
        let repeated = |copies: usize, shape| -> Result<Program> {
            let mut plan = Plan::new("variants");
            for _ in 0..copies {
                plan.push(dispatch.clone())?;
            }
            self.prepare_in(&plan, &vec![shape; copies])
        };
        // The first run of a pipeline may compile it.
        let once = repeated(1, default)?;
        self.seconds(&once)?;
        let copies = (SECONDS / self.seconds(&once)?.max(1e-9)).ceil() as usize;
        let copies = copies.clamp(1, MOST_COPIES);
        let mut programs = Vec::new();
        for &shape in &shapes {
            programs.push(repeated(copies, shape)?);
        }
        let mut seconds: Vec<_> = shapes.iter().map(|&shape| (shape, f64::INFINITY)).collect();
        for turn in 0..=TURNS {
            for ((_, least), program) in seconds.iter_mut().zip(&programs) {
                let taken = self.seconds(program)? / copies as f64;
                if turn > 0 {
                    *least = least.min(taken);
                }
            }
        }
        let mut faster: Vec<(WorkgroupShape, f64)> = (seconds[1..].iter().copied())
            .filter(|(_, taken)| taken * GAIN < seconds[0].1)
            .collect();
        faster.sort_by(|a, b| a.1.total_cmp(&b.1));
        let (mut chosen, mut wrong) = (default, Vec::new());
        for (shape, _) in faster {
            if self.written(dispatch, default)? == self.written(dispatch, shape)? {
                chosen = shape;
                break;
            }
            wrong.push(shape);
        }
        Ok(Tuned {
            class,
            seconds,
            chosen,
            wrong,
        })
    }

    /// What a program takes by itself.
    fn seconds(&self, program: &Program) -> Result<f64> {
        let phases = self.run_phases(program)?;
        Ok(phases.iter().map(|phase| phase.seconds).sum())
    }

    /// What a dispatch in this shape makes of outputs that hold noise.
    fn written(&self, dispatch: &Dispatch, shape: WorkgroupShape) -> Result<Vec<Vec<u32>>> {
        let mut plan = Plan::new("variant");
        plan.push(dispatch.clone())?;
        let program = self.prepare_in(&plan, &[shape])?;
        let bindings = dispatch.kernel.bindings.iter().zip(&dispatch.views);
        let outputs = bindings.filter(|(binding, _)| matches!(binding.kind, BindingKind::Write(_)));
        let outputs: Vec<&View> = outputs.map(|(_, view)| view).collect();
        for view in &outputs {
            self.fill(view, 1)?;
        }
        self.run(&program)?;
        outputs.iter().map(|view| self.download(view)).collect()
    }

    /// Fills a view with numbers between -1 and 1.
    fn fill(&self, view: &View, seed: u32) -> Result<()> {
        let noise = |i: usize| pcg4d([i as u32, seed, 0, 0])[0] as f32 / (1u32 << 31) as f32 - 1.0;
        let noise: Vec<f32> = (0..view.words()).map(noise).collect();
        self.upload(view, &noise)
    }
}
