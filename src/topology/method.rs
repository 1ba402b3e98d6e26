//! Methods: where candidates come from and how they are judged. Everything else of a round is the same for all.

use super::random_score::{RandomScore, RandomScoreParams};
use crate::engine::{Grid, Plan, View};
use crate::error::{Error, Result};
use crate::sparse::{Arena, LayerSpan, Sddmm, SddmmParams};

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
    /// All inactive pairs. O(n_in * n_out) memory: for small layers and for tests.
    All,
}

/// A growth rule: the object-safe face that the round sees.
///
/// The paper's rule is the default of [`Method::score`]; a rule of one's own overrides it with dispatches of its own kernels
/// (see [`kernel!`](crate::kernel!)).
pub trait Method: Send + Sync {
    /// Its name, as users write it.
    fn name(&self) -> &str;

    /// Where its candidates come from.
    fn candidates(&self) -> Candidates;

    /// Records the kernels that write a score for every candidate into `inputs.scores`. The candidates of the
    /// largest |score| are grown, ties by the lower index.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    fn score(&self, inputs: &ScoreInputs<'_>, plan: &mut Plan) -> Result<()> {
        inputs.gradient(plan)
    }
}

/// What a method may judge candidates by. Views are whole buffers, shared by all layers unless said otherwise.
pub struct ScoreInputs<'a> {
    /// The layers among the arena's rows and columns.
    pub spans: &'a [LayerSpan],
    /// The active connections.
    pub arena: &'a Arena,
    /// Lanes of an activation row: the batch, rounded up to whole vectors of four.
    pub stride: usize,
    /// Seed, step and batch size: a [`StepState`](crate::engine::StepState).
    pub step: View,
    /// By layer: `[n_in][stride]`, the layer's input h.
    pub activations: &'a [View],
    /// By layer: `[n_out][stride]`, the loss's gradient at the layer's output; padding lanes zero.
    pub deltas: &'a [View],
    /// `[capacity]` u32: the candidates' rows, rising; behind the last candidate, the number of rows.
    pub candidate_rows: View,
    /// `[capacity]` u32: the candidates' columns, rising within a row.
    pub candidate_cols: View,
    /// `[R + 1]` u32: row r's candidates are `candidate_offsets[r]..candidate_offsets[r + 1]`.
    pub candidate_offsets: View,
    /// `[capacity]` f32: to be filled.
    pub scores: View,
    /// Most candidates there can be.
    pub capacity: usize,
}

impl ScoreInputs<'_> {
    /// The paper's judgement: the gradient `g(a, b) = sum over the batch of h[a, i] * delta[b, i]` of every candidate, by
    /// the kernel that also computes the weights' gradient. One dispatch a layer.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn gradient(&self, plan: &mut Plan) -> Result<()> {
        for (l, span) in self.spans.iter().enumerate() {
            let params = SddmmParams::new(span, self.stride, false);
            plan.dispatch(
                Sddmm {
                    params,
                    row_offsets: self.candidate_offsets.clone(),
                    cols: self.candidate_cols.clone(),
                    input: self.activations[l].clone(),
                    delta: self.deltas[l].clone(),
                    output: self.scores.clone(),
                },
                params.grid(),
            )?;
        }
        Ok(())
    }
}

/// Names of the built-in methods.
pub const METHODS: [&str; 5] = ["static", "set", "gse-uniform", "gse-grabo", "gse-graest"];

/// A built-in method by name.
///
/// # Errors
/// An unknown name: the message lists the known ones.
pub fn method(name: &str) -> Result<Box<dyn Method>> {
    Ok(match name {
        "static" => Box::new(Static),
        "set" => Box::new(Set),
        "gse-uniform" => Box::new(Gse(Distribution::Uniform)),
        "gse-grabo" => Box::new(Gse(Distribution::GraBo)),
        "gse-graest" => Box::new(Gse(Distribution::GraEst)),
        _ => {
            return Err(Error::Usage(format!(
                "unknown method `{name}`; known: {}",
                METHODS.join(", ")
            )));
        }
    })
}

/// The topology never changes.
struct Static;

impl Method for Static {
    fn name(&self) -> &str {
        "static"
    }

    fn candidates(&self) -> Candidates {
        Candidates::None
    }
}

/// SET (Mocanu et al. 2018): growth uniformly at random.
struct Set;

impl Method for Set {
    fn name(&self) -> &str {
        "set"
    }

    fn candidates(&self) -> Candidates {
        Candidates::Sampled(Distribution::Uniform)
    }

    fn score(&self, inputs: &ScoreInputs<'_>, plan: &mut Plan) -> Result<()> {
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

/// Guided stochastic exploration (Heddes et al., arXiv 2401.06898).
struct Gse(Distribution);

impl Method for Gse {
    fn name(&self) -> &str {
        match self.0 {
            Distribution::Uniform => "gse-uniform",
            Distribution::GraBo => "gse-grabo",
            Distribution::GraEst => "gse-graest",
        }
    }

    fn candidates(&self) -> Candidates {
        Candidates::Sampled(self.0)
    }
}
