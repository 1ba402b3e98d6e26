//! SGD's step for one group of trained numbers.

use rayon::prelude::*;

use crate::engine::StepState;
use crate::threads::DealOut;

crate::kernel! {
    /// `g = gradient + decay * w; v = momentum * v + g; w -= lr * v`, or with Nesterov `w -= lr * (g + momentum * v)`.
    ///
    /// One dispatch over all layers' connections. Grid: [`Items`](crate::engine::Grid::Items) = vectors.
    pub SgdStep, SgdStepParams, SgdStepTwin = "optim/sgd", shader!("optim/sgd");
    params {
        /// A quarter of the number of weights, rounded up.
        vectors: u32,
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
}

/// Weights that a thread takes at a time.
const CHUNK: usize = 16 * 1024;

impl SgdStepTwin<'_> {
    pub(super) fn run(self) {
        let SgdStepParams {
            momentum,
            weight_decay,
            nesterov,
            ..
        } = self.params;
        let rate = self.step.learning_rate;
        let length = self.params.vectors as usize * 4;
        let arch = pulp::Arch::new();
        self.weights[..length]
            .par_chunks_mut(CHUNK)
            .zip(self.velocity[..length].par_chunks_mut(CHUNK))
            .zip(self.gradient[..length].par_chunks(CHUNK))
            .deal_out(|((weights, velocity), gradient)| {
                arch.dispatch(|| {
                    for ((w, v), g) in weights.iter_mut().zip(velocity).zip(gradient) {
                        let g = g + weight_decay * *w;
                        *v = momentum * *v + g;
                        let direction = if nesterov != 0 { g + momentum * *v } else { *v };
                        *w -= rate * direction;
                    }
                });
            });
    }
}
