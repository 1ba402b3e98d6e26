//! Training steps of 3072-h-h-10 through autodiff: forward, softmax cross-entropy, backward, SGD with momentum 0.9.

use burn::tensor::{Device, Tensor, TensorData, activation};
use serde_json::{Value, json};

use crate::timing::{measure, require};
use crate::{Options, Result, noise};

const INPUTS: usize = 3072;
const CLASSES: usize = 10;
const RATE: f32 = 1e-3;
const MOMENTUM: f32 = 0.9;

struct Layer {
    weight: Tensor<2>,
    bias: Tensor<2>,
    weight_momentum: Tensor<2>,
    bias_momentum: Tensor<2>,
    /// 1 at connections, otherwise 0; without it the layer is dense.
    mask: Option<Tensor<2>>,
}

struct Network {
    layers: Vec<Layer>,
    /// `[batch][INPUTS]`
    input: Tensor<2>,
    /// `[batch][CLASSES]`, 1 at each image's class.
    labels: Tensor<2>,
}

impl Network {
    /// The mean loss before the update.
    fn step(&mut self) -> Tensor<1> {
        let mut h = self.input.clone();
        let last = self.layers.len() - 1;
        for (index, layer) in self.layers.iter().enumerate() {
            let weight = match &layer.mask {
                Some(mask) => layer.weight.clone() * mask.clone(),
                None => layer.weight.clone(),
            };
            h = h.matmul(weight) + layer.bias.clone();
            if index < last {
                h = activation::relu(h);
            }
        }
        let batch = self.input.dims()[0] as f32;
        let loss = (activation::log_softmax(h, 1) * self.labels.clone()).sum() * (-1.0 / batch);
        let gradients = loss.backward();
        for layer in &mut self.layers {
            for (parameter, momentum) in [
                (&mut layer.weight, &mut layer.weight_momentum),
                (&mut layer.bias, &mut layer.bias_momentum),
            ] {
                if let Some(gradient) = parameter.grad(&gradients) {
                    let next = momentum.clone() * MOMENTUM + gradient;
                    *momentum = next.clone();
                    let value = parameter.clone().inner() - next * RATE;
                    *parameter = Tensor::from_inner(value).require_grad();
                }
            }
        }
        loss.inner()
    }
}

fn scalar(loss: Tensor<1>) -> f64 {
    f64::from(loss.into_scalar::<f32>())
}

pub fn run(device: &Device, hidden: usize, sparsity: f64, options: &Options) -> Result<Vec<Value>> {
    let sizes = [INPUTS, hidden, hidden, CLASSES];
    let batch = options.batch;
    let x = noise(7, batch * INPUTS);
    let classes: Vec<usize> = (0..batch).map(|i| (i * 7 + i / 3) % CLASSES).collect();
    let mut results = Vec::new();
    for variant in &options.variants {
        let masked = variant == "masked";
        // The masked network has its connections at random, with the same share in each layer: a mask costs the same
        // anywhere.
        let keep = if masked { 1.0 - sparsity } else { 1.0 };
        let mut host = Vec::new();
        for (l, pair) in sizes.windows(2).enumerate() {
            let (n_in, n_out) = (pair[0], pair[1]);
            let draws = noise(20 + l as u64, n_in * n_out);
            let mask: Vec<f32> = (draws.iter())
                .map(|u| {
                    if f64::from(*u) * 0.5 + 0.5 < keep {
                        1.0
                    } else {
                        0.0
                    }
                })
                .collect();
            let bound = (3.0 / (keep * n_in as f64)).sqrt() as f32;
            let weight: Vec<f32> = noise(10 + l as u64, n_in * n_out)
                .iter()
                .map(|w| w * bound)
                .collect();
            host.push((n_in, n_out, weight, mask));
        }
        let tracked = device.clone().autodiff();
        let plain = |values: &[f32], shape: [usize; 2], device: &Device| {
            Tensor::<2>::from_data(TensorData::new(values.to_vec(), shape), device)
        };
        let mut labels = vec![0.0; batch * CLASSES];
        for (i, class) in classes.iter().enumerate() {
            labels[i * CLASSES + class] = 1.0;
        }
        let mut network = Network {
            layers: (host.iter())
                .map(|(n_in, n_out, weight, mask)| Layer {
                    weight: plain(weight, [*n_in, *n_out], &tracked).require_grad(),
                    bias: Tensor::zeros([1, *n_out], &tracked).require_grad(),
                    weight_momentum: Tensor::zeros([*n_in, *n_out], device),
                    bias_momentum: Tensor::zeros([1, *n_out], device),
                    mask: masked.then(|| plain(mask, [*n_in, *n_out], &tracked)),
                })
                .collect(),
            input: plain(&x, [batch, INPUTS], &tracked),
            labels: plain(&labels, [batch, CLASSES], &tracked),
        };
        let first = scalar(network.step());
        let expected = mean_loss(&host, masked, &x, &classes);
        let name = format!("burn step {variant} {hidden}");
        let max_error = require(&name, (first - expected).abs() / expected)?;
        let (seconds, spread) = measure(device, options, || drop(network.step()))?;
        let last = scalar(network.step());
        if last >= first || last.is_nan() {
            return Err(format!(
                "{name}: the loss rose from {first} to {last}; nothing is reported"
            )
            .into());
        }
        let total: usize = host.iter().map(|(n_in, n_out, ..)| n_in * n_out).sum();
        let ones: f64 = host
            .iter()
            .flat_map(|(.., mask)| mask)
            .map(|m| f64::from(*m))
            .sum();
        results.push(json!({
            "model": format!("{INPUTS}-{hidden}-{hidden}-{CLASSES}"), "variant": variant, "n": hidden, "batch": batch,
            "sparsity": sparsity, "connections": if masked { ones as usize } else { total }, "max_error": max_error,
            "seconds": seconds, "seconds_spread": spread,
        }));
    }
    Ok(results)
}

/// Mean loss of the first step in f64 on the host.
fn mean_loss(
    host: &[(usize, usize, Vec<f32>, Vec<f32>)],
    masked: bool,
    x: &[f32],
    classes: &[usize],
) -> f64 {
    let mut total = 0.0;
    for (i, &class) in classes.iter().enumerate() {
        let mut h: Vec<f64> = x[i * INPUTS..][..INPUTS]
            .iter()
            .map(|v| f64::from(*v))
            .collect();
        for (l, (n_in, n_out, weight, mask)) in host.iter().enumerate() {
            let mut out = vec![0f64; *n_out];
            for a in 0..*n_in {
                let row = &weight[a * n_out..][..*n_out];
                let mask = &mask[a * n_out..][..*n_out];
                for ((o, w), m) in out.iter_mut().zip(row).zip(mask) {
                    let w = if masked { w * m } else { *w };
                    *o += h[a] * f64::from(w);
                }
            }
            if l + 1 < host.len() {
                out.iter_mut().for_each(|v| *v = v.max(0.0));
            }
            h = out;
        }
        total += h.iter().map(|z| z.exp()).sum::<f64>().ln() - h[class];
    }
    total / classes.len() as f64
}
