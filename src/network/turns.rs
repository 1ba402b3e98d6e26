//! A pass over a batch whose parts are dealt to ranks: each turn, every rank computes one part.
//!
//! A part's results are added up on rank 0, in the order of the parts, to those of earlier turns: the same sums as on
//! one device that adds up part after part. So the bits do not depend on how many ranks there are.

use super::feed::Feed;
use super::runner::{Executor, Runner};
use crate::engine::{Device, StepState, View};
use crate::error::Result;
use crate::ranks::{Packing, Ranks};
use crate::topology::{Shared, StepPass};

/// Where the parts of a batch are.
#[derive(Clone, Copy)]
struct Turns {
    /// Samples of a part; the last may have fewer.
    part: usize,
    /// Samples of the batch.
    total: usize,
    ranks: usize,
}

impl Turns {
    fn parts(&self) -> usize {
        self.total.div_ceil(self.part)
    }

    /// Number of turns.
    fn count(&self) -> usize {
        self.parts().div_ceil(self.ranks)
    }

    /// The state of the part that a rank computes in a turn, if there is one.
    fn state(&self, turn: usize, rank: usize, state: StepState) -> Option<StepState> {
        let first = (turn * self.ranks + rank) * self.part;
        (first < self.total).then(|| StepState {
            count: self.part.min(self.total - first) as u32,
            first: first as u32,
            ..state
        })
    }
}

impl Executor {
    /// One pass over the parts of a batch of `state.total` samples; `parts` are this rank's. All ranks then have the
    /// gradients of the batch, its loss and score, its statistics, and what `shared` names.
    pub fn pass_on_ranks(
        &self,
        ranks: &Ranks,
        runner: &mut Runner<'_>,
        parts: &[impl Feed],
        state: StepState,
        pass: StepPass,
        shared: &Shared,
    ) -> Result<()> {
        let device = runner.device;
        let turns = Turns {
            part: self.micro_batch,
            total: state.total as usize,
            ranks: ranks.size(),
        };
        let slots = self.slots_on_ranks(ranks, parts)?;
        let mut views = shared.sums.clone();
        let mut packing = Packing::default();
        if pass.gradients {
            let before: usize = views.iter().map(View::words).sum();
            let gradients: usize = self.gradients.iter().map(View::words).sum();
            if self.exchange.is_half() {
                packing.rounded = before..before + gradients;
            }
            views.extend(self.gradients.iter().cloned());
            views.push(self.ring_slot(state.step));
        }
        let mut sums: Vec<f32> = Vec::new();
        let mut last = state;
        for turn in 0..turns.count() {
            let own = turns.state(turn, ranks.rank(), state);
            let mut found = vec![0.0; views.iter().map(View::words).sum()];
            if own.is_none() && turn == 0 {
                // Goes through the pass with what is loaded, and drops what that finds: the update reads what a pass
                // prepares, such as Top-KAST's selection.
                let any = turns.state(0, 0, state).unwrap_or(state);
                self.set_step(device, any)?;
                runner.run(self.programs.pass(pass, false)?)?;
            }
            if let (Some(own), Some(part)) = (own, parts.get(turn)) {
                runner.load(part, &slots)?;
                self.set_step(device, own)?;
                if pass.gradients {
                    // The device adds to what earlier parts left there.
                    device.upload(&self.ring_slot(state.step), &[0f32; 2])?;
                }
                let pass = match turn > 0 && !shared.of_first.is_empty() {
                    true => StepPass::PLAIN,
                    false => pass,
                };
                runner.run(self.programs.pass(pass, false)?)?;
                found = read(device, &views)?;
            }
            if ranks.is_first() && turn > 0 {
                for (found, before) in found.iter_mut().zip(&sums) {
                    *found += before;
                }
            }
            let statistics = match (&self.statistics, pass.gradients) {
                (Some(statistics), true) => device.download(&statistics.part.all())?,
                _ => Vec::new(),
            };
            let exchanged = ranks.exchange(&mut found, &statistics, own.is_some(), &packing)?;
            sums = found;
            for (rank, part) in exchanged.lists.iter().enumerate() {
                last = turns.state(turn, rank, state).unwrap_or(last);
                if let (Some(statistics), true) = (&self.statistics, pass.gradients) {
                    self.set_step(device, last)?;
                    device.upload(&statistics.part.all(), part)?;
                    runner.run(statistics.program())?;
                }
            }
        }
        self.set_step(device, last)?;
        write(device, &views, &sums)?;
        for view in &shared.of_first {
            let mut words: Vec<u32> = device.download(view)?;
            ranks.broadcast(&mut words)?;
            device.upload(view, &words)?;
        }
        Ok(())
    }

    /// Where this rank's parts go; weights of samples are relative to the whole batch.
    fn slots_on_ranks(&self, ranks: &Ranks, parts: &[impl Feed]) -> Result<super::Slots> {
        let slots = self.slots();
        if self.buffers.weights.is_none() {
            return Ok(slots);
        }
        // Of each part its samples and their weight, in the order of the parts: rank by rank within a turn.
        let own: Vec<f64> = parts
            .iter()
            .flat_map(|part| {
                let count = part.count() as f64;
                [count, part.weight().unwrap_or(count)]
            })
            .collect();
        let all = ranks.gather_everywhere(bytemuck::cast_slice(&own))?;
        let all: Vec<Vec<f64>> = all
            .iter()
            .map(|bytes| bytemuck::pod_collect_to_vec(bytes))
            .collect();
        let (mut count, mut weight) = (0.0, 0.0);
        for turn in 0..parts.len().max(all[0].len() / 2) {
            for rank in &all {
                if let Some(of_part) = rank.get(2 * turn..2 * turn + 2) {
                    count += of_part[0];
                    weight += of_part[1];
                }
            }
        }
        Ok(slots.for_weight(count, weight))
    }

    /// Loss and score of a step.
    fn ring_slot(&self, step: u32) -> View {
        let at = 2 * (step as usize % super::RING);
        self.buffers.train_ring.range(at..at + 2)
    }
}

/// The numbers of several views, one after the other.
fn read(device: &Device, views: &[View]) -> Result<Vec<f32>> {
    let mut all = Vec::new();
    for view in views {
        all.extend(device.download::<f32>(view)?);
    }
    Ok(all)
}

/// Writes what was read so.
fn write(device: &Device, views: &[View], mut all: &[f32]) -> Result<()> {
    for view in views {
        let (own, rest) = all.split_at(view.words());
        device.upload(view, own)?;
        all = rest;
    }
    Ok(())
}
