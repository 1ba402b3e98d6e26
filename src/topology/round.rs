//! A prune-and-grow round: one program, recorded once; the host uploads a small table and reads a few words back.

use std::time::Instant;

use super::inputs::RoundInputs;
use super::method::{Candidates, Distribution, Method};
use super::plan::Recorder;
use super::report::{self, LayerReport, RoundReport};
use super::scratch::{Scratch, Sizes};
use super::table;
use crate::engine::{Buffer, Device, KernelCheck, Plan, Program, View};
use crate::error::{Error, Result};
use crate::sparse::{Arena, LayerSpan};

/// Among what the k best and the k smallest are chosen.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, clap::ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Within each layer, whose number of connections then never changes: the paper's pseudocode
    Layer,
    /// Over the whole model, so that connections move between layers: the paper's experiments
    Global,
}

/// Prune-and-grow rounds of one method on one arena.
///
/// A round works on the arena in place and leaves N unchanged: pruned connections go, grown ones come with zero weight and
/// momentum, survivors keep both to the bit, and the transposed order is rebuilt. The arena's `gradient` is overwritten: after
/// a round it means nothing until the next backward pass.
pub struct Round {
    spans: Vec<LayerSpan>,
    connections: usize,
    active: Vec<usize>,
    row_offsets: Buffer,
    candidates: Candidates,
    scope: Scope,
    gamma: f64,
    /// None for a static topology.
    work: Option<(Scratch, Program)>,
}

impl Round {
    /// Allocates the work space and records the program.
    ///
    /// `gamma`: candidates drawn per active connection.
    ///
    /// # Errors
    /// A gamma that is negative or no number, inputs of other shapes than the layers', or a work space that the device
    /// refuses.
    pub fn new(
        device: &Device,
        arena: &Arena,
        method: &dyn Method,
        scope: Scope,
        gamma: f64,
        inputs: RoundInputs,
    ) -> Result<Self> {
        if !(gamma.is_finite() && gamma >= 0.0) {
            return Err(Error::Usage(format!(
                "gamma is {gamma}: it must be a finite number, zero or more"
            )));
        }
        inputs.check(&arena.spans)?;
        let mut round = Round {
            spans: arena.spans.clone(),
            connections: arena.connections,
            active: Vec::new(),
            row_offsets: arena.row_offsets.clone(),
            candidates: method.candidates(),
            scope,
            gamma,
            work: None,
        };
        round.sync(device)?;
        if round.candidates == Candidates::None {
            return Ok(round);
        }
        let sizes = Sizes {
            capacity: round.capacity()?,
            segments: round.segments(),
            weighted: !matches!(
                round.candidates,
                Candidates::All | Candidates::Sampled(Distribution::Uniform)
            ),
            stride: inputs.stride,
        };
        let scratch = Scratch::new(device, arena, &sizes)?;
        let recorder = Recorder {
            arena,
            inputs: &inputs,
            sizes: &sizes,
            scratch: &scratch,
            plan: Plan::new(&format!("round of {}", method.name())),
        };
        let plan = recorder.round(method)?;
        let program = device.prepare(&plan)?;
        round.work = Some((scratch, program));
        Ok(round)
    }

    /// Reads how many connections each layer has: after an import into the arena.
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

    /// Dispatches of a round; none where the topology is static.
    pub fn dispatches(&self) -> usize {
        self.work.as_ref().map_or(0, |(_, program)| program.len())
    }

    /// The work space. A test fills it with noise before a round, so that a value that is read unwritten shows.
    pub fn scratch(&self) -> Vec<View> {
        self.work
            .as_ref()
            .map_or_else(Vec::new, |(scratch, _)| scratch.views())
    }

    /// Runs a round that exchanges the share `alpha_t` of the connections
    /// ([`Schedule::alpha_at`](super::Schedule::alpha_at)), and waits for its report.
    ///
    /// # Errors
    /// A share outside 0..=1, or a lost device.
    pub fn run(&mut self, device: &Device, alpha_t: f64) -> Result<RoundReport> {
        // Steps that are still in flight are not the round's time.
        device.wait()?;
        let start = Instant::now();
        self.upload(device, alpha_t)?;
        if let Some((_, program)) = &self.work {
            device.run(program)?;
        }
        self.finish(device, start)
    }

