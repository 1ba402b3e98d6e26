//! Convolutions in one dispatch with the sums for the batch norms after and before them.

use rootlet::engine::{Class, Device, Plan, STEP_WORDS, StepState, View};
use rootlet::sparse::{
    ConvBackward, ConvBackwardParams, ConvBackwardViews, ConvBeforeNorm, ConvInput,
    ConvStatisticsParams, LayerSpan, NormBefore, Normalised, STATISTICS, SUMS, Window,
};

use crate::common::{Random, devices};
use crate::oracle;
use crate::problem::{Problem, Product};

/// Odd planes, strides, one position; a unit with more connections than are listed at a time, parts of several blocks,
/// and a layer as people train it.
fn problems(random: &mut Random) -> Vec<Problem> {
    let sizes = [
        ([7, 5], [3, 3], [1, 1], [1, 1], [3, 4], 5, 2),
        ([9, 8], [3, 3], [2, 2], [1, 1], [4, 3], 3, 2),
        ([6, 13], [5, 5], [3, 1], [2, 2], [2, 5], 7, 3),
        ([1, 1], [3, 3], [1, 1], [1, 1], [2, 3], 1, 1),
        ([5, 6], [3, 3], [1, 1], [1, 1], [20, 3], 4, 1),
        ([3, 4], [3, 3], [1, 1], [1, 1], [2, 20], 6, 1),
        ([65, 66], [3, 3], [1, 1], [1, 1], [2, 2], 36, 2),
        ([32, 32], [3, 3], [1, 1], [1, 1], [16, 16], 128, 18),
    ];
    let problem = |(plane, kernel, stride, padding, units, batch, one_of)| {
        let window = Window::new(plane, kernel, stride, padding).unwrap();
        Problem::new(random, window, units, batch, |random, row, _| {
            (row == 0 && one_of < 10) || random.word().is_multiple_of(one_of)
        })
    };
    sizes.into_iter().map(problem).collect()
}

fn step(device: &Device, batch: usize) -> View {
    let state = StepState::whole(1, 2, batch, 0.1);
    let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
    let buffer = device.buffer_with("step", Class::Scratch, words);
    buffer.unwrap().range(0..STEP_WORDS)
}

fn reals(device: &Device, label: &str, numbers: &[f32]) -> View {
    let buffer = device.buffer_with(label, Class::Activations, numbers);
    buffer.unwrap().all()
}

/// Runs a plan beside its twins.
fn run(device: &Device, plan: &Plan, what: &str) {
    let program = device.prepare(plan).unwrap();
    for check in device.run_checked(&program, "").unwrap() {
        check.verdict().unwrap_or_else(|e| panic!("{what}: {e}"));
    }
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64, what: &str) {
    let off = (found - expected).abs();
    assert!(
        off <= tolerance,
        "{what}: {found}, not {expected} ± {tolerance:.1e}"
    );
}

/// Runs the forward pass of a problem, after a norm or not, and compares its value and the statistics.
fn check_statistics(device: &Device, problem: &mut Problem, norm: Option<&Norm>, name: &str) {
    let product = Product::Forward { relu: false };
    let behind = norm.map(|norm| norm.relu);
    let what = format!("{name}, norm {behind:?}, {}", problem.name(product));
    let (arena, layer) = problem.arena(device);
    let (window, lanes) = (problem.window, problem.lanes());
    let params = ConvStatisticsParams::of_layer(&layer.span, &window, lanes).unwrap();
    assert!(params.fits());
    let own = problem.input.clone();
    let step = step(device, problem.batch);
    let input = match norm {
        None => ConvInput::Value(reals(device, "input", &own)),
        Some(norm) => {
            let plane = window.input_positions() * lanes;
            for (i, h) in problem.input.iter_mut().enumerate() {
                let y = norm.output(i / plane, norm.input[i]);
                *h = if norm.relu && y < 0.0 { 0.0 } else { y };
            }
            ConvInput::NormOf(Normalised {
                input: reals(device, "normed", &norm.input),
                saved: reals(device, "saved", &norm.saved),
                relu: norm.relu,
                step: step.clone(),
            })
        }
    };
    let output = reals(device, "output", &vec![f32::NAN; problem.delta.len()]);
    let parts = reals(device, "parts", &vec![f32::NAN; params.words()]);
    let product_of_layer = ConvBeforeNorm {
        params,
        input,
        step,
        output: output.clone(),
        parts: parts.clone(),
    };
    let mut plan = Plan::new("test");
    product_of_layer.record(&mut plan, &arena).unwrap();
    run(device, &plan, &what);

    let found: Vec<f32> = device.download(&output).unwrap();
    problem.assert_found(&found, &oracle::solve(problem, product), product, &what);
    let parts: Vec<f32> = device.download(&parts).unwrap();
    let plane = window.output_positions() * lanes;
    let of_channel = parts[..params.words()].chunks(STATISTICS * params.parts as usize);
    for (values, parts) in found.chunks(plane).zip(of_channel) {
        let members: Vec<f64> = (values.chunks(lanes))
            .flat_map(|row| row[..problem.batch].iter().map(|x| f64::from(*x)))
            .collect();
        let n = members.len() as f64;
        let mean = members.iter().sum::<f64>() / n;
        let squares: f64 = members.iter().map(|x| (x - mean).powi(2)).sum();
        let (mut count, mut sum, mut about) = (0.0, 0.0, 0.0);
        for part in parts.chunks(STATISTICS) {
            let [own, at, off] = [0, 1, 2].map(|i| f64::from(part[i]));
            count += own;
            sum += own * at;
            about += off + own * (at - mean).powi(2);
        }
        assert_eq!(count, n, "{what}");
        let largest = members.iter().fold(0.0, |m: f64, x| m.max(x.abs()));
        assert_near(sum / n, mean, 1e-6 * largest, &what);
        assert_near(about, squares, 1e-5 * squares + 1e-12 * n * largest, &what);
    }
    problem.input = own;
}

