//! Which of its variants a kernel runs in, chosen by measurement on the device for each class of sizes.
//!
//! Variants give the same bits, so a choice only affects time. [`Device::tune`] times the variants for the dispatches
//! of some plans, in the plans' own buffers. It compares the bits of a faster variant with the default's, because a
//! compiler may get one of them wrong. Whatever other work on the machine disturbed is measured again, and if that does
//! not help, chooses nothing.

use std::collections::BTreeSet;

use super::choices::State;
pub use super::choices::{Choices, Tune, Tuned};
use crate::busy::{Usage, Watch, apart, disturbed};
use crate::engine::kernel::BindingKind;
use crate::engine::plan::{Dispatch, Plan};
use crate::engine::random::pcg4d;
use crate::engine::{Class, Device, Program, View, WorkgroupShape};
use crate::error::Result;

/// Below this many words, a dispatch is not worth measuring: it takes about as long as its launch.
const LEAST_WORDS: usize = 1 << 14;

/// Seconds that a measurement of one variant should last, by repeating the dispatch; and the most repetitions.
const SECONDS: f64 = 5e-4;
const MOST_COPIES: usize = 32;

/// Measurements of each variant, in turns, and the number of them in which one must beat the default to be chosen.
const TURNS: usize = 5;
const MOST_TURNS: usize = 4;

/// How often a measurement is repeated after other work disturbed it.
const ATTEMPTS: usize = 3;

/// Factor by which a variant must be faster than the default to be chosen, so that noise does not choose.
const GAIN: f64 = 1.03;

impl Device {
    /// The choices with which its programs are prepared.
    pub fn choices(&self) -> Choices {
        self.chosen.lock().choices.clone()
    }

    /// Adopts choices that were measured on this adapter before. Shapes that a kernel does not have are ignored.
    pub fn choose(&self, choices: Choices) {
        self.chosen.lock().choices.extend(choices);
    }

    /// The shapes in which a dispatch can run on it.
    fn shapes(
        &self,
        dispatch: &Dispatch,
        base: WorkgroupShape,
    ) -> impl Iterator<Item = WorkgroupShape> {
        let subgroups = self.has_subgroups();
        let shapes = dispatch.kernel.shapes(base);
        shapes.filter(move |shape| subgroups || !shape.needs_subgroups())
    }

    /// The shape in which a dispatch runs on it.
    pub(in crate::engine) fn shape_of(
        &self,
        dispatch: &Dispatch,
        base: WorkgroupShape,
    ) -> WorkgroupShape {
        if let Some(number) = self.variant {
            let count = self.shapes(dispatch, base).count();
            let mut shapes = self.shapes(dispatch, base);
            return shapes.nth(number % count).unwrap_or(base);
        }
        let state = self.chosen.lock();
        // A class is a text, which is only made if something was chosen.
        let class = (!state.choices.is_empty()).then(|| dispatch.class(base));
        let chosen = class.flatten().and_then(|class| state.choices.get(&class));
        let known = chosen.filter(|&&chosen| self.shapes(dispatch, base).any(|s| s == chosen));
        known.copied().unwrap_or(dispatch.default_shape(base))
    }

    /// Whether it measures the variants of the networks that it is given, before they run.
    pub fn tunes(&self) -> bool {
        self.tunes
    }

    /// Whether it also chooses by disturbed times.
    pub(crate) fn keeps_doubtful(&self) -> bool {
        self.keeps_doubtful
    }

    /// What it has measured since the last call.
    pub fn measured(&self) -> Vec<Tuned> {
        std::mem::take(&mut self.chosen.lock().measured)
    }

