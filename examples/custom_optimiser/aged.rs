//! Steps by the first moment over the root of the second, with small steps for young numbers: a connection that a round
//! has grown moves little until it has seen some gradients. An optimiser from outside the crate: one kernel, a shader
//! with its twin on the CPU, and the trait.

use rootlet::engine::{Grid, Plan, StepState};
use rootlet::optim::{Optimiser, StateArray, Update};
use rootlet::{Result, kernel};

kernel! {
    /// `m = beta1 m + (1 - beta1) g`; `v = beta2 v + (1 - beta2) g²`; `age += 1`;
    /// `w -= lr min(age / grown_up, 1) m / (√v + 0.001)`.
    /// Grid: Items = vectors.
    pub Aged, AgedParams, AgedTwin = "custom/aged", include_str!("aged.wgsl");
    params { vectors: u32, beta1: f32, beta2: f32, grown_up: f32 }
    no loops;
    uniform step: StepState,
    read gradient: f32,
    write weights: f32,
    write first: f32,
    write second: f32,
    write age: u32,
}

impl AgedTwin<'_> {
    fn run(self) {
        let p = self.params;
        for i in 0..p.vectors as usize * 4 {
            let g = self.gradient[i];
            let m = p.beta1 * self.first[i] + (1.0 - p.beta1) * g;
            let v = p.beta2 * self.second[i] + (1.0 - p.beta2) * g * g;
            self.age[i] += 1;
            let part = (self.age[i] as f32 / p.grown_up).min(1.0);
            self.weights[i] -= self.step.learning_rate * part * m / (v.sqrt() + 1e-3);
            (self.first[i], self.second[i]) = (m, v);
        }
    }
}

/// The optimiser: its name in files, its arrays, and what it records.
#[derive(Debug)]
pub struct AgedMoments {
    /// Share of the first moment that is kept.
    pub beta1: f32,
    /// Share of the second moment that is kept.
    pub beta2: f32,
    /// Number of steps until a number takes full steps.
    pub grown_up: f32,
}

impl Optimiser for AgedMoments {
    fn name(&self) -> &'static str {
        "aged-moments"
    }

    fn state(&self) -> Vec<StateArray> {
        vec![
            StateArray::f32("first", 0.0),
            StateArray::f32("second", 1.0),
            StateArray::u32("age", 0),
        ]
    }

    fn step(&self, plan: &mut Plan, update: &Update<'_>) -> Result<()> {
        let vectors = update.count.div_ceil(4);
        let kernel = Aged {
            params: AgedParams {
                vectors: vectors as u32,
                beta1: self.beta1,
                beta2: self.beta2,
                grown_up: self.grown_up,
            },
            step: update.step.clone(),
            gradient: update.gradient.clone(),
            weights: update.weights.clone(),
            first: update.state("first")?,
            second: update.state("second")?,
            age: update.state("age")?,
        };
        plan.dispatch(kernel, Grid::Items(vectors))
    }
}
