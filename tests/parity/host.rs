//! A model computed in f64 on the host, only from the definitions, and differences of its loss.

use crate::differences::cross_entropy;
use rootlet::layer::{
    Attention, AveragePool, BatchNorm, MaxPool, Patchify, Shortcut, sincos_positions,
};
use rootlet::model::{Extent, Model};
use rootlet::network::NetworkState;
use rootlet::sparse::Window;
use std::cell::Cell;

/// A model's parameters in f64, one list for each kind and layer.
#[derive(Clone)]
pub struct Host<'a> {
    model: &'a Model,
    state: &'a NetworkState,
    pub values: Vec<Vec<f64>>,
    pub bias: Vec<Vec<f64>>,
    pub norm_weight: Vec<Vec<f64>>,
    pub norm_bias: Vec<Vec<f64>>,
    /// Whether batch norms use their running statistics.
    pub evaluates: bool,
}

/// `[member][channel * positions + position]`.
pub type Activation = Vec<Vec<f64>>;

impl<'a> Host<'a> {
    pub fn new(model: &'a Model, state: &'a NetworkState) -> Self {
        let wide = |v: &[f32]| v.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
        Host {
            model,
            state,
            values: state.layers.iter().map(|l| wide(&l.values)).collect(),
            bias: state.layers.iter().map(|l| wide(&l.bias)).collect(),
            norm_weight: state
                .parameters
                .iter()
                .map(|n| wide(n.values("weight")))
                .collect(),
            norm_bias: state
                .parameters
                .iter()
                .map(|n| wide(n.values("bias")))
                .collect(),
            evaluates: false,
        }
    }

    /// The loss, and how close a number came to a point where the loss has no derivative.
    pub fn loss(&self, inputs: &Activation, labels: &[u32], smoothing: f64) -> (f64, f64) {
        let (outputs, nearest) = self.outputs(inputs);
        let losses = (outputs.iter().zip(labels))
            .map(|(z, &label)| cross_entropy(z, label as usize, smoothing));
        (losses.sum::<f64>() / inputs.len() as f64, nearest)
    }

    /// The logits, and the same distance.
    pub fn outputs(&self, inputs: &Activation) -> (Activation, f64) {
        let nearest = Cell::new(f64::INFINITY);
        // A distance of zero is that between zeros of ReLUs, and stays zero after a small change.
        let near = |distance: f64| {
            if distance != 0.0 {
                nearest.set(nearest.get().min(distance));
            }
        };
        let relu = |x: f64| {
            near(x.abs());
            x.max(0.0)
        };
        let mut made: Vec<Activation> = vec![inputs.clone()];
        let (mut layers, mut norms) = (0.., 0..);
        for node in &self.model.nodes()[1..] {
            let inputs = node.inputs();
            let x = &made[inputs[0]];
            let from = self.model.nodes()[inputs[0]].extent();
            let each = |f: &dyn Fn(&[f64]) -> Vec<f64>| x.iter().map(|m| f(m)).collect();
            let mut output: Activation = match node.layer().kind() {
                "sparse" => {
                    let l = layers.next().unwrap();
                    let window = self.model.connections_of(node).unwrap().window;
                    each(&|m| self.sparse(l, window, m))
                }
                "batch-norm" => self.batch_norm(norms.next().unwrap(), x, from.positions()),
                "layer-norm" => {
                    let i = norms.next().unwrap();
                    each(&|m| self.layer_norm(i, m, from.positions()))
                }
                "relu" => (x.iter())
                    .map(|m| m.iter().map(|&x| relu(x)).collect())
                    .collect(),
                "gelu" => each(&|m| m.iter().map(|&x| x * normal(x)).collect()),
                "add" => x.clone(),
                "flatten" | "dropout" => x.clone(),
                "patchify" => {
                    let &Patchify { size } = node.layer_as().unwrap();
                    each(&|m| patches(m, from, size))
                }
                "shortcut" => {
                    let &Shortcut { stride, .. } = node.layer_as().unwrap();
                    each(&|m| shortcut(m, from, node.extent(), stride))
                }
                "max-pool" => {
                    let &MaxPool(windows_of) = node.layer_as().unwrap();
                    let window = windows_of.over(from).unwrap();
                    (x.iter())
                        .map(|m| {
                            windows(window, m, |seen| {
                                let largest =
                                    seen.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                                seen.iter().for_each(|s| near(largest - s));
                                largest
                            })
                        })
                        .collect()
                }
                "average-pool" => {
                    let &AveragePool(windows_of) = node.layer_as().unwrap();
                    let window = windows_of.over(from).unwrap();
                    let taps = window.taps() as f64;
                    each(&|m| windows(window, m, |seen| seen.iter().sum::<f64>() / taps))
                }
                "global-average" => each(&|m| {
                    let planes = m.chunks(from.positions());
                    planes
                        .map(|p| p.iter().sum::<f64>() / p.len() as f64)
                        .collect()
                }),
                "positions" => {
                    let table = sincos_positions(from.height, from.width, from.channels).unwrap();
                    let add = |m: &[f64]| {
                        (m.iter().zip(&table))
                            .map(|(x, &p)| x + f64::from(p))
                            .collect()
                    };
                    each(&add)
                }
                "attention" => {
                    let &Attention { heads, dim } = node.layer_as().unwrap();
                    each(&|m| attention(m, heads, dim, from.positions()))
                }
                other => unreachable!("{other:?} is not tested here"),
            };
            if let Some(&second) = inputs.get(1) {
                for (output, more) in output.iter_mut().zip(&made[second]) {
                    output.iter_mut().zip(more).for_each(|(y, x)| *y += x);
                }
            }
            let norm_relu = node.layer_as::<BatchNorm>().is_some_and(|norm| norm.relu);
            if norm_relu || node.layer().ends_in_relu() {
                output.iter_mut().flatten().for_each(|y| *y = relu(*y));
            }
            made.push(output);
        }
        (made.pop().unwrap(), nearest.get())
    }

