//! Training FLOPs, counted like Evci et al. 2020 ("Rigging the Lottery: Making All Tickets Winners", section 4 and
//! appendix H): a layer's products take two operations per connection and position. The forward pass costs f and the
//! backward pass 2 f, once for the gradients at the inputs and once for those of the weights. Whatever a method
//! computes in addition is added.
//!
//! All figures are per image of a batch, so they do not depend on its size. Two things are not counted: anything that
//! is not a product of a layer or of attention (norms, activations, sorting, the sums behind f and g: all O(n B) or
//! O(N)), and anything that an implementation computes a second time, such as the pass that GSE's weighted
//! distributions repeat.

use crate::error::{Error, Result};
use crate::model::{LayerCount, ModelCount};
use crate::topology::{Cost, Method, MethodName, Scored, methods};

/// What a method's training computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TrainingCost {
    /// Its work besides steps and rounds.
    pub method: Cost,
    /// Pairs whose gradient a round computes.
    pub scored: Scored,
    /// Candidates drawn per active connection.
    pub gamma: f64,
    /// Rounds per step: 1 / T, times the share of the training until `T_end`.
    pub rounds: f64,
}

/// The names that [`TrainingCost::named`] knows. Methods that differ only in how they draw are counted alike, under the
/// word that their names begin with: `gse`.
pub fn counted() -> Vec<String> {
    let mut names: Vec<String> = MethodName::NAMES.iter().map(|name| family(name)).collect();
    names.dedup();
    names
}

fn family(name: &str) -> String {
    name.split('-').next().unwrap_or(name).to_owned()
}

impl TrainingCost {
    /// The cost of a method.
    pub fn of(method: &dyn Method, gamma: f64, rounds: f64) -> Self {
        TrainingCost {
            method: method.cost(),
            scored: method.growth().scored(),
            gamma,
            rounds,
        }
    }

    /// The cost of a built-in method, by one of the [counted] names.
    ///
    /// # Errors
    /// The name is unknown: the message lists the known ones.
    pub fn named(name: &str, gamma: f64, rounds: f64) -> Result<Self> {
        let all = methods();
        let found = all.iter().find(|method| family(method.name()) == name);
        let method = found.ok_or_else(|| Error::Unknown {
            what: "method with a count of training FLOPs",
            name: name.to_owned(),
            known: counted().join(", "),
        })?;
        Ok(Self::of(method.as_ref(), gamma, rounds))
    }

    /// Mean FLOPs of a step in one layer, including rounds and earlier trainings.
    pub fn layer(&self, layer: &LayerCount) -> f64 {
        let pair = 2.0 * layer.positions as f64;
        let (active, total) = (layer.active as f64, dense_pairs(layer));
        let backward = (self.method.backward * active).min(total);
        let step = active + 2.0 * backward;
        let dense = 3.0 * total;
        let steps = (1.0 - self.method.dense_share) * step
            + (self.method.dense_share + self.method.trainings_before) * dense;
        let round = self.scored.pairs(active, total, self.gamma);
        pair * (steps + self.rounds * round)
    }

    /// Mean FLOPs of a step of the whole model.
    pub fn average(&self, model: &ModelCount) -> f64 {
        let layers: f64 = model.layers.iter().map(|l| self.layer(l)).sum();
        layers + (1.0 + self.method.trainings_before) * 3.0 * model.attention_flops
    }

    /// FLOPs before the first step, per image of each pass's batch.
    pub fn before(&self, model: &ModelCount) -> f64 {
        self.method.passes_before * dense_step(model)
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
