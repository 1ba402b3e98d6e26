//! Checkpoints: what is saved comes back, what is damaged is refused, and no kill or full disk loses a completed save.
#![allow(clippy::unwrap_used)]

mod damage;
mod disk;
mod kill;
#[path = "../common/norms.rs"]
#[allow(dead_code)] // Each test program uses its part.
mod norms;
mod roundtrip;

use rootlet::checkpoint::{
    Best, Change, LayerState, NetworkState, NormKind, Objective, ParameterState, PastConnections,
    Progress, Snapshot, Tested,
};
use rootlet::data::ImageHashes;
use std::path::{Path, PathBuf};

/// A small generator of its own (SplitMix64), so that a step's model is the same in every process.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Any bits at all, including NaN, infinities and negative zero.
    fn reals(&mut self, len: usize) -> Vec<f32> {
        (0..len)
            .map(|_| f32::from_bits(self.next() as u32))
            .collect()
    }

    /// A layer with a share of about `density` in 256 of its connections.
    fn layer(&mut self, n_in: usize, n_out: usize, density: u64) -> LayerState {
        let mut crow_indices = vec![0];
        let mut col_indices = Vec::new();
        for _ in 0..n_out {
            col_indices.extend((0..n_in as u32).filter(|_| self.next() % 256 < density));
            crow_indices.push(col_indices.len() as u32);
        }
        let active = col_indices.len();
        LayerState {
            n_in,
            n_out,
            crow_indices,
            col_indices,
            values: self.reals(active),
            state: norms::momentum(self.reals(active)),
            bias: self.reals(n_out),
            bias_state: norms::momentum(self.reals(n_out)),
        }
    }

    fn norm(&mut self, kind: NormKind, channels: usize) -> ParameterState {
        norms::filled(kind, channels, |n| self.reals(n))
    }
}

/// The model of a step: the same in every process, different for every step.
fn snapshot(step: u64, sizes: &[usize]) -> Snapshot {
    let mut random = Random(step);
    let layers: Vec<LayerState> = sizes
        .windows(2)
        .map(|n| random.layer(n[0], n[1], 60))
        .collect();
    let norms = vec![
        random.norm(NormKind::Batch, 5),
        random.norm(NormKind::Layer, 3),
    ];
    let progress = Progress {
        step,
        epoch: 3,
        batch: step % 7,
        loss_sum: step as f64 * 0.1,
        score_sum: 17.0,
        seen: u64::MAX,
        rounds: step / 100,
        seconds: 1.0 / 3.0,
        train_flops: 1e18 / 3.0,
        tested: Some(Tested {
            step,
            loss: 0.1,
            accuracy: step.is_multiple_of(2).then_some(1.0 / 3.0),
        }),
        best: step.is_multiple_of(3).then(|| Best {
            step: step / 2,
            epoch: 2,
            metric: "accuracy".to_owned(),
            value: 2.0 / 3.0,
        }),
    };
    // The pairs beside the active ones of the first row.
    let past = layers
        .iter()
        .map(|layer| {
            let end = layer.crow_indices[1] as usize;
            let active = &layer.col_indices[..end];
            let cols = (0..layer.n_in as u32).filter(|a| !active.contains(a));
            let col_indices: Vec<u32> = cols.collect();
            let mut crow_indices = vec![col_indices.len() as u32; layer.n_out + 1];
            crow_indices[0] = 0;
            PastConnections {
                crow_indices,
                col_indices,
            }
        })
        .collect();
    Snapshot {
        state: NetworkState {
            layers,
            optimiser: Some("sgd".to_owned()),
            parameters: norms,
            dense_weights: Vec::new(),
        },
        progress,
        past,
        data: None,
        objective: Objective::default(),
        changes: vec![Change {
            step: 1,
            name: "lr".to_owned(),
            before: Some("0.1".to_owned()),
            remark: "--lr differs".to_owned(),
        }],
        learned_images: ImageHashes {
            pixels: vec![0, 1, 1 << 40, u64::MAX - step],
            older: vec![step, 1 << 50],
        },
    }
}

const CONFIG: &str = "data = \"digits\"\nsparsity = 0.9 # \u{201c}quoted\u{201d}\n";

/// Everything of a snapshot as bits, so that NaN equals itself.
fn bits(snapshot: &Snapshot) -> Vec<u64> {
    let ImageHashes { pixels, older } = &snapshot.learned_images;
    let mut bits = [&pixels[..], older].concat();
    for x in &snapshot.state.parameters {
        bits.extend(norms::numbers(x).map(|r| u64::from(r.to_bits())));
    }
    for x in &snapshot.state.layers {
        bits.extend([x.n_in as u64, x.n_out as u64, x.values.len() as u64]);
        bits.extend(
            x.crow_indices
                .iter()
                .chain(&x.col_indices)
                .map(|&i| u64::from(i)),
        );
        let reals = x
            .values
            .iter()
            .chain(x.state.f32("momentum"))
            .chain(&x.bias)
            .chain(x.bias_state.f32("momentum"));
        bits.extend(reals.map(|r| u64::from(r.to_bits())));
    }
    let p = &snapshot.progress;
    bits.extend([p.step, u64::from(p.epoch), p.batch, p.loss_sum.to_bits()]);
    bits.extend([p.score_sum.to_bits(), p.seen, p.rounds, p.seconds.to_bits()]);
    bits.push(p.train_flops.to_bits());
    for past in &snapshot.past {
        let indices = past.crow_indices.iter().chain(&past.col_indices);
        bits.extend(indices.map(|&i| u64::from(i)));
    }
    bits
}

/// The names inside a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// A copy of a checkpoint under the same name in another run.
fn copy(checkpoint: &Path, run: &Path) -> PathBuf {
    let target = run
        .join("checkpoints")
        .join(checkpoint.file_name().unwrap());
    std::fs::create_dir_all(&target).unwrap();
    for name in names(checkpoint) {
        std::fs::copy(checkpoint.join(&name), target.join(name)).unwrap();
    }
    target
}
