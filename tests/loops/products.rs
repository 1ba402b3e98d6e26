//! Products and gradients of sparse and full layers at the sizes that people train.

use crate::problem::{BOTH, Data, HARDWARE, NEITHER, SOFTWARE, solve};
use rootlet::dense::{
    DenseForward, DenseForwardParams, DenseGradient, DenseGradientParams, DenseTransposed,
    DenseTransposedParams,
};
use rootlet::engine::{Device, Plan};
use rootlet::sparse::{
    Conv, ConvBackward, ConvBackwardParams, ConvBackwardViews, ConvBeforeNorm, ConvInput,
    ConvParams, ConvStatisticsParams, ConvTransposed, ConvTransposedParams, LayerSpan, NormBefore,
    Normalised, PairGradients, Spmm, SpmmParams, SpmmTransposed, SpmmTransposedParams, Window,
};

/// 3 by 3 with padding.
pub(crate) fn same(plane: [usize; 2]) -> Window {
    Window::new(plane, [3, 3], [1, 1], [1, 1]).unwrap()
}

fn spmm(data: &Data<'_>, plan: &mut Plan, n_in: usize, lanes: usize, relu: bool) {
    let arena = data.layer(n_in, 3);
    let params = SpmmParams::of_layer(&arena.spans()[0], lanes, relu);
    let kernel = Spmm {
        params,
        row_offsets: arena.row_offsets().all(),
        cols: arena.cols().all(),
        weights: arena.weights().all(),
        bias: arena.bias().all(),
        input: data.reals("input", n_in * lanes),
        output: data.reals("output", 3 * lanes),
    };
    plan.dispatch(kernel, params.grid()).unwrap();
}

/// Case: an image of 224 pixels into a perceptron has rows of up to 150,528 connections.
#[test]
fn rows_of_a_hundred_thousand_connections() {
    solve(BOTH, |data, plan| spmm(data, plan, 100_000, 4, true));
    solve(BOTH, |data, plan| spmm(data, plan, 65_536, 132, false));
    // Four vectors per lane, one after another.
    solve(SOFTWARE, |data, plan| spmm(data, plan, 20_000, 124, true));
    solve(NEITHER, |data, plan| spmm(data, plan, 59_900, 4, true));
}

#[test]
fn columns_of_a_hundred_thousand_connections() {
    for (relu, accumulate) in [(false, false), (true, true)] {
        solve(BOTH, |data, plan| {
            let (n_out, lanes) = (100_000, 4);
            let arena = data.layer(3, n_out);
            let params = SpmmTransposedParams::of_layer(&arena.spans()[0], lanes, relu, accumulate);
            let kernel = SpmmTransposed {
                params,
                col_offsets: arena.col_offsets().all(),
                order: arena.order().all(),
                order_rows: arena.order_rows().all(),
                weights: arena.weights().all(),
                delta: data.reals("delta", n_out * lanes),
                activation: data.reals("activation", 3 * lanes),
                output: data.reals("output", 3 * lanes),
            };
            plan.dispatch(kernel, params.grid()).unwrap();
        });
    }
}

/// A convolution of 900 channels on planes of 4 by 5 (and a last tile of one position), both ways.
#[test]
fn wide_convolutions() {
    let (window, lanes, wide) = (same([4, 5]), 12, 900);
    let plane = 20 * lanes;
    solve(SOFTWARE, |data, plan| {
        let arena = data.layer(wide * 9, 2);
        let params = ConvParams::of_layer(&arena.spans()[0], &window, lanes, true).unwrap();
        let kernel = Conv {
            params,
            row_offsets: arena.row_offsets().all(),
            cols: arena.cols().all(),
            weights: arena.weights().all(),
            bias: arena.bias().all(),
            input: data.reals("input", wide * plane),
            output: data.reals("output", 2 * plane),
        };
        plan.dispatch(kernel, params.grid()).unwrap();
    });
    for accumulate in [false, true] {
        solve(SOFTWARE, |data, plan| {
            // Two channels, of which the first has a tap with connections to all outputs.
            let arena = data.layer(18, wide);
            let span = &arena.spans()[0];
            let params = ConvTransposedParams::of_layer(span, &window, lanes, accumulate).unwrap();
            let kernel = ConvTransposed {
                params,
                col_offsets: arena.col_offsets().all(),
                cols: arena.cols().all(),
                order: arena.order().all(),
                order_rows: arena.order_rows().all(),
                weights: arena.weights().all(),
                delta: data.reals("delta", wide * plane),
                output: data.reals("output", 2 * plane),
            };
            plan.dispatch(kernel, params.grid()).unwrap();
        });
    }
}

