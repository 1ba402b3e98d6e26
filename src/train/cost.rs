//! Training FLOPs as Evci et al. 2020 ("Rigging the Lottery: Making All Tickets Winners", section 4 and appendix H) count
//! them: a layer's products, two operations a connection and position; the forward pass costs f, the backward pass 2 f: once for
//! the gradients at the inputs, once for those of the weights. What a method computes besides is added.
//!
//! All figures are per image of a batch, so they do not depend on its size. Not counted are what is no product of a layer or
//! of attention (norms, activations, sorting, the sums behind f and g: all O(n B) or O(N)), and what an implementation computes a second time,
//! such as the pass that GSE's weighted distributions repeat.

use crate::error::{Error, Result};
use crate::model::{LayerCount, ModelCount};
use crate::topology::Judged;

/// What the training by a method computes.
///
/// The default is a sparse model from the first step to the last that never changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingCost {
    /// Share of the steps that are dense in place of sparse; of steps whose density falls, the mean of what they have more
    /// than the final one, as a share of what a dense one has more.
    pub dense_share: f64,
    /// Dense forward and backward passes over the batch before the first step.
    pub passes_before: f64,
    /// Dense trainings of full length before this one.
    pub trainings_before: f64,
    /// Connections that the backward pass has for each of the forward pass.
    pub backward: f64,
    /// Pairs whose gradient a round computes.
    pub judged: Judged,
    /// Candidates drawn per active connection.
    pub gamma: f64,
    /// Rounds per step: 1 / T, times the share of the training until `T_end`.
    pub rounds: f64,
}

impl Default for TrainingCost {
    fn default() -> Self {
        TrainingCost {
            dense_share: 0.0,
            passes_before: 0.0,
            trainings_before: 0.0,
            backward: 1.0,
            judged: Judged::Nothing,
            gamma: 1.0,
            rounds: 0.0,
        }
    }
}

/// The methods that [`TrainingCost::named`] knows.
pub const COUNTED: [&str; 11] = [
    "static", "set", "gse", "rigl", "snip", "grasp", "synflow", "gradual", "lottery", "topkast",
    "dense",
];

impl TrainingCost {
    /// A method's, as its paper runs it:
    ///
    /// - gse, rigl: gradients of gamma candidates a connection, or of all pairs, in every round;
    /// - snip: one dense pass before the first step; grasp: two, for the gradient and the Hessian's product with it;
    ///   synflow: 100, one an iteration;
    /// - gradual: dense for the first 3/10 of the steps, then falling by a cube until 8/10 (Zhu and Gupta 2017);
    /// - lottery: a dense training, one pruning, and the sparse training from the rewound weights;
    /// - topkast: a backward pass of twice the connections.
    ///
    /// # Errors
    /// An unknown name: the message lists the known ones.
    pub fn named(name: &str, gamma: f64, rounds: f64) -> Result<Self> {
        let sparse = TrainingCost {
            gamma,
            ..TrainingCost::default()
        };
        let judging = |judged| TrainingCost {
            judged,
            rounds,
            ..sparse
        };
        let before = |passes_before| TrainingCost {
            passes_before,
            ..sparse
        };
        Ok(match name {
            "static" | "set" => sparse,
            "gse" => judging(Judged::Sampled),
            "rigl" => judging(Judged::All),
            "snip" => before(1.0),
            "grasp" => before(2.0),
            "synflow" => before(100.0),
            "gradual" => TrainingCost {
                // The mean of (1 - x)^3 over the falling half is a quarter.
                dense_share: 0.3 + (0.8 - 0.3) / 4.0,
                ..sparse
            },
            "lottery" => TrainingCost {
                trainings_before: 1.0,
                ..sparse
            },
            "topkast" => TrainingCost {
                backward: 2.0,
                ..sparse
            },
            "dense" => TrainingCost {
                dense_share: 1.0,
                ..sparse
            },
            _ => {
                return Err(Error::Usage(format!(
                    "no count of training FLOPs for the method `{name}`; known: {}",
                    COUNTED.join(", ")
                )));
            }
        })
    }

    /// Mean FLOPs of a step in one layer, rounds and earlier trainings included.
    pub fn layer(&self, layer: &LayerCount) -> f64 {
        let pair = 2.0 * layer.positions as f64;
        let (active, total) = (layer.active as f64, dense_pairs(layer));
        let backward = (self.backward * active).min(total);
        let step = active + 2.0 * backward;
        let dense = 3.0 * total;
        let steps =
            (1.0 - self.dense_share) * step + (self.dense_share + self.trainings_before) * dense;
        let round = self.judged.pairs(active, total, self.gamma);
        pair * (steps + self.rounds * round)
    }

    /// Mean FLOPs of a step of the whole model.
    pub fn average(&self, model: &ModelCount) -> f64 {
        let layers: f64 = model.layers.iter().map(|l| self.layer(l)).sum();
        layers + (1.0 + self.trainings_before) * 3.0 * model.attention_flops
    }

    /// FLOPs before the first step, an image of each pass's batch.
    pub fn before(&self, model: &ModelCount) -> f64 {
        self.passes_before * dense_step(model)
    }
}

/// FLOPs of a step of the dense model.
pub fn dense_step(model: &ModelCount) -> f64 {
    let layers = model.layers.iter();
    let pairs = layers.map(|l| 2.0 * l.positions as f64 * dense_pairs(l));
    3.0 * (pairs.sum::<f64>() + model.attention_flops)
}

fn dense_pairs(layer: &LayerCount) -> f64 {
    layer.n_in as f64 * layer.n_out as f64
}
