//! The kernels without the training: one SpMM on random sparse rows, checked against dense arithmetic.
//!
//! `cargo run --release --example raw_kernels -- [ADAPTER]`

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use rootlet::Result;
use rootlet::engine::{Class, Device, DeviceOptions, Plan};
use rootlet::sparse::{Spmm, SpmmParams};

const N_IN: usize = 300;
const N_OUT: usize = 200;
const BATCH: usize = 64; // a multiple of 4: the kernels read four lanes at a time

fn main() -> Result<()> {
    let adapter = std::env::args().nth(1).unwrap_or("auto".into());
    let device = Device::open(&adapter, &DeviceOptions::default())?;
    println!("on {}", device.description());

    // A random matrix in compressed sparse rows, about 5 of 100 entries, and random inputs [unit][batch].
    let mut rng = SmallRng::seed_from_u64(1);
    let (mut offsets, mut cols, mut weights) = (vec![0u32], vec![], vec![]);
    for _ in 0..N_OUT {
        for col in 0..N_IN as u32 {
            if rng.random_bool(0.05) {
                cols.push(col);
                weights.push(rng.random_range(-1.0..1.0f32));
            }
        }
        offsets.push(cols.len() as u32);
    }
    let input: Vec<f32> = (0..N_IN * BATCH)
        .map(|_| rng.random_range(-1.0..1.0))
        .collect();

    // Buffers carry a label and a class for the byte ledger.
    let output = device.buffer("output", Class::Activations, N_OUT * BATCH)?;
    let mut plan = Plan::new("one product");
    let params = SpmmParams {
        rows: N_OUT as u32,
        vectors: BATCH as u32 / 4,
        first_row: 0,
        first_col: 0,
        relu: 0,
        cols: N_IN as u32,
    };
    plan.dispatch(
        Spmm {
            params,
            row_offsets: (&device.buffer_with("offsets", Class::Connections, &offsets)?).into(),
            cols: (&device.buffer_with("cols", Class::Connections, &cols)?).into(),
            weights: (&device.buffer_with("weights", Class::Connections, &weights)?).into(),
            bias: (&device.buffer_with("bias", Class::Connections, &[0f32; N_OUT])?).into(),
            input: (&device.buffer_with("input", Class::Activations, &input)?).into(),
            output: output.all(),
        },
        params.grid(),
    )?;
    // Recorded once, prepared once, and run as often as you like.
    let program = device.prepare(&plan)?;
    device.run(&program)?;
    let found: Vec<f32> = device.download(&output.range(0..N_OUT * BATCH))?;

    let mut worst = 0f64;
    for row in 0..N_OUT {
        for lane in 0..BATCH {
            let exact: f64 = (offsets[row] as usize..offsets[row + 1] as usize)
                .map(|j| f64::from(weights[j]) * f64::from(input[cols[j] as usize * BATCH + lane]))
                .sum();
            worst = worst.max((exact - f64::from(found[row * BATCH + lane])).abs());
        }
    }
    println!("{} weights, largest error {worst:.1e}", weights.len());
    assert!(worst < 1e-5, "the product is wrong");
    Ok(())
}