#[test]
fn statistics_are_those_of_what_the_convolution_makes() {
    let random = &mut Random(11);
    let mut problems = problems(random);
    for (name, device) in devices() {
        for (i, problem) in problems.iter_mut().enumerate() {
            check_statistics(&device, problem, None, &name);
            let norm = Norm::new(random, problem, i % 2 == 0);
            check_statistics(&device, problem, Some(&norm), &name);
        }
    }
}

/// A norm before a layer.
struct Norm {
    input: Vec<f32>,
    saved: Vec<f32>,
    relu: bool,
    dropped: bool,
    complete: bool,
    sums: bool,
}

impl Norm {
    /// Its output was dropped, and all of the gradient is computed; garbage in the padding lanes.
    fn new(random: &mut Random, problem: &Problem, relu: bool) -> Self {
        let mut input = random.reals(problem.input.len());
        for row in input.chunks_mut(problem.lanes()) {
            row[problem.batch..].fill(3e30);
        }
        Norm {
            input,
            saved: random.reals(4 * problem.channels),
            relu,
            dropped: true,
            complete: true,
            sums: true,
        }
    }

    /// `[mean, inverse, weight, bias]` of a channel.
    fn channel(&self, c: usize) -> [f32; 4] {
        let channels = self.saved.len() / 4;
        [0, 1, 2, 3].map(|row| self.saved[row * channels + c])
    }

    /// The output at a place of a channel, before the ReLU.
    fn output(&self, c: usize, x: f32) -> f32 {
        let [mean, inverse, weight, bias] = self.channel(c);
        (x - mean) * (inverse * weight) + bias
    }
}

/// A sum so far, and the sum of the terms' magnitudes.
#[derive(Clone, Copy, Default)]
struct Terms {
    n: f64,
    sum: f64,
    magnitude: f64,
}

impl Terms {
    fn add(&mut self, term: f64) {
        self.n += 1.0;
        self.sum += term;
        self.magnitude += term.abs();
    }

    fn assert_near(&self, found: f32, what: &str) {
        let tolerance = (self.n + 4.0) * f64::from(f32::EPSILON) * self.magnitude;
        assert_near(f64::from(found), self.sum, tolerance, what);
    }
}

/// The gradients of a problem's connections, by their definition.
fn gradients(problem: &Problem, before: Option<&[f32]>) -> Vec<Terms> {
    let (window, lanes) = (&problem.window, problem.lanes());
    let mut all = Vec::new();
    for (j, &(row, col, _)) in problem.connections.iter().enumerate() {
        let (channel, tap) = (col as usize / window.taps(), col as usize % window.taps());
        let [ky, kx] = [tap / window.kernel[1], tap % window.kernel[1]];
        let mut terms = Terms::default();
        before
            .into_iter()
            .for_each(|before| terms.add(before[j].into()));
        for y in window.valid(0, ky) {
            for x in window.valid(1, kx) {
                let iy = y * window.stride[0] + ky - window.padding[0];
                let ix = x * window.stride[1] + kx - window.padding[1];
                let from = ((channel * window.input[0] + iy) * window.input[1] + ix) * lanes;
                let to = ((row as usize * window.output[0] + y) * window.output[1] + x) * lanes;
                for lane in 0..problem.batch {
                    let [h, d] = [problem.input[from + lane], problem.delta[to + lane]];
                    terms.add(f64::from(h) * f64::from(d));
                }
            }
        }
        all.push(terms);
    }
    all
}

