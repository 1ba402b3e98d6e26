//! W x, W^T delta and delta x^T of an n × n layer, batch innermost.

use burn::tensor::{Device, Tensor, TensorData};
use serde_json::{Value, json};

use crate::timing::{measure, require};
use crate::{Options, Result, noise};

pub fn run(device: &Device, n: usize, options: &Options) -> Result<Vec<Value>> {
    let batch = options.batch;
    let (w, x, d) = (noise(1, n * n), noise(2, n * batch), noise(3, n * batch));
    let put = |values: &[f32], shape: [usize; 2]| {
        Tensor::<2>::from_data(TensorData::new(values.to_vec(), shape), device)
    };
    let (weight, input, delta) = (put(&w, [n, n]), put(&x, [n, batch]), put(&d, [n, batch]));
    type Product<'a> = Box<dyn Fn() -> Tensor<2> + 'a>;
    type Entry<'a> = Box<dyn Fn(usize, usize) -> f64 + 'a>;
    let at = |values: &[f32], i: usize| f64::from(values[i]);
    let (w, x, d) = (&w, &x, &d);
    let cases: [(&str, Product<'_>, Entry<'_>); 3] = [
        (
            "spmm",
            Box::new(|| weight.clone().matmul(input.clone())),
            Box::new(|b, i| {
                (0..n)
                    .map(|a| at(w, b * n + a) * at(x, a * batch + i))
                    .sum()
            }),
        ),
        (
            "spmm_transposed",
            Box::new(|| weight.clone().transpose().matmul(delta.clone())),
            Box::new(|a, i| {
                (0..n)
                    .map(|b| at(w, b * n + a) * at(d, b * batch + i))
                    .sum()
            }),
        ),
        (
            "sddmm",
            Box::new(|| delta.clone().matmul(input.clone().transpose())),
            Box::new(|b, a| {
                (0..batch)
                    .map(|i| at(d, b * batch + i) * at(x, a * batch + i))
                    .sum()
            }),
        ),
    ];
    let mut results = Vec::new();
    for (kernel, product, entry) in &cases {
        let output = product();
        let [rows, cols] = output.dims();
        let found: Vec<f32> = output
            .into_data()
            .try_to_vec()
            .map_err(|e| format!("{e:?}"))?;
        let (mut error, mut scale) = (0f64, 0f64);
        for r in (0..rows).step_by((rows / 8).max(1)).chain([rows - 1]) {
            for c in (0..cols).step_by((cols / 64).max(1)).chain([cols - 1]) {
                let expected = entry(r, c);
                let difference = (f64::from(found[r * cols + c]) - expected).abs();
                error = if difference > error || difference.is_nan() {
                    difference
                } else {
                    error
                };
                scale = scale.max(expected.abs());
            }
        }
        let max_error = require(&format!("burn {kernel} n={n}"), error / scale)?;
        let (seconds, spread) = measure(device, options, || drop(product()))?;
        results.push(json!({
            "kernel": kernel, "variant": "dense", "n": n, "rows": n, "cols": n, "batch": batch, "sparsity": 0.0,
            "connections": n * n, "max_error": max_error, "seconds": seconds, "seconds_spread": spread,
            "gflop_s": 2.0 * (n * n * batch) as f64 / seconds / 1e9,
        }));
    }
    Ok(results)
}
