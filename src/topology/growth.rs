//! Growth rules: where candidates come from and how they are scored. The rest of a round is the same for all.

use super::random_score::{RandomScore, RandomScoreParams};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;
use crate::sparse::{Arena, LayerSpan, PairGradients, Window};

/// How a method draws the unit pairs that it considers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distribution {
    /// All units with the same probability.
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
    /// `ceil(gamma * |A|)` pairs per layer, drawn from a distribution.
    Sampled(Distribution),
    /// All inactive pairs, in tiles with a running list of the best: O(n_in * n_out) time, O(N) memory. They are scored
    /// within the backward pass, so [`Growth::scores_by_step`] must be true. Scores cannot be summed over the parts of
    /// a batch that does not fit the device at once, so only the first part scores.
    All,
}

/// The pairs whose gradient a round computes, for counting its floating-point operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scored {
    /// None: growth needs no gradients.
    Nothing,
    /// `gamma` pairs for every active connection.
    Sampled,
    /// All pairs, as for a dense gradient.
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

/// A growth rule: the part of a round that a method decides.
///
/// The paper's rule is the default of [`Growth::score`]; your own rule overrides it with dispatches of its own kernels
/// (see [`kernel!`](crate::kernel!)).
pub trait Growth: Send + Sync {
    /// Where its candidates come from.
    fn candidates(&self) -> Candidates;

    /// Whether [`Growth::score`] is called, that is, whether the step's activations and gradients matter.
    fn scores_by_step(&self) -> bool {
        true
    }

    /// The pairs whose gradient a round computes, only for counting floating-point operations.
    fn scored(&self) -> Scored {
        match self.candidates() {
            Candidates::Sampled(_) if self.scores_by_step() => Scored::Sampled,
            Candidates::All if self.scores_by_step() => Scored::All,
            _ => Scored::Nothing,
        }
    }

    /// Records the kernels that write, or complete, the scores of one layer's candidates. It is called for every layer
    /// of the step that scores them, in the order of the backward pass, and again for each further part of a batch that
    /// does not fit the device at once. `inputs.scores` may hold only sums over the batch: whatever comes after the sum
    /// belongs into [`Growth::finish`].
    ///
    /// With [`Candidates::All`], it is called once for each tile of the layer's pairs, and only for the first part of a
    /// batch; what it writes into `inputs.scores` decides at once which pairs remain.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    fn score(&self, inputs: &ScoreInputs<'_>, plan: &mut Plan) -> Result<()> {
        inputs.gradient(plan)
    }

    /// Records what is left to do after all layers and all parts of the batch. The candidates with the largest
    /// |score| are grown, ties going to the lower index. With [`Candidates::All`], no more remain than are requested.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    fn finish(&self, _inputs: &FinishInputs<'_>, _plan: &mut Plan) -> Result<()> {
        Ok(())
    }

    /// Whether [`Growth::rescore`] is called.
    fn rescores_on_host(&self) -> bool {
        false
    }

    /// Changes the scores of a layer's candidates on the host, after [`Growth::finish`] has run: for a rule that is
    /// easier to write there than as a kernel. In each round it is called for every layer that has candidates, from
    /// first to last. The candidates are read back and their scores written again, which takes O(N) time.
    ///
    /// # Errors
    /// Any error ends the training step.
    fn rescore(&self, _layer: &mut CandidateScores<'_>) -> Result<()> {
        Ok(())
    }
}

/// One layer's candidates on the host.
#[derive(Debug)]
pub struct CandidateScores<'a> {
    /// The layer's index.
    pub layer: usize,
    /// `[candidate]`: its output unit in the layer, rising.
    pub rows: &'a [u32],
    /// `[candidate]`: its input unit in the layer, rising within an output unit.
    pub cols: &'a [u32],
    /// `[candidate]`: its score, by default the gradient that it would have. Those with the largest |score| are grown.
    pub scores: &'a mut [f32],
}

/// All candidates at once, after their sums are complete.
pub struct FinishInputs<'a> {
    /// The active connections.
    pub arena: &'a Arena,
    /// Seed, step and batch size: a [`StepState`](crate::engine::StepState).
    pub step: View,
    /// `[capacity]` u32: the candidates' rows, rising; after the last candidate, the number of rows.
    pub candidate_rows: View,
    /// As in [`ScoreInputs`].
    pub candidate_cols: View,
    /// As in [`ScoreInputs`].
    pub candidate_offsets: View,
    /// `[capacity]` f32: the values to rank by.
    pub scores: View,
    /// Largest possible number of candidates.
    pub capacity: usize,
}

/// One layer of a training step, and the candidates that it scores. Views are whole buffers; the candidates' are shared
/// by all layers.
pub struct ScoreInputs<'a> {
    /// The layer's index.
    pub layer: usize,
    /// Its range among the arena's rows and columns.
    pub span: LayerSpan,
    /// How its output positions read its input positions.
    pub window: Window,
    /// The active connections.
    pub arena: &'a Arena,
    /// Lanes of a position: the batch size, rounded up to whole vectors of four.
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
    /// `[capacity]` f32: to be filled for the candidates in this layer's rows. The rest belongs to other layers.
    pub scores: View,
    /// Length of these arrays.
    pub capacity: usize,
    /// Whether this is a further part of the batch, whose gradients are added to those of the earlier parts.
    pub accumulate: bool,
}

impl ScoreInputs<'_> {
    /// The paper's score: the gradient `g(a, b) = sum over positions and batch of h[a] * delta[b]` of each of the
    /// layer's candidates, by the kernel that also computes the weights' gradients. One dispatch.
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

/// No growth: the topology stays as it is, or is changed by something other than rounds.
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

/// RigL (Evci et al. 2020, "Rigging the Lottery: Making All Tickets Winners"): of all inactive pairs, those with the
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
