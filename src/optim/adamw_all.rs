//! AdamW for all groups of trained numbers in one dispatch.

use super::adamw_step::{AdamWStepParams, AdamWStepTwin};
use crate::engine::StepState;

crate::kernel! {
    /// [`AdamWStep`](super::AdamWStep) for the connections, the biases and the dense parameters, with the same bits.
    ///
    /// Grid: [`Items`](crate::engine::Grid::Items) = the vectors of all three.
    pub AdamWAll, AdamWAllParams, AdamWAllTwin = "optim/adamw_all", shader!("optim/adamw_all");
    params {
        /// A quarter of the number of connections, rounded up.
        connections: u32,
        /// The same of the biases.
        biases: u32,
        /// The same of the dense parameters.
        dense: u32,
        /// From here on as in the kernel for one group.
        beta1: f32,
        beta2: f32,
        rest1: f32,
        rest2: f32,
        log_beta1: f32,
        log_beta2: f32,
        epsilon: f32,
        weight_decay: f32,
        by_age: u32,
    }
    no loops;
    uniform step: StepState,
    read gradient: f32,
    write weights: f32,
    write first: f32,
    write second: f32,
    write age: u32,
    read bias_gradient: f32,
    write bias: f32,
    write bias_first: f32,
    write bias_second: f32,
    write bias_age: u32,
    read dense_gradient: f32,
    write dense: f32,
    write dense_first: f32,
    write dense_second: f32,
    write dense_age: u32,
}

impl AdamWAllParams {
    /// For groups of these numbers of vectors, with the rest of `one`.
    pub(super) fn new([connections, biases, dense]: [u32; 3], one: AdamWStepParams) -> Self {
        AdamWAllParams {
            connections,
            biases,
            dense,
            beta1: one.beta1,
            beta2: one.beta2,
            rest1: one.rest1,
            rest2: one.rest2,
            log_beta1: one.log_beta1,
            log_beta2: one.log_beta2,
            epsilon: one.epsilon,
            weight_decay: one.weight_decay,
            by_age: one.by_age,
        }
    }

    /// The parameters for a group by itself.
    fn one(&self, vectors: u32) -> AdamWStepParams {
        AdamWStepParams {
            vectors,
            beta1: self.beta1,
            beta2: self.beta2,
            rest1: self.rest1,
            rest2: self.rest2,
            log_beta1: self.log_beta1,
            log_beta2: self.log_beta2,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
            by_age: self.by_age,
        }
    }
}

impl AdamWAllTwin<'_> {
    fn run(self) {
        let (p, step) = (self.params, self.step);
        AdamWStepTwin {
            params: p.one(p.connections),
            step,
            gradient: self.gradient,
            weights: self.weights,
            first: self.first,
            second: self.second,
            age: self.age,
        }
        .run();
        AdamWStepTwin {
            params: p.one(p.biases),
            step,
            gradient: self.bias_gradient,
            weights: self.bias,
            first: self.bias_first,
            second: self.bias_second,
            age: self.bias_age,
        }
        .run();
        AdamWStepTwin {
            params: p.one(p.dense),
            step,
            gradient: self.dense_gradient,
            weights: self.dense,
            first: self.dense_first,
            second: self.dense_second,
            age: self.dense_age,
        }
        .run();
    }
}
