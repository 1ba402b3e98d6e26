//! A growth rule of your own, as a kernel pair: `cargo run --release --example custom_method`.
//!
//! The rule divides a candidate's gradient by the square root of its output unit's number of connections, so that
//! poorly connected units grow first. Candidates, selection and merge are the engine's.

use std::sync::Arc;

use rootlet::Result;
use rootlet::data::{self, DataOptions};
use rootlet::engine::{Device, DeviceOptions, Grid, Plan};
use rootlet::topology::{Candidates, Distribution, Growth, Method, ScoreInputs};
use rootlet::train::{Event, Hooks, Setup, TrainConfig, Trainer};

const FAVOUR_THE_POOR: &str = "
struct Params { capacity: u32, rows: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> candidate_rows: array<u32>;
@group(0) @binding(2) var<storage, read> row_offsets: array<u32>;
@group(0) @binding(3) var<storage, read_write> scores: array<f32>;
#import grid

@compute @workgroup_size(64)
fn favour_the_poor(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) lane: u32,
) {
    let i = flat_group(group, groups) * 64u + lane;
    if i >= params.capacity || candidate_rows[i] >= params.rows { return; }
    let row = candidate_rows[i];
    let fan_in = max(row_offsets[row + 1u] - row_offsets[row], 1u);
    scores[i] /= sqrt(f32(fan_in));
}
";

// The host half. Its fields are checked against the shader when a device first uses it.
rootlet::kernel! {
    /// `scores[i] /= sqrt(fan-in of candidate i's output unit)`.
    FavourThePoor, FavourThePoorParams, FavourThePoorTwin = "example/favour_the_poor", FAVOUR_THE_POOR;
    params { capacity: u32, rows: u32 }
    no loops;
    read candidate_rows: u32,
    read row_offsets: u32,
    write scores: f32,
}

// The CPU twin: the same in plain Rust, for machines without a GPU and as the test of the shader.
impl FavourThePoorTwin<'_> {
    fn run(self) {
        for (score, &row) in self.scores.iter_mut().zip(self.candidate_rows) {
            if row < self.params.rows {
                let fan_in = self.row_offsets[row as usize + 1] - self.row_offsets[row as usize];
                *score /= (fan_in.max(1) as f32).sqrt();
            }
        }
    }
}

struct PoorFirst;

impl Method for PoorFirst {
    fn name(&self) -> &str {
        "poor-first"
    }

    fn growth(&self) -> Arc<dyn Growth> {
        Arc::new(PoorFirst)
    }
}

impl Growth for PoorFirst {
    fn candidates(&self) -> Candidates {
        Candidates::Sampled(Distribution::Uniform)
    }

    fn score(&self, inputs: &ScoreInputs<'_>, plan: &mut Plan) -> Result<()> {
        inputs.gradient(plan)?;
        plan.dispatch(
            FavourThePoor {
                params: FavourThePoorParams {
                    capacity: inputs.capacity as u32,
                    rows: inputs.arena.n_rows() as u32,
                },
                candidate_rows: inputs.candidate_rows.clone(),
                row_offsets: inputs.arena.row_offsets().all(),
                scores: inputs.scores.clone(),
            },
            Grid::Items(inputs.capacity),
        )
    }
}

fn main() -> Result<()> {
    let mut config = TrainConfig::default();
    config.model.sparsity = 0.97;
    config.run.epochs = 10;
    let device = Device::open("auto", &DeviceOptions::default())?;
    let digits = data::load(&DataOptions::default())?;
    let setup = Setup {
        method: Box::new(PoorFirst),
        ..Setup::new(&config, &digits)?
    };
    let mut trainer = Trainer::with_setup(device, config, digits, setup)?;
    // In the first step and the first round, this also runs the new kernel on its twin, and compares.
    trainer.check("example/")?;
    let mut show = |event: &Event| {
        match event {
            Event::Note(note) => println!("{note}"),
            Event::Round(r) => {
                let grown: u64 = r.layers.iter().map(|l| l.grown).sum();
                println!("step {}: {grown} connections exchanged", r.step);
            }
            _ => {}
        }
        Ok(())
    };
    let end = trainer.run(&mut Hooks::observing(&mut show))?;
    println!("test accuracy {:.1} %", end.test_accuracy * 100.0);
    Ok(())
}
