//! Nothing dense is ever resident: the ledger's proof. With the connections per unit fixed, the width is doubled three
//! times: the hidden layer's inputs × outputs grow fourfold each time, and every buffer at most as the width does.

use std::sync::Arc;

use crate::{cpu, gpu, run};
use rootlet::data::{Dataset, ImageShape, Normalisation, Split, TestPart};
use rootlet::engine::{Class, Device};
use rootlet::topology::MethodName;
use rootlet::topology::Scope;
use rootlet::train::{TrainConfig, Trainer};

const WIDTHS: [usize; 4] = [256, 512, 1024, 2048];
/// Connections per unit, inputs and outputs counted: low enough for no layer to be clipped to dense.
const PER_UNIT: usize = 8;

/// Images of 28 × 28 random bytes.
fn noise(images: usize) -> Dataset {
    let mut state = 1u32;
    let mut byte = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let pixels = (0..images * 784).map(|_| byte()).collect();
    let labels = (0..images).map(|_| u32::from(byte() % 10)).collect();
    let split = Arc::new(Split::new(784, pixels, labels).unwrap());
    Dataset {
        name: "noise".into(),
        shape: ImageShape {
            channels: 1,
            height: 28,
            width: 28,
        },
        classes: 10,
        class_names: Vec::new(),
        normalisation: Normalisation {
            mean: vec![0.5],
            std: vec![0.3],
        },
        train: split.clone().into(),
        validation: None,
        test: split.into(),
        test_part: TestPart::default(),
        notes: Vec::new(),
        untaught: Vec::new(),
        preprocessing: None,
    }
}

/// Sizes of a run, and what the ledger says of it at its end.
struct Sizes {
    connections: u64,
    /// Inputs and outputs of all layers.
    units: u64,
    lanes: u64,
    dense: u64,
    /// Every buffer by its place and label.
    buffers: Vec<(String, u64)>,
    peaks: Vec<(Class, u64)>,
}

fn measure(device: Device, width: usize, method: MethodName, scope: Scope) -> Sizes {
    let dense = (784 * width + width * width + width * 10) as u64;
    let units = (784 + width + width + width + width + 10) as u64;
    let requested = PER_UNIT as u64 * units;
    let mut config = TrainConfig::default();
    config.model.hidden = vec![width, width];
    config.model.sparsity = 1.0 - requested as f64 / dense as f64;
    config.topology.method = method;
    config.topology.scope = scope;
    config.run.epochs = 1;
    config.run.batch = 50;
    config.topology.round_every = 1;
    config.topology.round_until = Some(3.0);
    // 2 steps of 50 and one of 20, each with a round.
    let mut trainer = Trainer::new(device, config, noise(120)).unwrap();
    let (log, result) = run(&mut trainer);
    result.unwrap();
    assert_eq!(log.rounds.len(), 3);
    let arena = trainer.network().arena();
    let connections = arena.connections() as u64;
    assert!(connections.abs_diff(requested) <= 1);
    assert_eq!((arena.n_rows() + arena.n_cols()) as u64, units);
    let ledger = trainer.device().ledger();
    Sizes {
        connections,
        units,
        lanes: trainer.network().lanes() as u64,
        dense,
        buffers: (ledger.entries().into_iter())
            .map(|e| (e.label, e.bytes))
            .collect(),
        peaks: Class::ALL.map(|c| (c, ledger.peak(c))).to_vec(),
    }
}

fn nothing_dense(device: fn() -> Device, method: MethodName, scope: Scope) {
    let runs: Vec<Sizes> = (WIDTHS.iter())
        .map(|&width| measure(device(), width, method, scope))
        .collect();
    for run in &runs {
        let tile = if method == MethodName::Rigl {
            1 << 18
        } else {
            0
        };
        let floor = 4096 + 4 * tile;
        let linear = run.connections + run.units * run.lanes;
        for (label, bytes) in &run.buffers {
            // Four bytes a connection or an activation; two candidates' slots a connection would still pass.
            let most = 4 * (2 * run.connections).max(run.units * run.lanes) + floor;
            assert!(*bytes <= most, "{label}: {bytes} bytes, more than {most}");
        }
        for &(class, peak) in &run.peaks {
            assert!(peak <= 64 * linear, "{}: {peak} bytes", class.name());
        }
        let peak = run.peaks[0].1;
        let most = 40 * run.connections + 32 * run.units + 1024;
        assert_eq!(run.peaks[0].0, Class::Connections);
        assert!(peak <= most, "connections: {peak} bytes, more than {most}");
    }
    // The widest model, dense in one number a connection, would be larger than all that it takes.
    let last = &runs[runs.len() - 1];
    let total: u64 = last.peaks.iter().map(|p| p.1).sum();
    assert!(total < 4 * last.dense, "{total} bytes in all");

    for pair in runs.windows(2) {
        let (narrow, wide) = (&pair[0], &pair[1]);
        assert!(wide.dense as f64 > 2.4 * narrow.dense as f64);
        let slack = 1024;
        let grows = |what: &str, before: u64, after: u64| {
            assert!(
                after as f64 <= 2.2 * before as f64 + f64::from(slack),
                "{what} grows from {before} to {after} bytes"
            );
        };
        assert_eq!(narrow.buffers.len(), wide.buffers.len());
        for (before, after) in narrow.buffers.iter().zip(&wide.buffers) {
            assert_eq!(before.0, after.0);
            grows(&before.0, before.1, after.1);
        }
        for (before, after) in narrow.peaks.iter().zip(&wide.peaks) {
            grows(before.0.name(), before.1, after.1);
        }
    }
}

#[test]
fn nothing_dense_is_resident_on_cpu() {
    nothing_dense(cpu, MethodName::GseGraest, Scope::Layer);
    nothing_dense(cpu, MethodName::Set, Scope::Global);
    nothing_dense(cpu, MethodName::Rigl, Scope::Layer);
}

#[test]
fn nothing_dense_is_resident_on_a_gpu() {
    nothing_dense(gpu, MethodName::GseGrabo, Scope::Global);
}
