//! From which density on the dense products are faster than the sparse ones: the constants of `rootlet::dense`.
//!
//! `cargo run --release --example dense_crossover -- [ADAPTER]`

use std::time::Instant;

use rootlet::Result;
use rootlet::dense::{
    DenseForward, DenseForwardParams, DenseGradient, DenseGradientParams, DenseTransposed,
    DenseTransposedParams,
};
use rootlet::engine::{Buffer, Class, Device, DeviceOptions, Plan};
use rootlet::layer::SparseLayer;
use rootlet::sparse::{Arena, LayerState, Shape, Window, draw};

/// Members of a batch.
const BATCH: usize = 128;

/// Samples of which the median counts.
const SAMPLES: usize = 15;

fn main() -> Result<()> {
    let adapter = std::env::args().nth(1).unwrap_or("cpu".into());
    let only = std::env::args().nth(2).unwrap_or_default();
    let device = Device::open(&adapter, &DeviceOptions::default())?;
    println!("{}, batch {BATCH}", device.description());
    let pointwise = Window::pointwise([1, 1]);
    let tokens = Window::pointwise([8, 8]);
    let plane = |n| Window::new([n, n], [3, 3], [1, 1], [1, 1]);
    let strided = Window::new([16, 16], [3, 3], [2, 2], [1, 1])?;
    for (name, n_in, n_out, window) in [
        ("linear 1024", 1024, 1024, pointwise),
        ("linear 4096", 4096, 4096, pointwise),
        ("64 tokens of 192 to 768", 192, 768, tokens),
        ("3x3 of 16 channels, 32x32", 16, 16, plane(32)?),
        ("3x3 of 64 channels, 8x8", 64, 64, plane(8)?),
        ("3x3 of 32 to 64 channels, 16x16 by 2", 32, 64, strided),
    ] {
        if name.contains(&only) {
            layer(&device, name, n_in * window.taps(), n_out, window)?;
        }
    }
    Ok(())
}

/// Seconds of the three products.
type Times = [f64; 3];

fn layer(device: &Device, name: &str, n_in: usize, n_out: usize, window: Window) -> Result<()> {
    let shape = Shape { n_in, n_out };
    let flop = 2.0 * (n_in * n_out * window.output_positions() * BATCH) as f64;
    let show = |what: &str, times: Times| {
        let rates = times.map(|t| format!("{:8.3} ms {:6.1} GFLOP/s", t * 1e3, flop / t / 1e9));
        println!("{name:38} {what:12} {}", rates.join("  "));
    };
    let full = Problem::new(device, draw(shape, shape.dense(), 1, 0), window)?;
    show("dense", full.dense(device)?);
    show("sparse, full", full.sparse(device)?);
    Ok(())
}

struct Problem {
    arena: Arena,
    layer: SparseLayer,
    input: Buffer,
    delta: Buffer,
    input_gradient: Buffer,
    output: Buffer,
}

impl Problem {
    fn new(device: &Device, state: LayerState, window: Window) -> Result<Self> {
        let arena = Arena::new(device, &[state])?;
        let span = arena.spans[0];
        let values = |label: &str, words: usize| {
            let values: Vec<f32> = (0..words)
                .map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0)
                .collect();
            device.buffer_with(label, Class::Activations, &values)
        };
        let inputs = span.n_in / window.taps() * window.input_positions() * BATCH;
        let outputs = span.n_out * window.output_positions() * BATCH;
        Ok(Problem {
            input: values("input", inputs)?,
            delta: values("delta", outputs)?,
            input_gradient: device.buffer("input gradient", Class::Activations, inputs)?,
            output: device.buffer("output", Class::Activations, outputs)?,
            layer: SparseLayer {
                span,
                window,
                stride: BATCH,
                bias: false,
                relu: false,
            },
            arena,
        })
    }

    fn sparse(&self, device: &Device) -> Result<Times> {
        let (l, arena) = (&self.layer, &self.arena);
        let [input, delta] = [&self.input, &self.delta].map(Buffer::all);
        let mut plans = [(); 3].map(|()| Plan::new("product"));
        l.forward(&mut plans[0], arena, input.clone(), self.output.all())?;
        let dx = self.input_gradient.all();
        l.backward(&mut plans[1], arena, delta.clone(), None, dx, false)?;
        l.gradients(&mut plans[2], arena, input, delta, false)?;
        times(device, &plans)
    }

    fn dense(&self, device: &Device) -> Result<Times> {
        let (span, window) = (&self.layer.span, &self.layer.window);
        let arena = &self.arena;
        let mut plans = [(); 3].map(|()| Plan::new("product"));
        let params = DenseForwardParams::of_layer(span, window, BATCH, 0, false)?;
        let forward = DenseForward {
            params,
            weights: arena.weights.all(),
            bias: arena.bias.all(),
            input: self.input.all(),
            output: self.output.all(),
        };
        plans[0].dispatch(forward, params.grid())?;
        let params = DenseTransposedParams::of_layer(span, window, BATCH, 0, false, false)?;
        let transposed = DenseTransposed {
            params,
            weights: arena.weights.all(),
            delta: self.delta.all(),
            activation: self.delta.all(),
            output: self.input_gradient.all(),
        };
        plans[1].dispatch(transposed, params.grid())?;
        let params = DenseGradientParams::of_layer(span, window, BATCH, 0, false)?;
        let gradient = DenseGradient {
            params,
            input: self.input.all(),
            delta: self.delta.all(),
            output: arena.gradient.all(),
        };
        plans[2].dispatch(gradient, params.grid())?;
        times(device, &plans)
    }
}

/// Median seconds of each plan.
fn times(device: &Device, plans: &[Plan; 3]) -> Result<Times> {
    let mut times = [0.0; 3];
    for (time, plan) in times.iter_mut().zip(plans) {
        let program = device.prepare(plan)?;
        let run = || -> Result<f64> {
            let start = Instant::now();
            device.run(&program)?;
            device.wait()?;
            Ok(start.elapsed().as_secs_f64())
        };
        run()?;
        let mut samples = (0..SAMPLES).map(|_| run()).collect::<Result<Vec<f64>>>()?;
        samples.sort_by(f64::total_cmp);
        *time = samples[SAMPLES / 2];
    }
    Ok(times)
}
