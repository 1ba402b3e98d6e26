//! Gradients of a convolution's connections in slices of its lines, and their sum.

use rootlet::engine::{Class, Device, Grid, Plan, STEP_WORDS, StepState, WorkgroupShape};
use rootlet::sparse::{
    Arena, ConvMerge, ConvMergeParams, ConvSddmm, ConvSddmmNormal, ConvSddmmNormalParams,
    ConvSddmmParams, LayerSpan, LayerState, PairGradients, Slices, Window,
};

use crate::case::Case;
use crate::common::{Random, devices};
use crate::conv_sddmm::{Norm, assert_close, cases};

/// Slices of the lines, as many as there are and as leave the last with fewer, and what is added of them.
#[test]
fn slices_add_up_to_the_gradients() {
    let random = &mut Random(7);
    let cases = cases(random);
    for (name, device) in devices() {
        for (i, case) in cases.iter().enumerate() {
            if case.window.is_pointwise() {
                continue;
            }
            let lines = case.window.output[0];
            for slices in [2, lines.div_ceil(2), lines] {
                let norm = (i % 2 == 0).then(|| Norm {
                    saved: random.reals(4 * case.n_in / case.window.taps()),
                    relu: i % 4 == 0,
                });
                let accumulate = i % 3 == 0;
                let what = format!("{name}, {slices} slices");
                let (found, before) =
                    solve_sliced(case, norm.as_ref(), slices, accumulate, &device, &what);
                let behind = Case {
                    input: match &norm {
                        Some(norm) => norm.output(case),
                        None => case.input.clone(),
                    },
                    pairs: case.pairs.clone(),
                    delta: case.delta.clone(),
                    ..*case
                };
                let before = accumulate.then_some(before.as_slice());
                assert_close(&behind, &found, before, &what);
            }
        }
    }
}

/// The gradients of the case's layer in so many slices, and what was there before; those of the arena's other layers,
/// which have none, stay.
fn solve_sliced(
    case: &Case,
    norm: Option<&Norm>,
    slices: usize,
    accumulate: bool,
    device: &Device,
    what: &str,
) -> (Vec<f32>, Vec<f32>) {
    let arena = case.arena(device);
    let (first, words, n) = (3, case.pairs.len(), arena.connections());
    let buffer = |label, words: &[u32]| device.buffer_with(label, Class::Scratch, words).unwrap();
    let reals = |label, data: &[f32]| buffer(label, bytemuck::cast_slice(data)).all();
    let before = Random(5).reals(n);
    let gradient = buffer("gradient", bytemuck::cast_slice(&before));
    let sliced = buffer("sliced", &Random(6).noise(slices * n)).all();
    let (row_offsets, cols) = (arena.row_offsets().all(), arena.cols().all());
    let (input, delta) = (reals("input", &case.input), reals("delta", &case.delta));
    let span = &arena.spans()[1];
    let params = ConvSddmmParams {
        slices: slices as u32,
        stride: n as u32,
        ..ConvSddmmParams::new(span, &case.window, case.lanes, false).unwrap()
    };
    let mut plan = Plan::new("slices");
    let gradients = sliced.clone();
    match norm {
        None => {
            let kernel = ConvSddmm {
                params,
                row_offsets,
                cols,
                input,
                delta,
                gradient: gradients,
            };
            plan.dispatch(kernel, params.grid()).unwrap();
        }
        Some(norm) => {
            let state = StepState::whole(1, 2, case.count, 0.1);
            let step = buffer("step", bytemuck::cast_slice(std::slice::from_ref(&state)));
            let kernel = ConvSddmmNormal {
                params: ConvSddmmNormalParams::new(params, norm.relu),
                step: step.range(0..STEP_WORDS),
                row_offsets,
                cols,
                input,
                saved: reals("saved", &norm.saved),
                delta,
                gradient: gradients,
            };
            plan.dispatch(kernel, params.grid()).unwrap();
        }
    }
    let by_row: Vec<u32> = (0..arena.n_rows())
        .map(|row| u32::from(span.rows().contains(&row)) * slices as u32)
        .collect();
    let merge = ConvMerge {
        params: ConvMergeParams {
            connections: n as u32,
            accumulate: accumulate.into(),
            most: slices as u32,
        },
        rows: arena.rows().all(),
        slices: buffer("slices", &by_row).all(),
        sliced,
        gradient: gradient.all(),
    };
    plan.dispatch(merge, Grid::Items(n)).unwrap();
    let program = device.prepare(&plan).unwrap();
    for check in device.run_checked(&program, "").unwrap() {
        check
            .verdict()
            .unwrap_or_else(|e| panic!("{what}, {}: {e}", case.name()));
    }
    let after: Vec<f32> = device.download(&gradient.all()).unwrap();
    let own = first..first + words;
    for (i, (after, before)) in after.iter().zip(&before).enumerate() {
        assert!(own.contains(&i) || after == before, "{what}: word {i}");
    }
    (after[own.clone()].to_vec(), before[own].to_vec())
}

/// As docs/steps.md says: side, channels, lanes, workgroups. Layers that fill a GPU whole have no slices.
#[test]
fn layers_have_as_many_slices_as_fill_a_gpu() {
    let device = Device::cpu(1).unwrap();
    for (side, channels, lanes, workgroups) in [
        (32, 16, 128, 1024),
        (16, 32, 128, 1024),
        (8, 64, 128, 1024),
        (112, 64, 32, 1024),
        (56, 64, 32, 1792),
        (28, 128, 32, 1792),
        (14, 256, 32, 1536),
        (7, 512, 32, 4096),
    ] {
        let window = Window::new([side, side], [3, 3], [1, 1], [1, 1]).unwrap();
        let pairs: Vec<(u32, u32)> = (0..channels as u32).map(|b| (b, b)).collect();
        let layer = LayerState::from_pairs(channels * 9, channels, &pairs);
        let arena = Arena::new(&device, &[layer]).unwrap();
        let buffer = |words| {
            let buffer = device.buffer("x", Class::Scratch, words);
            buffer.unwrap().all()
        };
        let scratch = |words| {
            assert!(words <= 16 * channels);
            buffer(words)
        };
        let gradients = PairGradients {
            span: arena.spans()[0],
            window,
            lanes,
            row_offsets: arena.row_offsets().all(),
            cols: arena.cols().all(),
            input: buffer(64),
            delta: buffer(64),
            output: arena.gradient().all(),
            accumulate: false,
        };
        let layers = [(arena.spans()[0], Some(window))];
        let slices = Slices::new(&device, &layers, lanes, channels, scratch).unwrap();
        let mut plan = Plan::new("test");
        match &slices {
            Some(slices) => gradients.record_in_slices(&mut plan, None, slices, 0),
            None => gradients.record(&mut plan),
        }
        .unwrap();
        let pieces = plan.dispatches()[0].pieces(WorkgroupShape::HARDWARE);
        let groups: Vec<usize> = pieces
            .iter()
            .map(|p| p.grid.workgroups([32, 4, 1]))
            .collect();
        assert_eq!(groups, [workgroups], "{channels} channels");
    }
    let window = Window::new([8, 8], [3, 3], [1, 1], [1, 1]).unwrap();
    let span = LayerSpan {
        n_in: 9,
        n_out: 64,
        first_col: 0,
        first_row: 0,
    };
    let whole = [(span, Some(window)), (span, None)];
    let none = Slices::new(&device, &whole, 4, 64, |_| panic!("no memory is needed"));
    assert!(none.unwrap().is_none());
}