    fn sparse(&self, l: usize, window: Window, x: &[f64]) -> Vec<f64> {
        let layer = &self.state.layers[l];
        let [height, width] = window.output;
        let mut output = Vec::new();
        for row in 0..layer.n_out {
            for (oy, ox) in (0..height).flat_map(|y| (0..width).map(move |x| (y, x))) {
                let connections = layer.row(row).map(|j| {
                    let (channel, tap) = {
                        let col = layer.col_indices[j] as usize;
                        (col / window.taps(), col % window.taps())
                    };
                    let inside = |o: usize, tap: usize, axis: usize| {
                        let at = o * window.stride[axis] + tap;
                        at.checked_sub(window.padding[axis])
                            .filter(|&at| at < window.input[axis])
                    };
                    let y = inside(oy, tap / window.kernel[1], 0);
                    let x_at = inside(ox, tap % window.kernel[1], 1);
                    match (y, x_at) {
                        (Some(iy), Some(ix)) => {
                            let at = (channel * window.input[0] + iy) * window.input[1] + ix;
                            self.values[l][j] * x[at]
                        }
                        _ => 0.0,
                    }
                });
                output.push(self.bias[l][row] + connections.sum::<f64>());
            }
        }
        output
    }

    fn batch_norm(&self, i: usize, x: &Activation, positions: usize) -> Activation {
        let mut output = x.clone();
        for c in 0..self.norm_weight[i].len() {
            let plane = c * positions..(c + 1) * positions;
            let all: Vec<f64> = x.iter().flat_map(|m| &m[plane.clone()]).copied().collect();
            let (mean, deviation) = match self.evaluates {
                false => moments(&all),
                true => {
                    let of = |name: &str| f64::from(self.state.parameters[i].values(name)[c]);
                    (of("running_mean"), (of("running_variance") + 1e-5).sqrt())
                }
            };
            for y in output.iter_mut().flat_map(|m| &mut m[plane.clone()]) {
                *y = (*y - mean) / deviation * self.norm_weight[i][c] + self.norm_bias[i][c];
            }
        }
        output
    }

    fn layer_norm(&self, i: usize, x: &[f64], positions: usize) -> Vec<f64> {
        let mut output = x.to_vec();
        for p in 0..positions {
            let all: Vec<f64> = x[p..].iter().step_by(positions).copied().collect();
            let (mean, deviation) = moments(&all);
            for (c, y) in output[p..].iter_mut().step_by(positions).enumerate() {
                *y = (*y - mean) / deviation * self.norm_weight[i][c] + self.norm_bias[i][c];
            }
        }
        output
    }

