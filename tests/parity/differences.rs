//! Every gradient against central differences of the loss, computed in f64 on the host by the definitions alone.

use std::sync::Arc;

use crate::{Random, assert_close, devices, network, still};
use rootlet::data::Batch;
use rootlet::engine::{Class, Plan, View};
use rootlet::layer::{DenseWeights, SparsePass};
use rootlet::loss::CrossEntropy;
use rootlet::network::NetworkOptions;
use rootlet::sparse::{LayerState, Shape, Window, initialise};

/// A network's parameters in f64, and the inputs, as one flat list that can be nudged.
#[derive(Clone)]
struct Host {
    values: Vec<Vec<f64>>,
    bias: Vec<Vec<f64>>,
    /// `[member][unit]`.
    inputs: Vec<Vec<f64>>,
}

impl Host {
    fn new(layers: &[LayerState], batch: &Batch, lanes: usize) -> Self {
        let wide = |v: &[f32]| v.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        Host {
            values: layers.iter().map(|l| wide(&l.values)).collect(),
            bias: layers.iter().map(|l| wide(&l.bias)).collect(),
            inputs: (0..batch.count)
                .map(|i| {
                    let lane = batch.inputs[i..].iter().step_by(lanes);
                    lane.map(|&x| f64::from(x)).collect()
                })
                .collect(),
        }
    }

    /// Logits of one sample, and the least distance of a hidden unit from its ReLU's kink.
    fn logits(&self, layers: &[LayerState], member: usize) -> (Vec<f64>, f64) {
        let mut x = self.inputs[member].clone();
        let mut kink = f64::INFINITY;
        for (l, layer) in layers.iter().enumerate() {
            let mut y = self.bias[l].clone();
            for (b, y) in y.iter_mut().enumerate() {
                for j in layer.row(b) {
                    *y += self.values[l][j] * x[layer.col_indices[j] as usize];
                }
                if l + 1 < layers.len() {
                    kink = kink.min(y.abs());
                    *y = y.max(0.0);
                }
            }
            x = y;
        }
        (x, kink)
    }

    /// Mean over the samples of the cross-entropy against the smoothed target.
    fn loss(&self, layers: &[LayerState], labels: &[u32], smoothing: f64) -> f64 {
        let losses = (0..self.inputs.len()).map(|i| {
            let (logits, _) = self.logits(layers, i);
            cross_entropy(&logits, labels[i] as usize, smoothing)
        });
        losses.sum::<f64>() / self.inputs.len() as f64
    }

    /// The central difference for each number of the list that `part` finds.
    fn differences(
        &self,
        part: impl Fn(&mut Host) -> &mut Vec<f64>,
        loss: impl Fn(&Host) -> f64,
    ) -> Vec<f32> {
        const H: f64 = 1e-6;
        let mut host = self.clone();
        (0..part(&mut host).len())
            .map(|i| {
                let at = part(&mut host)[i];
                let mut nudged = |by: f64| {
                    part(&mut host)[i] = at + by;
                    let loss = loss(&host);
                    part(&mut host)[i] = at;
                    loss
                };
                ((nudged(H) - nudged(-H)) / (2.0 * H)) as f32
            })
            .collect()
    }
}

/// By the definition: target `smoothing / K` everywhere and `1 - smoothing` more at the label.
pub fn cross_entropy(logits: &[f64], label: usize, smoothing: f64) -> f64 {
    let highest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = logits.iter().map(|z| (z - highest).exp()).sum();
    let even = smoothing / logits.len() as f64;
    (logits.iter().enumerate())
        .map(|(c, z)| {
            let requested = even + if c == label { 1.0 - smoothing } else { 0.0 };
            requested * (total.ln() + highest - z)
        })
        .sum()
}

struct Case {
    sizes: &'static [usize],
    /// Share of the pairs that are active.
    density: f64,
    batch: usize,
    count: usize,
    smoothing: f32,
}

