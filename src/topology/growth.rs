//! Growth rules: where candidates come from and how they are scored. Everything else of a round is the same for all.

use super::random_score::{RandomScore, RandomScoreParams};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;
use crate::sparse::{Arena, LayerSpan, PairGradients, Window};

/// How a method draws the unit pairs that it considers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// Every unit alike.
    Uniform,
    /// GraBo: inputs by the sum of |h| over the batch, outputs by that of |delta|; the products bound |g|.
    GraBo,
    /// GraEst: inputs by |h · s|, outputs by |delta · s| with random signs s; the products estimate |g|.
    GraEst,
}

/// Where a method's candidates come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Candidates {
    /// Nowhere: the topology is static.
    None,
    /// `ceil(gamma * |A|)` pairs a layer, drawn from a distribution.
    Sampled(Distribution),
    /// All inactive pairs, in tiles with a running list of the best: O(n_in * n_out) time, O(N) memory. They are scored
    /// within the backward pass, so [`Growth::scores_by_step`] must be so. Scores cannot be added up over the parts of
    /// a batch that does not fit the device at once: the first part alone scores.
    All,
}

/// The pairs whose gradient a round computes, as its floating-point operations are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scored {
    /// None: growth needs no gradients.
    Nothing,
    /// gamma for every active connection.
    Sampled,
    /// All pairs, as of a dense gradient.
    All,
}

impl Scored {
    /// Number of pairs in a layer with `active` connections of `total` possible ones.
    pub fn pairs(self, active: f64, total: f64, gamma: f64) -> f64 {
        match self {
            Scored::Nothing => 0.0,
            Scored::Sampled => gamma * active,
            Scored::All => total,
        }
    }
}

/// A growth rule: what a round asks of a method.
///
/// The paper's rule is the default of [`Growth::score`]; a rule of one's own overrides it with dispatches of its own
/// kernels (see [`kernel!`](crate::kernel!)).
pub trait Growth: Send + Sync {
    /// Where its candidates come from.
    fn candidates(&self) -> Candidates;

    /// Whether [`Growth::score`] is to be called: whether the step's activations and gradients matter.
    fn scores_by_step(&self) -> bool {
        true
    }

    /// The pairs whose gradient a round computes: for the count of floating-point operations alone.
    fn scored(&self) -> Scored {
        match self.candidates() {
            Candidates::Sampled(_) if self.scores_by_step() => Scored::Sampled,
            Candidates::All if self.scores_by_step() => Scored::All,
            _ => Scored::Nothing,
        }
    }

    /// Records the kernels that write, or complete, the scores of one layer's candidates. Called for every layer of the
    /// step that scores them, in the order of the backward pass, and again for each further part of a batch that does
    /// not fit the device at once. Nothing may be kept in `inputs.scores` but sums over the batch: what comes after the
    /// sum goes into [`Growth::finish`].
    ///
    /// Of [`Candidates::All`] it is called once for each tile of the layer's pairs, and for the first part of a batch
    /// only; what it leaves in `inputs.scores` decides at once which pairs remain.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    fn score(&self, inputs: &ScoreInputs<'_>, plan: &mut Plan) -> Result<()> {
        inputs.gradient(plan)
    }

    /// Records what is left to do when all layers and all parts of the batch have been seen. The candidates of the
    /// largest
    /// |score| are grown, ties by the lower index. Of [`Candidates::All`] no more remain than are requested.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    fn finish(&self, _inputs: &FinishInputs<'_>, _plan: &mut Plan) -> Result<()> {
        Ok(())
    }
}

/// All candidates at once, when their sums are complete.
pub struct FinishInputs<'a> {
    /// The active connections.
    pub arena: &'a Arena,
    /// Seed, step and batch size: a [`StepState`](crate::engine::StepState).
    pub step: View,
    /// `[capacity]` u32: the candidates' rows, rising; behind the last candidate, the number of rows.
    pub candidate_rows: View,
    /// As in [`ScoreInputs`].
    pub candidate_cols: View,
    /// As in [`ScoreInputs`].
    pub candidate_offsets: View,
    /// `[capacity]` f32: what is ranked by.
    pub scores: View,
    /// Most candidates there can be.
    pub capacity: usize,
}