fn pair_gradients(
    data: &Data<'_>,
    plan: &mut Plan,
    window: Window,
    [channels, n_out, lanes]: [usize; 3],
    accumulate: bool,
) {
    let arena = data.layer(channels * window.taps(), n_out);
    let positions = window.output_positions();
    let gradients = PairGradients {
        span: arena.spans()[0],
        window,
        lanes,
        row_offsets: arena.row_offsets().all(),
        cols: arena.cols().all(),
        input: data.reals("input", channels * window.input_positions() * lanes),
        delta: data.reals("delta", n_out * positions * lanes),
        output: data.reals("output", arena.cols().words()),
        accumulate,
    };
    gradients.record(plan).unwrap();
}

/// Case: a batch of 128 at 32 by 32 pixels, and images of 224 pixels.
#[test]
fn gradients_of_convolutions() {
    let one = |y, x| Window::new([y, x], [1, 3], [1, 1], [0, 1]).unwrap();
    let stem = Window::new([224, 224], [7, 7], [2, 2], [3, 3]).unwrap();
    for (shapes, window, sizes) in [
        (SOFTWARE, same([224, 224]), [1, 1, 64]),
        (SOFTWARE, stem, [1, 1, 80]),
        // Lines that are too long on their own.
        (SOFTWARE, one(2, 8000), [1, 1, 264]),
        // More pairs per row than eight workgroups can take.
        (SOFTWARE, same([8, 8]), [900, 1, 128]),
        (HARDWARE, same([1, 1]), [8000, 1, 4]),
        // As long as loops may be.
        (NEITHER, same([32, 32]), [3, 2, 128]),
        (NEITHER, same([8, 8]), [16, 2, 128]),
    ] {
        for accumulate in [false, true] {
            let record = |data: &Data<'_>, plan: &mut Plan| {
                pair_gradients(data, plan, window, sizes, accumulate);
            };
            solve_shared(shapes, record);
        }
    }
}

/// Like [`solve`]: with more workgroups sharing a row, a dispatch stays in one piece.
fn solve_shared(shapes: &[rootlet::engine::WorkgroupShape], record: impl Fn(&Data<'_>, &mut Plan)) {
    let device = Device::cpu(1).unwrap();
    let mut plan = Plan::new("pieces");
    record(&Data(&device), &mut plan);
    let dispatch = &plan.dispatches()[0];
    let cut: Vec<_> = rootlet::engine::WorkgroupShape::ALL
        .into_iter()
        .filter(|&shape| dispatch.pieces(shape).len() > 1)
        .collect();
    for shape in rootlet::engine::WorkgroupShape::ALL {
        let pieces = dispatch.pieces(shape);
        let changed = pieces.len() > 1 || pieces[0].grid != dispatch.grid;
        assert_eq!(changed, shapes.contains(&shape), "{shape:?}: {pieces:?}");
    }
    solve(&cut, record);
}

/// Rows of 200,000 pairs, and 400,000 samples and positions.
#[test]
fn gradients_of_linear_layers() {
    let record = |n_in, lanes, accumulate| {
        move |data: &Data<'_>, plan: &mut Plan| {
            pair_gradients(
                data,
                plan,
                Window::pointwise([1, 1]),
                [n_in, 2, lanes],
                accumulate,
            );
        }
    };
    solve_shared(BOTH, record(200_000, 4, false));
    solve_shared(SOFTWARE, record(70, 400_000, false));
    solve_shared(SOFTWARE, record(70, 400_000, true));
    solve_shared(BOTH, record(3, 1_000_000, false));
    solve_shared(NEITHER, record(70, 512, false));
}

pub(crate) fn full(window: &Window, channels: usize, rows: usize) -> LayerSpan {
    LayerSpan {
        n_in: channels * window.taps(),
        n_out: rows,
        first_col: 0,
        first_row: 0,
    }
}

#[test]
fn full_layers_of_a_hundred_thousand_inputs() {
    let point = Window::pointwise([1, 1]);
    for (shapes, window, channels, lanes, relu) in [
        (BOTH, point, 100_000, 4, true),
        (BOTH, point, 45_000, 36, false),
        (SOFTWARE, same([4, 5]), 1700, 12, true),
        (NEITHER, point, 14_900, 128, true),
    ] {
        let words = |positions, units| units * positions * lanes;
        let (input, output) = (window.input_positions(), window.output_positions());
        solve(shapes, |data, plan| {
            let span = full(&window, channels, 3);
            let params = DenseForwardParams::of_layer(&span, &window, lanes, 0, relu).unwrap();
            let kernel = DenseForward {
                params,
                weights: data.reals("weights", span.n_in * 3),
                bias: data.reals("bias", 3),
                input: data.reals("input", words(input, channels)),
                output: data.reals("output", words(output, 3)),
            };
            plan.dispatch(kernel, params.grid()).unwrap();
        });
        for accumulate in [false, true] {
            solve(shapes, |data, plan| {
                let span = full(&window, 3, channels);
                let params =
                    DenseTransposedParams::of_layer(&span, &window, lanes, 0, relu, accumulate)
                        .unwrap();
                let kernel = DenseTransposed {
                    params,
                    weights: data.reals("weights", span.n_in * channels),
                    delta: data.reals("delta", words(output, channels)),
                    activation: data.reals("activation", words(input, 3)),
                    output: data.reals("output", words(input, 3)),
                };
                plan.dispatch(kernel, params.grid()).unwrap();
            });
        }
    }
}