    /// The central differences of the loss by the numbers that `part` finds, one list after another.
    pub fn differences(
        &self,
        part: impl for<'h> Fn(&'h mut Host<'a>) -> &'h mut Vec<Vec<f64>>,
        loss: impl Fn(&Host) -> f64,
    ) -> Vec<f32> {
        const H: f64 = 1e-6;
        let mut host = self.clone();
        let mut found = Vec::new();
        for list in 0..part(&mut host).len() {
            for i in 0..part(&mut host)[list].len() {
                let at = part(&mut host)[list][i];
                let mut nudged = |by: f64| {
                    part(&mut host)[list][i] = at + by;
                    let loss = loss(&host);
                    part(&mut host)[list][i] = at;
                    loss
                };
                found.push(((nudged(H) - nudged(-H)) / (2.0 * H)) as f32);
            }
        }
        found
    }
}

/// Mean, and standard deviation with the epsilon of the norms.
fn moments(numbers: &[f64]) -> (f64, f64) {
    let n = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / n;
    let variance = numbers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance + 1e-5).sqrt())
}

/// The normal distribution function: 1/2 + density(x) (x + x^3 / 3 + x^5 / (3 5) + ...).
fn normal(x: f64) -> f64 {
    if x.abs() > 7.0 {
        return f64::from(u8::from(x > 0.0));
    }
    let (mut term, mut sum) = (x, x);
    for k in 1..100 {
        term *= x * x / f64::from(2 * k + 1);
        sum += term;
    }
    0.5 + (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt() * sum
}

/// `f` of what each window sees inside the plane.
fn windows(window: Window, x: &[f64], mut f: impl FnMut(&[f64]) -> f64) -> Vec<f64> {
    let [height, width] = window.input;
    let mut output = Vec::new();
    for plane in x.chunks(height * width) {
        for (oy, ox) in
            (0..window.output[0]).flat_map(|y| (0..window.output[1]).map(move |x| (y, x)))
        {
            let sees = |o: usize, i: usize, axis: usize| {
                let tap = (i + window.padding[axis]).checked_sub(o * window.stride[axis]);
                tap.is_some_and(|tap| tap < window.kernel[axis])
            };
            let seen: Vec<f64> = (plane.iter().enumerate())
                .filter(|(at, _)| sees(oy, at / width, 0) && sees(ox, at % width, 1))
                .map(|(_, x)| *x)
                .collect();
            output.push(f(&seen));
        }
    }
    output
}

/// Every `stride`-th position; the channels are in the middle of those of the output, the others zero.
fn shortcut(x: &[f64], from: Extent, to: Extent, stride: usize) -> Vec<f64> {
    let before = (to.channels - from.channels) / 2;
    let mut output = vec![0.0; to.size()];
    for c in 0..from.channels {
        for (y, column) in (0..to.height).flat_map(|y| (0..to.width).map(move |x| (y, x))) {
            let at = ((c + before) * to.height + y) * to.width + column;
            output[at] = x[(c * from.height + y * stride) * from.width + column * stride];
        }
    }
    output
}

/// Feature `(p1 * size + p2) * channels + c` of a token is channel c at row p1 and column p2 of its patch.
fn patches(x: &[f64], from: Extent, size: usize) -> Vec<f64> {
    let (height, width) = (from.height, from.width);
    let mut output = Vec::new();
    for feature in 0..size * size * from.channels {
        let (tap, c) = (feature / from.channels, feature % from.channels);
        for (ty, tx) in (0..height / size).flat_map(|ty| (0..width / size).map(move |tx| (ty, tx)))
        {
            let (row, column) = (ty * size + tap / size, tx * size + tap % size);
            output.push(x[(c * height + row) * width + column]);
        }
    }
    output
}

fn attention(x: &[f64], heads: usize, dim: usize, tokens: usize) -> Vec<f64> {
    let part = |part: usize, head: usize, d: usize, t: usize| {
        x[((part * heads + head) * dim + d) * tokens + t]
    };
    let mut output = vec![0.0; heads * dim * tokens];
    for head in 0..heads {
        for query in 0..tokens {
            let scores: Vec<f64> = (0..tokens)
                .map(|key| {
                    let products =
                        (0..dim).map(|d| part(0, head, d, query) * part(1, head, d, key));
                    (products.sum::<f64>() / (dim as f64).sqrt()).exp()
                })
                .collect();
            let total: f64 = scores.iter().sum();
            for d in 0..dim {
                output[(head * dim + d) * tokens + query] = (0..tokens)
                    .map(|t| scores[t] / total * part(2, head, d, t))
                    .sum();
            }
        }
    }
    output
}