/// One layer of a training step, and the candidates to be scored by it. Views are whole buffers; those of the
/// candidates are shared by all layers.
pub struct ScoreInputs<'a> {
    /// The layer's number.
    pub layer: usize,
    /// Where it lies among the arena's rows and columns.
    pub span: LayerSpan,
    /// How its output positions read its input positions.
    pub window: Window,
    /// The active connections.
    pub arena: &'a Arena,
    /// Lanes of a position: the batch, rounded up to whole vectors of four.
    pub lanes: usize,
    /// Seed, step and batch size: a [`StepState`](crate::engine::StepState).
    pub step: View,
    /// `[channels][input positions][lanes]`: the layer's input h.
    pub activation: View,
    /// `[n_out][output positions][lanes]`: the loss's gradient at the layer's output; padding lanes zero.
    pub delta: View,
    /// `[capacity]` u32: the candidates' rows, rising.
    pub candidate_rows: View,
    /// `[capacity]` u32: the candidates' columns, rising within a row.
    pub candidate_cols: View,
    /// `[R + 1]` u32: row r's candidates are `candidate_offsets[r]..candidate_offsets[r + 1]`; the first need not be at
    /// 0.
    pub candidate_offsets: View,
    /// `[capacity]` f32: to be filled for the candidates of this layer's rows. What lies elsewhere belongs to others.
    pub scores: View,
    /// Length of these arrays.
    pub capacity: usize,
    /// Whether this is a further part of the batch, whose gradients are added to those of the parts before.
    pub accumulate: bool,
}

impl ScoreInputs<'_> {
    /// The paper's score: the gradient `g(a, b) = sum over positions and batch of h[a] * delta[b]` of each of the
    /// layer's candidates, by the kernel that also computes the weights' gradient. One dispatch.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn gradient(&self, plan: &mut Plan) -> Result<()> {
        PairGradients {
            span: self.span,
            window: self.window,
            lanes: self.lanes,
            row_offsets: self.candidate_offsets.clone(),
            cols: self.candidate_cols.clone(),
            input: self.activation.clone(),
            delta: self.delta.clone(),
            output: self.scores.clone(),
            accumulate: self.accumulate,
        }
        .record(plan)
    }
}

/// No growth: the topology stays as it is, or something else than rounds changes it.
#[derive(Clone, Copy, Debug)]
pub struct NoGrowth;

impl Growth for NoGrowth {
    fn candidates(&self) -> Candidates {
        Candidates::None
    }
}

/// SET (Mocanu et al. 2018): growth uniformly at random.
pub(super) struct Set;

impl Growth for Set {
    fn candidates(&self) -> Candidates {
        Candidates::Sampled(Distribution::Uniform)
    }

    fn scores_by_step(&self) -> bool {
        false
    }

    fn finish(&self, inputs: &FinishInputs<'_>, plan: &mut Plan) -> Result<()> {
        plan.dispatch(
            RandomScore {
                params: RandomScoreParams {
                    capacity: inputs.capacity as u32,
                },
                scores: inputs.scores.clone(),
                step: inputs.step.clone(),
            },
            Grid::Items(inputs.capacity),
        )
    }
}

/// RigL (Evci et al. 2020, "Rigging the Lottery: Making All Tickets Winners"): of all inactive pairs, those of the
/// largest
/// |g| are grown.
pub(super) struct RigL;

impl Growth for RigL {
    fn candidates(&self) -> Candidates {
        Candidates::All
    }
}

/// Guided stochastic exploration (Heddes et al., arXiv 2401.06898).
pub(super) struct Gse(pub Distribution);

impl Growth for Gse {
    fn candidates(&self) -> Candidates {
        Candidates::Sampled(self.0)
    }
}