#[test]
fn full_layers_of_many_positions() {
    let point = Window::pointwise([1, 1]);
    let stem = Window::new([224, 224], [7, 7], [2, 2], [3, 3]).unwrap();
    for (shapes, window, lanes) in [
        (SOFTWARE, point, 400_000),
        (BOTH, point, 3_600_000),
        (SOFTWARE, stem, 32),
        (BOTH, same([224, 224]), 12),
        (NEITHER, same([32, 32]), 128),
    ] {
        for accumulate in [false, true] {
            solve(shapes, |data, plan| {
                let span = full(&window, 1, 2);
                let params =
                    DenseGradientParams::of_layer(&span, &window, lanes, 0, accumulate).unwrap();
                let kernel = DenseGradient {
                    params,
                    input: data.reals("input", window.input_positions() * lanes),
                    delta: data.reals("delta", 2 * window.output_positions() * lanes),
                    output: data.reals("output", 2 * span.n_in),
                };
                plan.dispatch(kernel, params.grid()).unwrap();
            });
        }
    }
}

/// In both shapes over positions; one with few lanes has more positions.
#[test]
fn gradients_behind_a_norm() {
    for (shapes, side) in [(NEITHER, 32), (SOFTWARE, 192)] {
        for accumulate in [false, true] {
            solve(shapes, |data, plan| {
                let (window, lanes) = (same([side, side]), 128);
                let arena = data.layer(window.taps(), 2);
                let words = side * side * lanes;
                let input = data.reals("input", words);
                let gradients = PairGradients {
                    span: arena.spans()[0],
                    window,
                    lanes,
                    row_offsets: arena.row_offsets().all(),
                    cols: arena.cols().all(),
                    input: input.clone(),
                    delta: data.reals("delta", 2 * words),
                    output: data.reals("output", arena.connections()),
                    accumulate,
                };
                let normalised = Normalised {
                    input,
                    saved: data.reals("saved", 4),
                    relu: true,
                    step: data.step(lanes),
                };
                gradients.record_normalised(plan, normalised).unwrap();
            });
        }
    }
}

/// A unit with thousands of connections, planes in parts of several blocks, strides; never in pieces.
#[test]
fn convolutions_beside_norms() {
    let strided = Window::new([29, 31], [3, 3], [2, 2], [1, 1]).unwrap();
    for (window, [channels, n_out], lanes) in [
        (same([32, 32]), [16, 16], 128),
        (same([100, 100]), [2, 3], 32),
        (same([7, 7]), [200, 150], 32),
        (strided, [9, 30], 20),
    ] {
        let input = channels * window.input_positions() * lanes;
        let output = n_out * window.output_positions() * lanes;
        let norm = |data: &Data<'_>| Normalised {
            input: data.reals("normed", input),
            saved: data.reals("saved", 4 * channels),
            relu: true,
            step: data.step(lanes),
        };
        for behind in [false, true] {
            solve(NEITHER, |data, plan| {
                let arena = data.layer(channels * window.taps(), n_out);
                let span = &arena.spans()[0];
                let params = ConvStatisticsParams::of_layer(span, &window, lanes).unwrap();
                assert!(params.fits());
                let product = ConvBeforeNorm {
                    params,
                    input: match behind {
                        false => ConvInput::Value(data.reals("input", input)),
                        true => ConvInput::NormOf(norm(data)),
                    },
                    step: data.step(lanes),
                    output: data.reals("output", output),
                    parts: data.reals("parts", params.words()),
                };
                product.record(plan, &arena).unwrap();
            });
            solve(NEITHER, |data, plan| {
                let arena = data.layer(channels * window.taps(), n_out);
                let layer = (&arena.spans()[0], &window, lanes);
                let params = ConvBackwardParams::of_layer(layer.0, &window, lanes).unwrap();
                assert!(ConvBackward::fits(layer.0, &window, lanes, None).unwrap());
                let Normalised { input, saved, .. } = norm(data);
                let views = ConvBackwardViews {
                    step: data.step(lanes),
                    input: input.clone(),
                    norm: behind.then(|| NormBefore {
                        input: input.clone(),
                        saved,
                        relu: true,
                        dropped: true,
                        complete: true,
                        sums: Some(data.reals("sums", params.words())),
                    }),
                    delta: data.reals("delta", output),
                    output: data.reals("gradient at the input", input.words()),
                    add: behind,
                    spare: data.reals("spare", 4),
                };
                ConvBackward::record(plan, &arena, layer, views, None, behind).unwrap();
            });
        }
    }
}
