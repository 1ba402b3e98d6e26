//! Parity: the network's numbers against PyTorch's (the fixtures beside this file), against finite differences in f64,
//! and the losses', the metrics' and the optimiser's kernels against plain f64 formulas. On `cpu` and on every adapter
//! of this machine.
#![allow(clippy::unwrap_used)]

mod adamw;
mod differences;
mod fixture;
mod graphs;
mod host;
mod input_gradients;
mod kernels;
mod layers;
mod losses;
mod metrics;
mod mixed;
mod model_steps;
mod models;
#[path = "../common/norms.rs"]
#[allow(dead_code)] // Each test program uses its part.
mod norms;
mod plain_layers;
mod small;
mod steps;
mod together;

use rootlet::engine::{Class, Device, DeviceOptions, Plan, StepState, View, adapter};
use rootlet::model::{Extent, mlp};
use rootlet::network::{Network, NetworkOptions, NetworkState};
use rootlet::sparse::{Arena, LayerState, PairGradients, Shape, Window};
use rootlet::topology::method;

/// `cpu` and every adapter of this machine. None is a failure: untested is not passed.
fn devices() -> Vec<Device> {
    let adapters = adapter::list();
    assert!(
        adapters.iter().any(|a| a.usable),
        "no wgpu adapter; `apt-get install mesa-vulkan-drivers libvulkan1` installs a software one"
    );
    let open = |choice: &str| Device::open(choice, &DeviceOptions::default()).unwrap();
    let mut devices = vec![open("cpu")];
    for adapter in adapters.iter().filter(|a| a.usable) {
        devices.push(open(&adapter.index.to_string()));
    }
    devices
}

/// A step on `count` samples that leaves the weights unchanged, so that gradients can be read beside them.
fn still(count: usize) -> StepState {
    StepState::whole(0, 0, count, 0.0)
}

/// Every number to `relative` of itself; of numbers near zero, to a tenth of that beside the largest: rounding in what
/// they are computed from (sums that cancel, a hundred steps of updates) is relative to that.
#[track_caller]
fn assert_close(what: &str, found: &[f32], expected: &[f32], relative: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let largest = expected.iter().fold(0f64, |m, e| m.max(f64::from(e.abs())));
    let mut worst = 0f64;
    for (i, (&f, &e)) in found.iter().zip(expected).enumerate() {
        let (f, e) = (f64::from(f), f64::from(e));
        let error = (f - e).abs();
        assert!(
            error <= relative * (e.abs() + largest / 10.0),
            "{what}[{i}]: {f} instead of {e}, the largest being {largest}"
        );
        worst = worst.max(error / largest.max(f64::MIN_POSITIVE));
    }
    // Shown by `--nocapture`: how much of the tolerance is used.
    println!("{what}: {worst:.1e} of the largest");
}

/// [`assert_close`] row by row, each by its own largest number.
#[track_caller]
fn assert_rows_close(what: &str, found: &[f32], expected: &[f32], row: usize, relative: f64) {
    assert_eq!(found.len(), expected.len(), "{what}: length");
    let rows = found.chunks(row).zip(expected.chunks(row)).enumerate();
    rows.for_each(|(r, (f, e))| assert_close(&format!("{what}, row {r}"), f, e, relative));
}

/// The gradients `[n_out][n_in]` of every pair of a layer, active or not: what a round samples from.
fn dense_gradient(
    device: &Device,
    shape: Shape,
    window: Window,
    lanes: usize,
    input: View,
    delta: View,
) -> Vec<f32> {
    let pairs: Vec<(u32, u32)> = (0..shape.n_out as u32)
        .flat_map(|b| (0..shape.n_in as u32).map(move |a| (b, a)))
        .collect();
    let dense = LayerState::from_pairs(shape.n_in, shape.n_out, &pairs);
    let dense = Arena::new(device, &[dense]).unwrap();
    let output =
        (device.buffer_with("dense", Class::Scratch, &vec![f32::NAN; pairs.len()])).unwrap();
    let mut plan = Plan::new("dense gradient");
    PairGradients {
        span: dense.spans()[0],
        window,
        lanes,
        row_offsets: dense.row_offsets().all(),
        cols: dense.cols().all(),
        input,
        delta,
        output: output.all(),
        accumulate: false,
    }
    .record(&mut plan)
    .unwrap();
    device.run(&device.prepare(&plan).unwrap()).unwrap();
    device.download(&output.range(0..pairs.len())).unwrap()
}

/// A small generator of its own (SplitMix64): not the one that is tested.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// Uniform in `±scale`.
    fn reals(&mut self, n: usize, scale: f32) -> Vec<f32> {
        let unit = |word: u64| (word >> 40) as f32 / (1 << 23) as f32 - 1.0;
        (0..n).map(|_| unit(self.next()) * scale).collect()
    }
}

/// A perceptron between `sizes` with these layers, whose topology stays.
fn network(
    device: &Device,
    sizes: &[usize],
    layers: &[LayerState],
    options: &NetworkOptions,
) -> Network {
    let [first, hidden @ .., last] = sizes else {
        unreachable!("a perceptron has inputs and outputs")
    };
    let model = mlp(Extent::vector(*first), hidden, *last).unwrap();
    let state = NetworkState {
        layers: layers.to_vec(),
        ..NetworkState::default()
    };
    let method = method("static").unwrap();
    Network::new(device, &model, &state, options, method.as_ref()).unwrap()
}
