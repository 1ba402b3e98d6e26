//! Gradients of a convolution's listed connections.

use rootlet::engine::{Class, Device, Plan, STEP_WORDS, StepState};
use rootlet::sparse::{ConvSddmm, ConvSddmmParams, LayerSpan, Normalised, PairGradients, Window};

use crate::case::{Case, WINDOWS, window};
use crate::common::{Random, devices, says};

/// The gradients, and what lay there before if they are added to that; nothing else may be written.
pub fn solve(case: &Case, device: &Device, accumulate: bool, what: &str) -> (Vec<f32>, Vec<f32>) {
    solve_behind(None, case, device, accumulate, what)
}

/// As [`solve`], the input being that of a norm in front of the layer.
fn solve_behind(
    norm: Option<&Norm>,
    case: &Case,
    device: &Device,
    accumulate: bool,
    what: &str,
) -> (Vec<f32>, Vec<f32>) {
    let arena = case.arena(device);
    let (first, words) = (3, case.pairs.len());
    let mut before = Random(3).noise(arena.connections());
    if accumulate {
        before = Random(3)
            .reals(arena.connections())
            .iter()
            .map(|x| x.to_bits())
            .collect();
    }
    let activations = |data: &[f32]| device.buffer_with("x", Class::Activations, data).unwrap();
    let output = device.buffer_with("g", Class::Scratch, &before).unwrap();
    let (input, delta) = (
        activations(&case.input).all(),
        activations(&case.delta).all(),
    );
    let (row_offsets, cols) = (arena.row_offsets().all(), arena.cols().all());
    let mut plan = Plan::new("test");
    match norm {
        None => {
            let span = &arena.spans()[1];
            let params = ConvSddmmParams::new(span, &case.window, case.lanes, accumulate).unwrap();
            let kernel = ConvSddmm {
                params,
                row_offsets,
                cols,
                input,
                delta,
                gradient: output.all(),
            };
            plan.dispatch(kernel, params.grid()).unwrap();
        }
        Some(norm) => {
            let gradients = PairGradients {
                span: arena.spans()[1],
                window: case.window,
                lanes: case.lanes,
                row_offsets,
                cols,
                input: input.clone(),
                delta,
                output: output.all(),
                accumulate,
            };
            let state = StepState::whole(1, 2, case.count, 0.1);
            let words: &[u32] = bytemuck::cast_slice(std::slice::from_ref(&state));
            let step = device.buffer_with("step", Class::Scratch, words).unwrap();
            let normalised = Normalised {
                input,
                saved: activations(&norm.saved).all(),
                relu: norm.relu,
                step: step.range(0..STEP_WORDS),
            };
            gradients.record_normalised(&mut plan, normalised).unwrap();
        }
    }
    let program = device.prepare(&plan).unwrap();
    for check in device.run_checked(&program, "").unwrap() {
        check
            .verdict()
            .unwrap_or_else(|e| panic!("{what}, {}: {e}", case.name()));
    }
    let after: Vec<u32> = device.download(&output.all()).unwrap();
    let own = first..first + words;
    for (i, (after, before)) in after.iter().zip(&before).enumerate() {
        assert!(own.contains(&i) || after == before, "{what}: word {i}");
    }
    let reals = |words: &[u32]| {
        words[own.clone()]
            .iter()
            .map(|w| f32::from_bits(*w))
            .collect()
    };
    (reals(&after), reals(&before))
}

/// A batch norm, as it leaves its statistics and parameters.
pub struct Norm {
    /// `[4][channels]`.
    pub saved: Vec<f32>,
    pub relu: bool,
}

impl Norm {
    /// What the layer sees: `input` through the norm.
    pub fn output(&self, case: &Case) -> Vec<f32> {
        let plane = case.window.input_positions() * case.lanes;
        let channels = case.input.len() / plane;
        let of = |row: usize, c: usize| self.saved[row * channels + c];
        (case.input.iter().enumerate())
            .map(|(i, x)| {
                let c = i / plane;
                let y = (x - of(0, c)) * (of(1, c) * of(2, c)) + of(3, c);
                if self.relu && y < 0.0 { 0.0 } else { y }
            })
            .collect()
    }
}

/// Asserts that these are the gradients, within the bound of a sum of so many products in any order (Higham).
#[track_caller]
pub fn assert_close(case: &Case, found: &[f32], before: Option<&[f32]>, what: &str) {
    for (j, &(b, a)) in case.pairs.iter().enumerate() {
        let (x, d) = (case.patches(a as usize), case.deltas(b as usize));
        let before = before.map_or(0.0, |before| f64::from(before[j]));
        let value = before + x.iter().zip(&d).map(|(x, d)| x * d).sum::<f64>();
        let size = before.abs() + x.iter().zip(&d).map(|(x, d)| (x * d).abs()).sum::<f64>();
        let bound = (x.len() + 8) as f64 * f64::from(f32::EPSILON) * size;
        let error = (f64::from(found[j]) - value).abs();
        assert!(
            error <= bound || (found[j].is_nan() && value.is_nan()),
            "{what}, {}: pair {j} ({a} to {b}) is {}, not {value} ± {bound:.1e}",
            case.name(),
            found[j]
        );
    }
}