/// Runs the backward pass of a problem, after a norm or after something else, and compares everything that it writes.
fn check(device: &Device, problem: &mut Problem, norm: Option<&Norm>, add: bool, name: &str) {
    let (lanes, batch) = (problem.lanes(), problem.batch);
    let window = problem.window;
    let plane = window.input_positions() * lanes;
    let own = problem.input.clone();
    if let Some(norm) = norm.filter(|norm| norm.dropped) {
        for (i, h) in problem.input.iter_mut().enumerate() {
            let y = norm.output(i / plane, norm.input[i]);
            *h = if i % lanes >= batch || (norm.relu && y < 0.0) {
                0.0
            } else {
                y
            };
        }
    }
    let what = format!(
        "{name}, {} to {} channels, batch {batch}, {window:?}, add {add}, norm {:?}",
        problem.channels,
        problem.rows,
        norm.map(|n| [n.relu, n.dropped, n.complete, n.sums])
    );
    let (arena, layer) = problem.arena(device);
    let params = ConvBackwardParams::of_layer(&layer.span, &window, lanes).unwrap();
    let output = reals(device, "output", &problem.before);
    let sums = reals(device, "sums", &vec![f32::NAN; params.words()]);
    let others = arena.connections() - problem.connections.len();
    let before = Random(5).reals(arena.connections());
    device
        .upload(&arena.gradient().range(0..before.len()), &before)
        .unwrap();
    let views = ConvBackwardViews {
        step: step(device, batch),
        input: reals(device, "input", &own),
        norm: norm.map(|norm| NormBefore {
            input: reals(device, "normed", &norm.input),
            saved: reals(device, "saved", &norm.saved),
            relu: norm.relu,
            dropped: norm.dropped,
            complete: norm.complete,
            sums: norm.sums.then(|| sums.clone()),
        }),
        delta: reals(device, "delta", &problem.delta),
        output: output.clone(),
        add,
        spare: reals(device, "spare", &[0.0; 4]),
    };
    let mut plan = Plan::new("test");
    let of_layer = (&layer.span, &window, lanes);
    assert!(device.binds::<ConvBackward>() && layer_fits(&of_layer));
    ConvBackward::record(&mut plan, &arena, of_layer, views, None, add).unwrap();
    run(device, &plan, &what);

    let masked = norm.is_some_and(|norm| norm.relu && norm.complete);
    let product = Product::Backward {
        accumulate: add,
        mask: masked,
    };
    let found: Vec<f32> = device.download(&output).unwrap();
    let mut expected = oracle::solve(problem, product);
    if let Some(norm) = norm.filter(|norm| masked && norm.dropped) {
        // A fused multiply-add may see another sign than this code.
        for (i, (sum, found)) in expected.iter_mut().zip(&found).enumerate() {
            if norm.output(i / plane, norm.input[i]).abs() < 1e-5 {
                sum.value = (*found).into();
            }
        }
    }
    problem.assert_found(&found, &expected, product, &what);

    let after: Vec<f32> = device
        .download(&arena.gradient().range(0..before.len()))
        .unwrap();
    assert_eq!(after[..others], before[..others], "{what}");
    let expected = gradients(problem, add.then_some(&before[others..]));
    for (j, (terms, found)) in expected.iter().zip(&after[others..]).enumerate() {
        terms.assert_near(*found, &format!("{what}: connection {j}"));
    }

    if let Some(norm) = norm.filter(|norm| norm.sums) {
        let sums: Vec<f32> = device.download(&sums).unwrap();
        for (c, parts) in sums[..params.words()]
            .chunks(SUMS * params.parts as usize)
            .enumerate()
        {
            let [mean, inverse, ..] = norm.channel(c);
            let [mut of_delta, mut of_product] = [Terms::default(); 2];
            for i in (c * plane..(c + 1) * plane).filter(|i| i % lanes < batch) {
                let dz = f64::from(found[i]);
                of_delta.add(dz);
                of_product.add(dz * f64::from((norm.input[i] - mean) * inverse));
            }
            let total = |i: usize| parts.iter().skip(i).step_by(SUMS).sum::<f32>();
            of_delta.assert_near(total(0), &format!("{what}: channel {c}"));
            of_product.assert_near(total(1), &format!("{what}: channel {c}, normalised"));
        }
    }
    problem.input = own;
}

fn layer_fits((span, window, lanes): &(&LayerSpan, &Window, usize)) -> bool {
    ConvBackward::fits(span, window, *lanes, None).unwrap()
}

#[test]
fn the_backward_pass_at_once_is_that_by_its_definition() {
    let random = &mut Random(12);
    let mut problems = problems(random);
    for (name, device) in devices() {
        for (i, problem) in problems.iter_mut().enumerate() {
            let mut norm = Norm::new(random, problem, true);
            check(&device, problem, Some(&norm), i % 2 == 0, &name);
            norm.dropped = false;
            check(&device, problem, Some(&norm), i % 2 == 1, &name);
            norm.relu = i % 2 == 0;
            norm.complete = !norm.relu;
            norm.sums = norm.complete;
            check(&device, problem, Some(&norm), false, &name);
            norm.dropped = true;
            check(&device, problem, Some(&norm), true, &name);
            check(&device, problem, None, i % 2 == 0, &name);
        }
    }
}
