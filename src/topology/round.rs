//! A prune-and-grow round: two programs, recorded once, before and after the training step that scores the candidates.

mod distinct;
mod observe;
mod options;
mod pass;
mod rescore;
mod running;
mod sample;
mod sizes;

use std::sync::Arc;

pub use observe::Observed;
pub use options::{RoundOptions, Scope};
pub use pass::{Observes, Shared, StepPass};
pub use running::Running;

use super::growth::{Candidates, Distribution, FinishInputs, Growth};
use super::method::Method;
use super::record::{Recorder, Sampled};
use super::report::{self, LayerReport, RoundReport};
use super::scratch::{Scratch, Sizes};
use super::table::{self, Slots};
use super::tiles;
use crate::engine::{Buffer, Device, Plan, Program, View};
use crate::error::{Error, Fault, Refusal, Result};
use crate::sparse::{Arena, LayerSpan, Window};
pub use sample::ScoredPairs;

/// Prune-and-grow rounds of one method on one arena.
///
/// A round works on the arena in place and leaves N unchanged. Pruned connections go, grown ones come with zero weight
/// and the optimiser's starting state, survivors keep both to the bit, and the transposed order is rebuilt. The arena's
/// `gradient` is overwritten: after a round it is meaningless until the next backward pass.
///
/// Candidates are drawn before the step that scores them, so that their gradients are computed within its backward
/// pass, while each layer's gradient at its outputs is available: keeping those of all layers would double the
/// activation memory. If f and g need the batch, the step runs once for them and once more for the scores.
pub struct Round {
    spans: Vec<LayerSpan>,
    windows: Vec<Window>,
    connections: usize,
    active: Vec<usize>,
    row_offsets: Buffer,
    growth: Arc<dyn Growth>,
    scope: Scope,
    gamma: f64,
    distinct: bool,
    lanes: usize,
    step: View,
    tile: Option<usize>,
    hardware: bool,
    /// How many candidates per layer a round samples for their weights and scores, and those of the last round.
    sampled: usize,
    sample: Vec<ScoredPairs>,
    /// None for a static topology.
    work: Option<Work>,
}

struct Work {
    scratch: Scratch,
    capacity: usize,
    sampled: Sampled,
    sample: Program,
    /// Another draw, if candidates must be distinct.
    resample: Option<Program>,
    /// What comes before the rule rescores on the host, if it does.
    settle: Option<Program>,
    exchange: Program,
}

impl Round {
    /// Allocates the scratch memory and records the programs.
    ///
    /// # Errors
    /// Gamma is negative or NaN, a tile has no pairs, the windows are not one per layer or do not fit the layers, the
    /// method wants all pairs but no scores of the step, or the device refuses the work space.
    pub fn new(
        device: &Device,
        arena: &Arena,
        method: &dyn Method,
        options: RoundOptions,
    ) -> Result<Self> {
        let growth = method.growth();
        options.check(arena)?;
        let RoundOptions {
            scope,
            gamma,
            distinct,
            lanes,
            step,
            windows,
            tile,
        } = options;
        if growth.candidates() == Candidates::All && !growth.scores_by_step() {
            return Err(Error::refused(Refusal::RankedByStep {
                method: method.name().to_owned(),
            }));
        }
        let mut round = Round {
            spans: arena.spans.clone(),
            windows,
            connections: arena.connections,
            active: Vec::new(),
            row_offsets: arena.row_offsets.clone(),
            growth,
            scope,
            gamma,
            distinct,
            lanes,
            step,
            tile,
            hardware: device.is_hardware(),
            sampled: 0,
            sample: Vec::new(),
            work: None,
        };
        round.sync(device)?;
        if round.growth.candidates() != Candidates::None {
            round.work = Some(round.record(device, arena, method.name())?);
        }
        Ok(round)
    }

    fn record(&self, device: &Device, arena: &Arena, method: &str) -> Result<Work> {
        let sizes = Sizes {
            capacity: self.capacity()?,
            segments: self.segments(),
            weighted: self.distribution() != Distribution::Uniform,
            signs: match self.distribution() {
                Distribution::GraEst => self.most_positions() * self.lanes,
                _ => 0,
            },
            tile: (self.growth.candidates() == Candidates::All).then(|| self.tile()),
        };
        let scratch = Scratch::new(device, arena, &sizes)?;
        let recorder = |name: &str| Recorder {
            arena,
            step: self.step.clone(),
            sizes: &sizes,
            scratch: &scratch,
            plan: {
                let mut plan = Plan::new(&format!("{name} of {method}"));
                plan.phase("round");
                plan
            },
        };
        let (sample, sampled) = recorder("sample").sample()?;
        let resample = match self.redraws() {
            true => Some(recorder("resample").resample(&sampled)?),
            false => None,
        };
        let mut exchange = recorder("exchange");
        exchange.settle(&sampled)?;
        self.growth.finish(
            &FinishInputs {
                arena,
                step: self.step.clone(),
                candidate_rows: sampled.candidates.keys.clone(),
                candidate_cols: sampled.candidates.values.clone(),
                candidate_offsets: scratch.candidate_offsets.all(),
                scores: sampled.scores.clone(),
                capacity: sizes.capacity,
            },
            &mut exchange.plan,
        )?;
        let settle = self.growth.rescores_on_host().then(|| {
            let rest = recorder("exchange").plan;
            std::mem::replace(&mut exchange.plan, rest)
        });
        let exchange = exchange.exchange(&sampled)?;
        Ok(Work {
            settle: settle.map(|plan| device.prepare(&plan)).transpose()?,
            sample: device.prepare(&sample)?,
            resample: resample.map(|plan| device.prepare(&plan)).transpose()?,
            exchange: device.prepare(&exchange)?,
            sampled,
            capacity: sizes.capacity,
            scratch,
        })
    }