    /// If the device [tunes](Device::tunes), measures the variants of the dispatches whose class has no choice yet, and
    /// chooses. The plans' buffers must have memory, and their indices must be those of a network; the contents of
    /// activations, deltas and gradients are lost.
    ///
    /// # Errors
    /// The device is lost, or refuses a shader.
    pub fn tune(&self, plans: &[&Plan]) -> Result<()> {
        let Some(base) = self.shape().filter(|_| self.tunes) else {
            return Ok(());
        };
        let mut noisy = BTreeSet::new();
        let mut usage = None;
        let first = self.chosen.lock().measured.len();
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
            let measured = self.measure(dispatch, base, class, &mut usage)?;
            let mut chosen = self.chosen.lock();
            let choice = (measured.class.clone(), measured.chosen);
            chosen.choices.extend([choice]);
            chosen.measured.push(measured);
        }
        let doubt = usage.and_then(|usage| disturbed(&usage));
        if let Some(doubt) = doubt.filter(|_| !self.keeps_doubtful) {
            self.withhold(first, &doubt);
        }
        Ok(())
    }

    /// Withdraws what was chosen by this measurement and later ones, which other work disturbed.
    fn withhold(&self, first: usize, doubt: &str) {
        let mut chosen = self.chosen.lock();
        let State { choices, measured } = &mut *chosen;
        for tuned in measured.iter_mut().skip(first) {
            tuned.doubt.get_or_insert_with(|| doubt.to_owned());
            if let Some((default, _)) = tuned.seconds.first() {
                tuned.chosen = *default;
                choices.insert(tuned.class.clone(), *default);
            }
        }
    }

    /// `usage` is what the system reported over all measurements so far: for a single one it reports too little.
    fn measure(
        &self,
        dispatch: &Dispatch,
        base: WorkgroupShape,
        class: String,
        usage: &mut Option<Usage>,
    ) -> Result<Tuned> {
        let default = dispatch.default_shape(base);
        let others = self.shapes(dispatch, base).filter(|&s| s != default);
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
        let mut attempt = 1;
        let (turns, doubt) = loop {
            let watch = Watch::start(None);
            let mut turns = Vec::new();
            for turn in 0..=TURNS {
                let seconds = programs.iter().map(|program| self.seconds(program));
                let seconds: Vec<f64> = seconds.collect::<Result<_>>()?;
                if turn > 0 {
                    turns.push(seconds.iter().map(|s| s / copies as f64).collect());
                }
            }
            *usage = Some(match usage.take() {
                Some(before) => before.and(watch.usage()),
                None => watch.usage(),
            });
            let doubt = scattered(&turns).filter(|_| !self.keeps_doubtful);
            if doubt.is_none() || attempt == ATTEMPTS {
                break (turns, doubt);
            }
            attempt += 1;
        };
        let least = |at: usize| {
            turns
                .iter()
                .map(|turn: &Vec<f64>| turn[at])
                .fold(f64::INFINITY, f64::min)
        };
        let seconds: Vec<_> = (shapes.iter().enumerate())
            .map(|(at, &shape)| (shape, least(at)))
            .collect();
        // Judged by its best time and in each turn, so that disturbances do not choose.
        let ahead =
            |at: usize| turns.iter().filter(|turn| turn[at] < turn[0]).count() >= MOST_TURNS;
        let mut faster: Vec<(WorkgroupShape, f64)> = (seconds.iter().enumerate())
            .filter(|&(at, (_, taken))| taken * GAIN < seconds[0].1 && ahead(at))
            .map(|(_, &faster)| faster)
            .collect();
        if doubt.is_some() {
            faster.clear();
        }
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
            doubt,
        })
    }

    /// The time of a program alone.
    fn seconds(&self, program: &Program) -> Result<f64> {
        let phases = self.run_phases(program)?;
        Ok(phases.iter().map(|phase| phase.seconds).sum())
    }

    /// What a dispatch in this shape turns outputs full of noise into.
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

/// Why the turns of a measurement, each with the time of every variant, cannot be trusted: the times of one variant lie
/// too far apart.
fn scattered(turns: &[Vec<f64>]) -> Option<String> {
    let variants = turns.first().map_or(0, Vec::len);
    (0..variants).find_map(|at| {
        let mut times: Vec<f64> = turns.iter().map(|turn| turn[at]).collect();
        times.sort_by(f64::total_cmp);
        let last = times.len() - 1;
        apart(times[last / 4], times[last - last / 4], times.len())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_variant_leaves_the_choice_open() {
        let quiet = vec![vec![1.0, 2.0]; TURNS];
        assert_eq!(scattered(&quiet), None);
        // One slow turn does not matter.
        let mut once = quiet.clone();
        once[2][1] = 9.0;
        assert_eq!(scattered(&once), None);
        let mut often = once;
        (often[0][1], often[4][1]) = (4.0, 7.0);
        assert!(scattered(&often).is_some_and(|doubt| doubt.contains("apart")));
        assert_eq!(scattered(&[]), None);
    }
}