pub fn cases(random: &mut Random) -> Vec<Case> {
    let mut cases: Vec<Case> = WINDOWS
        .iter()
        .enumerate()
        .map(|(i, &sizes)| {
            let (channels, n_out) = ([1, 3, 2][i % 3], [4, 1, 5][i % 3]);
            let count = [1, 3, 8, 13, 36][i % 5];
            Case::new(random, window(sizes), channels, n_out, count, Random::real)
        })
        .collect();
    let square = |i, k, s, p| Window::new([i, i], [k, k], [s, s], [p, p]).unwrap();
    let mut add = |window, channels, n_out, count| {
        cases.push(Case::new(
            random,
            window,
            channels,
            n_out,
            count,
            Random::real,
        ));
    };
    // A batch of more lanes than are held at a time, and more output channels than a task of the twin takes.
    add(square(3, 3, 1, 1), 2, 3, 130);
    add(square(4, 3, 2, 1), 2, 37, 5);
    // Rows of more pairs than the workgroups of a row have lanes: 360.
    add(square(2, 3, 1, 1), 40, 3, 4);
    cases
}

#[test]
fn gradients_are_those_of_the_padded_patches() {
    let cases = cases(&mut Random(1));
    for (name, device) in devices() {
        for case in &cases {
            let (found, _) = solve(case, &device, false, &name);
            assert_close(case, &found, None, &name);
            let (found, before) = solve(case, &device, true, &name);
            assert_close(case, &found, Some(&before), &name);
        }
    }
}

#[test]
fn gradients_behind_a_norm_are_those_of_its_output() {
    let random = &mut Random(4);
    let cases = cases(random);
    for (name, device) in devices() {
        // One position alone has a kernel that takes no norm.
        for (i, case) in cases
            .iter()
            .enumerate()
            .filter(|(_, case)| !case.window.is_pointwise())
        {
            let channels = case.n_in / case.window.taps();
            let norm = Norm {
                saved: random.reals(4 * channels),
                relu: i % 2 == 0,
            };
            let behind = Case {
                input: norm.output(case),
                pairs: case.pairs.clone(),
                delta: case.delta.clone(),
                ..*case
            };
            let accumulate = i % 3 == 0;
            let (found, before) = solve_behind(Some(&norm), case, &device, accumulate, &name);
            assert_close(
                &behind,
                &found,
                accumulate.then_some(before.as_slice()),
                &name,
            );
        }
    }
}

#[test]
fn bits_do_not_depend_on_the_number_of_threads() {
    let bits = |found: Vec<f32>| -> Vec<u32> { found.iter().map(|f| f.to_bits()).collect() };
    let devices = [1, 2, 5].map(|threads| Device::cpu(threads).unwrap());
    for case in cases(&mut Random(2)) {
        let [one, two, five] = devices
            .each_ref()
            .map(|device| bits(solve(&case, device, false, "cpu").0));
        assert!(one == two && one == five, "{}", case.name());
    }
}

#[test]
fn a_nan_reaches_the_pairs_that_see_it_alone() {
    let random = &mut Random(3);
    let window = Window::new([5, 4], [3, 3], [2, 1], [1, 1]).unwrap();
    let mut case = Case::new(random, window, 2, 4, 6, Random::real);
    let plane = window.input_positions() * case.lanes;
    // The last sample at the first position of channel 1: not under every tap.
    case.input[plane + case.count - 1] = f32::NAN;
    for (name, device) in devices() {
        let (found, _) = solve(&case, &device, false, &name);
        assert_close(&case, &found, None, &name);
        let nans = found.iter().filter(|f| f.is_nan()).count();
        assert!(nans > 0 && nans < found.len() / 2, "{name}: {nans}");
    }
}

#[test]
fn layers_that_shaders_cannot_index_are_refused() {
    let window = Window::new([4, 4], [3, 3], [1, 1], [1, 1]).unwrap();
    let span = |n_in| LayerSpan {
        n_in,
        n_out: 2,
        first_col: 0,
        first_row: 0,
    };
    says(
        ConvSddmmParams::new(&span(9 * 466_034), &window, 4, false),
        &["4194306 input units", "4,194,304"],
    );
    says(
        ConvSddmmParams::new(&span(10), &window, 4, false),
        &["10 input units", "[3, 3]"],
    );
    ConvSddmmParams::new(&span(9 * 466_033), &window, 4, false).unwrap();
}
