//! From which density on the dense products are faster than the sparse ones: the constants of `rootlet::dense`.
//!
//! `cargo run --release --example dense_crossover -- [ADAPTER [PART OF A LAYER'S NAME]]`

use std::time::Instant;

use rootlet::Result;
use rootlet::engine::{Buffer, Class, Device, DeviceOptions, Plan};
use rootlet::layer::{DenseWeights, SparsePass};
use rootlet::sparse::{Arena, LayerState, Shape, Window, initialise};

/// Members of a batch.
const BATCH: usize = 128;

/// Samples of which the median counts.
const SAMPLES: usize = 15;

fn main() -> Result<()> {
    let adapter = std::env::args().nth(1).unwrap_or("cpu".into());
    let part = std::env::args().nth(2).unwrap_or_default();
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
        if name.contains(&part) {
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
    let full = Problem::new(device, initialise(shape, shape.dense(), 1, 0), window)?;
    show("dense", times(device, &full.dense(false)?)?);
    show("sparse, full", times(device, &full.sparse()?)?);
    // Forward and backward of a layer that lacks connections; its gradient is of its connections alone either way.
    let mut before: Option<[f64; 2]> = None;
    for percent in [10, 20, 30, 40, 50, 60, 80, 100] {
        let density = f64::from(percent) / 100.0;
        let count = (density * shape.dense() as f64) as u64;
        let problem = Problem::new(device, initialise(shape, count, 1, 0), window)?;
        let [sparse, dense] = times(device, &both(problem.sparse()?, problem.dense(true)?))?;
        let lead = sparse - dense;
        println!(
            "{name:38} {percent:3} %  sparse {:8.3} ms  dense {:8.3} ms",
            sparse * 1e3,
            dense * 1e3
        );
        if let Some([last, lag]) = before.filter(|[_, lag]| *lag < 0.0 && lead >= 0.0) {
            let tie = last + (density - last) * lag / (lag - lead);
            println!("{name:38} a tie at a density of {tie:.2}");
        }
        before = Some([density, lead]);
    }
    Ok(())
}

struct Problem {
    arena: Arena,
    layer: SparsePass,
    input: Buffer,
    delta: Buffer,
    input_gradient: Buffer,
    output: Buffer,
    expanded: Buffer,
}

impl Problem {
    fn new(device: &Device, state: LayerState, window: Window) -> Result<Self> {
        let arena = Arena::new(device, &[state])?;
        let span = arena.spans()[0];
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
            expanded: device.buffer("expanded", Class::Scratch, span.n_in * span.n_out)?,
            layer: SparsePass {
                span,
                window,
                lanes: BATCH,
                bias: false,
                relu: false,
            },
            arena,
        })
    }

    fn sparse(&self) -> Result<[Plan; 3]> {
        let (l, arena) = (&self.layer, &self.arena);
        let [input, delta] = [&self.input, &self.delta].map(Buffer::all);
        let mut plans = [(); 3].map(|()| Plan::new("product"));
        l.forward(&mut plans[0], arena, input.clone(), self.output.all())?;
        let dx = self.input_gradient.all();
        l.backward(&mut plans[1], arena, delta.clone(), None, dx, false)?;
        l.gradients(&mut plans[2], arena, input, delta, false)?;
        Ok(plans)
    }

    /// `expand`: from a copy of the weights, made for each of the two products that read them.
    fn dense(&self, expand: bool) -> Result<[Plan; 3]> {
        let (l, arena) = (&self.layer, &self.arena);
        let [input, delta] = [&self.input, &self.delta].map(Buffer::all);
        let mut plans = [(); 3].map(|()| Plan::new("product"));
        let weights = |plan: &mut Plan| match expand {
            true => l.expand(plan, arena, self.expanded.all()),
            false => Ok(DenseWeights {
                weights: arena.weights().all(),
                first: 0,
            }),
        };
        let w = weights(&mut plans[0])?;
        l.forward_dense(&mut plans[0], arena, w, input.clone(), self.output.all())?;
        let w = weights(&mut plans[1])?;
        let dx = self.input_gradient.all();
        l.backward_dense(&mut plans[1], w, delta.clone(), None, dx, false)?;
        if !expand {
            l.gradients_dense(&mut plans[2], arena, 0, [input, delta], false)?;
        }
        Ok(plans)
    }
}

/// Forward and backward of either.
fn both([forward, backward, _]: [Plan; 3], [dense, dense_backward, _]: [Plan; 3]) -> [Plan; 2] {
    [(forward, backward), (dense, dense_backward)].map(|(mut plan, second)| {
        plan.append(second);
        plan
    })
}

/// Median seconds of each plan; the plans take turns, so that a busy machine is as busy for all.
fn times<const N: usize>(device: &Device, plans: &[Plan; N]) -> Result<[f64; N]> {
    let programs = plans.iter().map(|plan| device.prepare(plan));
    let programs = programs.collect::<Result<Vec<_>>>()?;
    let mut samples = [const { Vec::new() }; N];
    for round in 0..=SAMPLES {
        for (samples, program) in samples.iter_mut().zip(&programs) {
            let start = Instant::now();
            device.run(program)?;
            device.wait()?;
            // In the first run drivers compile.
            if round > 0 {
                samples.push(start.elapsed().as_secs_f64());
            }
        }
    }
    Ok(samples.map(|mut samples| {
        samples.sort_by(f64::total_cmp);
        samples[SAMPLES / 2]
    }))
}
