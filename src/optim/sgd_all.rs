//! SGD for all groups of trained numbers in one dispatch.

use super::sgd_step::{SgdStepParams, SgdStepTwin};
use crate::engine::StepState;

crate::kernel! {
    /// [`SgdStep`](super::SgdStep) for the connections, the biases and the dense parameters, with the same bits.
    ///
    /// Grid: [`Items`](crate::engine::Grid::Items) = the vectors of all three.
    pub SgdAll, SgdAllParams, SgdAllTwin = "optim/sgd_all", shader!("optim/sgd_all");
    params {
        /// A quarter of the number of connections, rounded up.
        connections: u32,
        /// The same of the biases.
        biases: u32,
        /// The same of the dense parameters.
        dense: u32,
        /// Share of the velocity that is kept.
        momentum: f32,
        /// L2 penalty, added to the gradient.
        weight_decay: f32,
        /// 1: Nesterov's form.
        nesterov: u32,
    }
    no loops;
    uniform step: StepState,
    read gradient: f32,
    write weights: f32,
    write velocity: f32,
    read bias_gradient: f32,
    write bias: f32,
    write bias_velocity: f32,
    read dense_gradient: f32,
    write dense: f32,
    write dense_velocity: f32,
}

impl SgdAllTwin<'_> {
    fn run(self) {
        let p = self.params;
        let groups = [
            (p.connections, self.gradient, self.weights, self.velocity),
            (p.biases, self.bias_gradient, self.bias, self.bias_velocity),
            (
                p.dense,
                self.dense_gradient,
                self.dense,
                self.dense_velocity,
            ),
        ];
        for (vectors, gradient, weights, velocity) in groups {
            SgdStepTwin {
                params: SgdStepParams {
                    vectors,
                    momentum: p.momentum,
                    weight_decay: p.weight_decay,
                    nesterov: p.nesterov,
                },
                step: self.step,
                gradient,
                weights,
                velocity,
            }
            .run();
        }
    }
}