    /// As [`Round::run`], with every kernel whose name contains `filter` compared with its twin.
    ///
    /// # Errors
    /// As [`Round::run`]. A difference is no error here: ask each check.
    pub fn run_checked(
        &mut self,
        device: &Device,
        alpha_t: f64,
        filter: &str,
    ) -> Result<(RoundReport, Vec<KernelCheck>)> {
        // Steps that are still in flight are not the round's time.
        device.wait()?;
        let start = Instant::now();
        self.upload(device, alpha_t)?;
        let checks = match &self.work {
            Some((_, program)) => device.run_checked(program, filter)?,
            None => Vec::new(),
        };
        Ok((self.finish(device, start)?, checks))
    }

    fn upload(&self, device: &Device, alpha_t: f64) -> Result<()> {
        if !(0.0..=1.0).contains(&alpha_t) {
            return Err(Error::Usage(format!(
                "a round cannot exchange a share of {alpha_t} of the connections: alpha must lie between 0 and 1"
            )));
        }
        let Some((scratch, _)) = &self.work else {
            return Ok(());
        };
        let slots: Vec<usize> = (0..self.spans.len()).map(|l| self.slots(l)).collect();
        let wanted = |active: usize| (alpha_t * active as f64).ceil() as usize;
        let wanted: Vec<usize> = match self.scope {
            Scope::Layer => self.active.iter().map(|&a| wanted(a)).collect(),
            Scope::Global => vec![wanted(self.connections)],
        };
        let words = table::build(&self.spans, &slots, &wanted);
        device.upload(&scratch.table.range(0..words.len()), &words)
    }

    fn finish(&mut self, device: &Device, start: Instant) -> Result<RoundReport> {
        let words = match &self.work {
            Some((scratch, _)) => {
                device.download(&scratch.report.range(0..self.spans.len() * report::WORDS))?
            }
            None => vec![0; self.spans.len() * report::WORDS],
        };
        let layers: Vec<LayerReport> = self
            .spans
            .iter()
            .zip(&self.active)
            .zip(words.chunks(report::WORDS))
            .map(|((span, &active), words)| LayerReport::new(words, active, span.n_in * span.n_out))
            .collect();
        let sum = |part: fn(&LayerReport) -> usize| layers.iter().map(part).sum::<usize>();
        if sum(|l| l.pruned) != sum(|l| l.grown) || sum(|l| l.active) != self.connections {
            return Err(Error::Device(format!(
                "the topology round pruned {} and grew {} connections, which leaves {} of {}: the driver computes wrongly; \
                 --check topology finds the kernel",
                sum(|l| l.pruned),
                sum(|l| l.grown),
                sum(|l| l.active),
                self.connections,
            )));
        }
        self.active = layers.iter().map(|l| l.active).collect();
        Ok(RoundReport {
            layers,
            seconds: start.elapsed().as_secs_f64(),
        })
    }

    fn segments(&self) -> usize {
        match self.scope {
            Scope::Layer => self.spans.len(),
            Scope::Global => 1,
        }
    }

    /// Candidate slots of a layer in the next round.
    fn slots(&self, layer: usize) -> usize {
        match self.candidates {
            Candidates::None => 0,
            Candidates::Sampled(_) => (self.gamma * self.active[layer] as f64).ceil() as usize,
            Candidates::All => self.spans[layer].n_in * self.spans[layer].n_out,
        }
    }

    /// Most candidate slots that any division of the connections among the layers needs.
    fn capacity(&self) -> Result<usize> {
        let layers = self.spans.len();
        let capacity = match self.candidates {
            Candidates::All => (0..layers).map(|l| self.slots(l)).sum(),
            _ => (self.gamma * self.connections as f64).ceil() as usize + layers,
        };
        // The merge marks grown connections by the highest bit.
        if capacity.max(self.connections) >= 1 << 31 {
            return Err(Error::Shape(format!(
                "a topology round over {capacity} candidates and {} connections: there must be fewer than 2^31 of each",
                self.connections
            )));
        }
        Ok(capacity)
    }
}
