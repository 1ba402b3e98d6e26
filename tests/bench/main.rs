//! The benchmark: its JSON is complete, its figures are consistent, its kernels agree with their twins, what does not
//! fit is skipped, matrices are read and devices compared, and mistakes are errors.
#![allow(clippy::unwrap_used)]

mod command;
#[path = "../common/mod.rs"]
mod common;
mod compare;
mod figures;
mod kernels;
mod matrix;
mod share;
mod skips;

use std::time::Duration;

use assert_cmd::Command;
use common::adapters;
use rootlet::bench::BenchOptions;
use rootlet::engine::Precision;
use rootlet::engine::tune::Tune;

/// What to pass as `--adapter`: the CPU executor, and every adapter.
fn choices() -> Vec<String> {
    let indices = adapters().into_iter().map(|a| a.index.to_string());
    std::iter::once("cpu".to_owned()).chain(indices).collect()
}

/// Small sizes, every part.
fn tiny(adapter: &str) -> BenchOptions {
    BenchOptions {
        adapter: adapter.to_owned(),
        threads: 2,
        tune: Tune::Auto,
        working_sets: vec![256 << 10],
        sizes: vec![40, 100],
        sparsities: vec![0.0, 0.9],
        matrices: Vec::new(),
        hidden: vec![40, 100],
        step_sparsity: 0.9,
        scaling_sizes: vec![32, 64],
        batch: 6,
        models: vec!["resnet20".to_owned()],
        activations: Precision::F32,
        checkpoint_activations: false,
        budget: Duration::from_millis(2),
        limit: Duration::from_secs(600),
        // On machines that run tests, all measurements of 2 ms are doubtful.
        keep_doubtful: true,
        // The crossover's layers have real sizes, so it has a test of its own.
        parts: BenchOptions::default().parts,
    }
}

/// `rootlet bench` with these arguments.
fn rootlet(arguments: &[&str]) -> assert_cmd::assert::Assert {
    Command::new(env!("CARGO_BIN_EXE_rootlet"))
        .env_remove("ROOTLET_ADAPTER")
        .arg("bench")
        .args((!["compare", "gallery"].contains(&arguments[0])).then_some("--keep-doubtful"))
        .args(arguments)
        .assert()
}
