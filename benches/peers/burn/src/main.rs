//! Times burn on the same work as rootlet, on the same adapter through wgpu: the dense products of an n × n layer, and
//! training steps of 3072-h-h-10, dense and masked. Every result is checked first. Writes the JSON of `peers.py`.

mod products;
mod steps;
mod timing;

use std::error::Error;
use std::path::PathBuf;

use burn::tensor::Device;
use clap::Parser;
use serde_json::json;

#[derive(Parser)]
#[command(about = "Times burn's dense products and training steps on wgpu")]
pub struct Options {
    /// Units of the products' layers
    #[arg(long, value_delimiter = ',')]
    n: Vec<usize>,
    /// Width of the steps' hidden layers
    #[arg(long, value_delimiter = ',')]
    hidden: Vec<usize>,
    /// Share of the masked weights that is zero
    #[arg(long, value_delimiter = ',', default_value = "0.98")]
    sparsity: Vec<f64>,
    #[arg(long, default_value_t = 128)]
    batch: usize,
    /// Timed calls at most
    #[arg(long, default_value_t = 30)]
    repeats: usize,
    /// Seconds per variant, after which fewer repeats suffice
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// Some of dense, masked; all by default
    #[arg(long, value_delimiter = ',', default_value = "dense,masked")]
    variants: Vec<String>,
    /// Where the results go
    #[arg(long)]
    json: PathBuf,
}

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let options = Options::parse();
    let device = Device::wgpu(Default::default());
    let mut kernels = Vec::new();
    for &n in &options.n {
        kernels.extend(products::run(&device, n, &options)?);
    }
    let mut steps = Vec::new();
    for &hidden in &options.hidden {
        for &sparsity in &options.sparsity {
            steps.extend(steps::run(&device, hidden, sparsity, &options)?);
        }
    }
    let results = json!({
        "schema": 2,
        "code": {"name": "burn", "version": "0.22.1", "sources": ""},
        "adapter": {
            "name": "wgpu's default device", "backend": "wgpu", "device_type": "", "driver": format!("{device:?}")
        },
        "kernels": kernels,
        "steps": steps,
    });
    std::fs::write(&options.json, serde_json::to_string_pretty(&results)?)?;
    Ok(())
}

/// Numbers in [-1, 1) from a hash (SplitMix64) of seed and index.
pub fn noise(seed: u64, length: usize) -> Vec<f32> {
    (0..length as u64)
        .map(|i| {
            let mut z = (seed << 40 | i)
                .wrapping_add(1)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((z ^ (z >> 31)) >> 40) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}
