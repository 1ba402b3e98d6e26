//! The passes over a step's batch that a round needs. Which, and in what order, is decided only here.

use super::Round;
use crate::engine::{Buffer, View};
use crate::topology::growth::{Candidates, Distribution};

/// What a pass over a batch observes for a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Observes {
    /// Nothing.
    Nothing,
    /// The sums behind f and g, by which candidates are drawn.
    Statistics,
    /// The candidates' scores.
    Scores,
}

/// A pass over a batch or a part of it, forward and backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StepPass {
    /// What it observes for a round.
    pub observes: Observes,
    /// Whether it computes the gradients of all parameters: not if a pass before it did, and not on a further batch.
    pub gradients: bool,
}

impl StepPass {
    /// The pass of a step without a round.
    pub const PLAIN: Self = StepPass::of(Observes::Nothing, true);
    const SCORES_ALONE: Self = StepPass::of(Observes::Scores, false);

    const fn of(observes: Observes, gradients: bool) -> Self {
        StepPass {
            observes,
            gradients,
        }
    }
}

/// What a pass leaves for the round, besides the gradients: what ranks that share a batch have to tell each other.
#[derive(Clone, Default)]
pub struct Shared {
    /// Numbers that add up over the parts of the batch.
    pub sums: Vec<View>,
    /// What the first part alone decides.
    pub of_first: Vec<View>,
}

impl Round {
    /// What a pass leaves for this round.
    pub fn shared(&self, pass: StepPass) -> Shared {
        let Some(work) = &self.work else {
            return Shared::default();
        };
        match (pass.observes, &work.scratch.list) {
            (Observes::Statistics, _) => Shared {
                sums: vec![work.scratch.inputs.all(), work.scratch.outputs.all()],
                ..Shared::default()
            },
            (Observes::Scores, Some(list)) => Shared {
                of_first: [&list.state, &list.rows, &list.cols, &list.scores]
                    .map(Buffer::all)
                    .to_vec(),
                ..Shared::default()
            },
            (Observes::Scores, None) if self.growth.scores_by_step() => Shared {
                sums: vec![work.sampled.scores.clone()],
                ..Shared::default()
            },
            _ => Shared::default(),
        }
    }

    /// The passes over the batch that a round needs, in order: one, or two if f and g need the batch. None if the
    /// topology is static.
    pub fn passes(&self) -> &'static [StepPass] {
        const ONE: &[StepPass] = &[StepPass::of(Observes::Scores, true)];
        const TWO: &[StepPass] = &[
            StepPass::of(Observes::Statistics, true),
            StepPass::SCORES_ALONE,
        ];
        match (&self.work, self.distribution()) {
            (None, _) => &[],
            (_, Distribution::Uniform) => ONE,
            _ => TWO,
        }
    }

    /// The pass by which further batches add to the scores. None if scores are not sums: if growth ignores gradients,
    /// or a running list keeps only the best.
    pub fn further_pass(&self) -> Option<StepPass> {
        let growth = &self.growth;
        let sums = growth.scores_by_step() && growth.candidates() != Candidates::All;
        (self.work.is_some() && sums).then_some(StepPass::SCORES_ALONE)
    }
}