    fn distribution(&self) -> Distribution {
        match self.growth.candidates() {
            Candidates::Sampled(distribution) => distribution,
            Candidates::None | Candidates::All => Distribution::Uniform,
        }
    }

    /// Whether rounds happen at all: not if the topology is static.
    pub fn is_dynamic(&self) -> bool {
        self.work.is_some()
    }

    /// Reads how many connections each layer has. Needed after an import into the arena.
    ///
    /// # Errors
    /// A lost device.
    pub fn sync(&mut self, device: &Device) -> Result<()> {
        let rows = self.spans.iter().map(|s| s.n_out).sum::<usize>();
        let offsets: Vec<u32> = device.download(&self.row_offsets.range(0..rows + 1))?;
        self.active = self
            .spans
            .iter()
            .map(|s| (offsets[s.first_row + s.n_out] - offsets[s.first_row]) as usize)
            .collect();
        Ok(())
    }

    /// Active connections by layer.
    pub fn active(&self) -> &[usize] {
        &self.active
    }

    /// Number of dispatches in a round, not counting those within the training step; none if the topology is static.
    pub fn dispatches(&self) -> usize {
        let work = self.work.as_ref();
        let settle = |work: &Work| work.settle.as_ref().map_or(0, Program::len);
        work.map_or(0, |work| {
            work.sample.len() + settle(work) + work.exchange.len()
        })
    }

    /// The programs before and after the step that scores the candidates.
    pub fn programs(&self) -> impl Iterator<Item = &Program> {
        let work = self.work.iter();
        work.flat_map(|work| {
            [&work.sample, &work.exchange]
                .into_iter()
                .chain(&work.resample)
                .chain(&work.settle)
        })
    }

    /// The work space. A test fills it with noise before a round, so that a value that is read before it is written
    /// shows.
    pub fn scratch(&self) -> Vec<View> {
        self.work
            .as_ref()
            .map_or_else(Vec::new, |work| work.scratch.views())
    }

    fn upload(&self, device: &Device, alpha_t: f64) -> Result<()> {
        let Some(Work { scratch, .. }) = &self.work else {
            return Ok(());
        };
        let slots: Vec<Slots> = (0..self.spans.len()).map(|l| self.slots(l)).collect();
        let requested = |active: usize| (alpha_t * active as f64).ceil() as usize;
        let requested: Vec<usize> = match self.scope {
            Scope::Layer => self.active.iter().map(|&a| requested(a)).collect(),
            Scope::Global => vec![requested(self.connections)],
        };
        let words = table::build(&self.spans, &slots, &requested);
        device.upload(&scratch.table.range(0..words.len()), &words)?;
        if let Some(list) = &scratch.list {
            let state = tiles::empty_list(list.slots, self.spans.len());
            device.upload(&list.state.range(0..state.len()), &state)?;
        }
        Ok(())
    }

    fn read_report(&mut self, device: &Device, seconds: f64) -> Result<RoundReport> {
        let words = match &self.work {
            Some(Work { scratch, .. }) => {
                device.download(&scratch.report.range(0..self.spans.len() * report::WORDS))?
            }
            None => vec![0; self.spans.len() * report::WORDS],
        };
        let mut layers: Vec<LayerReport> = self
            .spans
            .iter()
            .zip(&self.active)
            .zip(words.chunks(report::WORDS))
            .map(|((span, &active), words)| LayerReport::new(words, active, span.n_in * span.n_out))
            .collect();
        if let Some(list) = self.work.as_ref().and_then(|w| w.scratch.list.as_ref()) {
            let state = list.state.range(0..tiles::state_words(layers.len()));
            let scored = device.download(&state)?;
            for (layer, scored) in layers.iter_mut().zip(tiles::scored(&scored)) {
                layer.candidates = scored;
            }
        }
        let sum = |part: fn(&LayerReport) -> usize| layers.iter().map(part).sum::<usize>();
        if sum(|l| l.pruned) != sum(|l| l.grown) || sum(|l| l.active) != self.connections {
            return Err(Error::Device(Fault::Round {
                pruned: sum(|l| l.pruned),
                grown: sum(|l| l.grown),
                active: sum(|l| l.active),
                expected: self.connections,
            }));
        }
        self.active = layers.iter().map(|l| l.active).collect();
        Ok(RoundReport {
            layers,
            seconds,
            ..RoundReport::default()
        })
    }
}