#[test]
fn gradients_are_the_differences_of_the_loss() {
    let cases = [
        // One layer: no ReLU.
        Case {
            sizes: &[7, 5],
            density: 0.5,
            batch: 5,
            count: 5,
            smoothing: 0.0,
        },
        Case {
            sizes: &[11, 9, 6],
            density: 0.3,
            batch: 8,
            count: 8,
            smoothing: 0.2,
        },
        // The last, smaller batch; dense layers.
        Case {
            sizes: &[6, 7, 5, 3],
            density: 1.0,
            batch: 9,
            count: 4,
            smoothing: 0.0,
        },
        Case {
            sizes: &[13, 17, 12, 10],
            density: 0.2,
            batch: 7,
            count: 1,
            smoothing: 0.1,
        },
        Case {
            sizes: &[30, 20, 20, 20, 4],
            density: 0.15,
            batch: 21,
            count: 18,
            smoothing: 0.0,
        },
    ];
    let devices = devices();
    for (c, case) in cases.iter().enumerate() {
        let mut random = Random(100 + c as u64);
        let (sizes, batch, lanes) = (case.sizes, case.batch, case.batch.next_multiple_of(4));
        let layers: Vec<LayerState> = (sizes.windows(2).enumerate())
            .map(|(l, n)| {
                let shape = Shape {
                    n_in: n[0],
                    n_out: n[1],
                };
                let active = (shape.dense() as f64 * case.density).round() as u64;
                initialise(shape, active, c as u32, l as u32)
            })
            .collect();
        let classes = sizes[sizes.len() - 1];
        let mut inputs = random.reals(sizes[0] * lanes, 2.0);
        for (i, input) in inputs.iter_mut().enumerate() {
            if i % lanes >= case.count {
                *input = 0.0;
            }
        }
        let labels: Vec<u32> = (0..lanes).map(|_| random.below(classes) as u32).collect();
        let batch = Batch {
            inputs,
            targets: labels.into(),
            count: case.count.min(batch),
            weights: Vec::new(),
            index: 0,
        };
        let host = Host::new(&layers, &batch, lanes);
        let smoothing = f64::from(case.smoothing);
        let loss = |host: &Host| host.loss(&layers, batch.labels(), smoothing);
        let nearest = (0..case.count)
            .map(|i| host.logits(&layers, i).1)
            .fold(f64::INFINITY, f64::min);
        assert!(nearest > 1e-5, "case {c}: a unit on its kink, {nearest}");

        let mut values = Vec::new();
        let mut bias = Vec::new();
        for l in 0..layers.len() {
            values.extend(host.differences(|h| &mut h.values[l], loss));
            bias.extend(host.differences(|h| &mut h.bias[l], loss));
        }
        let mut input = vec![0.0; sizes[0] * lanes];
        for i in 0..case.count {
            let member = host.differences(|h| &mut h.inputs[i], loss);
            for (a, value) in member.into_iter().enumerate() {
                input[a * lanes + i] = value;
            }
        }

        for device in &devices {
            let at = |what: &str| format!("{}, case {c}: {what}", device.name());
            let options = NetworkOptions {
                loss: Arc::new(CrossEntropy::new(f64::from(case.smoothing)).unwrap()),
                keep: true,
                ..NetworkOptions::of_batch(case.batch)
            };
            let network = network(device, sizes, &layers, &options);
            network.load(device, &batch).unwrap();
            network.train(device, still(case.count)).unwrap();
            let result = network.train_results(device, 0..1).unwrap()[0];
            let mean = result.loss / case.count as f32;
            assert_close(&at("loss"), &[mean], &[loss(&host) as f32], 1e-5);
            let arena = network.arena();
            let read = |view: &View| -> Vec<f32> { device.download(view).unwrap() };
            let found = read(&arena.gradient().range(0..arena.connections()));
            assert_close(&at("weights"), &found, &values, 1e-4);
            let found = read(&arena.bias_gradient().range(0..arena.n_rows()));
            assert_close(&at("biases"), &found, &bias, 1e-4);

            let output = device.buffer("x", Class::Scratch, input.len()).unwrap();
            let first = SparsePass {
                span: arena.spans()[0],
                window: Window::pointwise([1, 1]),
                lanes,
                bias: true,
                relu: false,
            };
            let mut plan = Plan::new("input gradient");
            let delta = network.retained("linear0.delta").unwrap();
            let output_view = output.all();
            match arena.holds().indices {
                true => first.backward(&mut plan, arena, delta, None, output_view, false),
                // Every layer is full: there are no lists of connections.
                false => {
                    let weights = arena.weights().all();
                    let weights = DenseWeights { weights, first: 0 };
                    first.backward_dense(&mut plan, weights, delta, None, output_view, false)
                }
            }
            .unwrap();
            device.run(&device.prepare(&plan).unwrap()).unwrap();
            assert_close(&at("inputs"), &read(&output.all()), &input, 1e-4);
        }
    }
}
