//! Sizes that people train, small in the other dimensions: kernels agree with their twins, and are cut where they must
//! be.

use rootlet::checkpoint::NormKind;
use rootlet::dense::{
    DenseForward, DenseForwardParams, DenseGradient, DenseGradientParams, DenseTransposed,
    DenseTransposedParams,
};
use rootlet::engine::{Device, Grid, Plan, View};
use rootlet::layer::attention::AttentionPass;
use rootlet::layer::norm::{
    BatchNormBackwardViews, BatchNormForwardViews, BatchNormPass, LayerNormGradients,
    LayerNormGradientsParams, LayerNormWholeBackward, LayerNormWholeBackwardParams, NormScratch,
};
use rootlet::layer::{
    AveragePoolPass, BiasGradient, BiasGradientParams, GlobalAveragePass, MaxPoolPass,
    SoftmaxCrossEntropy, SoftmaxCrossEntropyParams,
};
use rootlet::sparse::{
    Conv, ConvParams, ConvTransposed, ConvTransposedParams, LayerSpan, Normalised, PairGradients,
    Spmm, SpmmParams, SpmmTransposed, SpmmTransposedParams, Window,
};
use rootlet::topology::{Distribution, ReportRows, ReportRowsParams, Statistics};

use crate::common::{devices, norms};
use crate::problem::{BOTH, Data, HARDWARE, NEITHER, SOFTWARE, solve};

/// 3 by 3 with padding.
fn same(plane: [usize; 2]) -> Window {
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
    // Four vectors a lane, one after the other.
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
            // Two channels, of which the first has a tap that all outputs are connected to.
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
        (SOFTWARE, same([32, 32]), [3, 2, 128]),
        (SOFTWARE, same([224, 224]), [3, 2, 4]),
        (SOFTWARE, stem, [3, 1, 8]),
        // Lines that are too long by themselves.
        (SOFTWARE, one(2, 600), [8, 1, 264]),
        // More pairs a row than eight workgroups can take.
        (SOFTWARE, same([8, 8]), [300, 1, 128]),
        (HARDWARE, same([1, 1]), [8000, 1, 4]),
        // As long as loops may be.
        (NEITHER, same([32, 32]), [3, 2, 32]),
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

/// As [`solve`]: more workgroups that share a row leave a dispatch in one piece.
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

/// Rows of 200,000 pairs, and 400,000 members and positions.
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

fn full(window: &Window, channels: usize, rows: usize) -> LayerSpan {
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

/// In both shapes over positions, of which one of few lanes has more.
#[test]
fn gradients_behind_a_norm() {
    for (shapes, side) in [(NEITHER, 32), (SOFTWARE, 96)] {
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

#[test]
fn sums_over_many_members_and_positions() {
    for accumulate in [false, true] {
        solve(BOTH, |data, plan| {
            let (lanes, arena) = (1_000_000, data.layer(3, 2));
            let gradients = PairGradients {
                span: arena.spans()[0],
                window: Window::pointwise([1, 1]),
                lanes,
                row_offsets: arena.row_offsets().all(),
                cols: arena.cols().all(),
                input: data.reals("input", 3 * lanes),
                delta: data.reals("delta", 2 * lanes),
                output: data.reals("gradient", arena.connections()),
                accumulate,
            };
            let bias = data.reals("bias", arena.n_rows());
            gradients.record_with_bias(plan, bias).unwrap();
        });
    }
    for accumulate in [0, 1] {
        solve(SOFTWARE, |data, plan| {
            let lanes = 400_000;
            let params = BiasGradientParams {
                rows: 2,
                vectors: lanes as u32 / 4,
                first_row: 0,
                accumulate,
            };
            let kernel = BiasGradient {
                params,
                delta: data.reals("delta", 2 * lanes),
                gradient: data.reals("gradient", 4),
            };
            plan.dispatch(kernel, Grid::Items(2)).unwrap();
        });
        solve(SOFTWARE, |data, plan| {
            let items = 500_000;
            let params = LayerNormGradientsParams {
                channels: 1,
                items: items as u32,
                weight: 0,
                bias: 1,
                accumulate,
            };
            let kernel = LayerNormGradients {
                params,
                input: data.reals("input", 4 * items),
                delta: data.reals("delta", 4 * items),
                saved: data.reals("saved", 8 * items),
                gradient: data.reals("gradient", 4),
            };
            plan.dispatch(kernel, Grid::Groups(1)).unwrap();
        });
        solve(SOFTWARE, |data, plan| {
            let items = 500_000;
            let params = LayerNormWholeBackwardParams {
                channels: 1,
                items: items as u32,
                weight: 0,
                bias: 1,
                accumulate,
                add: accumulate,
            };
            let kernel = LayerNormWholeBackward {
                params,
                input: data.reals("input", 4 * items),
                delta: data.reals("delta", 4 * items),
                saved: data.reals("saved", 8 * items),
                values: data.reals("values", 4),
                gradient: data.reals("gradient", 4),
                output: data.reals("result", 4 * items),
            };
            plan.dispatch(kernel, Grid::Groups(1)).unwrap();
        });
    }
}

/// A plane of 224 by 224 pixels, and the largest that a workgroup takes whole.
#[test]
fn batch_norms_of_large_planes() {
    for (positions, lanes) in [(50_176, 8), (8192, 4)] {
        for fused in [false, true] {
            solve(NEITHER, |data, plan| {
                let norm = BatchNormPass {
                    channels: 1,
                    positions,
                    lanes,
                    relu: true,
                    fused,
                };
                let device = data.0;
                let parameters = norms::upload(device, &[norms::norm(NormKind::Batch, 1)]);
                let (own, step) = (parameters.layer(0).unwrap(), data.step(lanes));
                let scratch = NormScratch::new(device, &[norm]).unwrap();
                let words = positions * lanes;
                let views = BatchNormForwardViews {
                    input: data.reals("input", words),
                    residual: None,
                    output: data.reals("output", words),
                    saved: data.reals("saved", norm.saved_words()),
                };
                norm.forward_train(plan, &own, &scratch, &step, views.clone(), true)
                    .unwrap();
                // The kernels of tiles have no binding left for the counter.
                if !fused || positions > 8192 {
                    return;
                }
                let views = BatchNormBackwardViews {
                    input: views.input,
                    delta: data.reals("delta", words),
                    activation: None,
                    saved: views.saved,
                    output: data.reals("result", words),
                    residual: None,
                };
                norm.backward(plan, &own, &scratch, &step, views, false)
                    .unwrap();
            });
        }
    }
}

#[test]
fn pools_of_large_planes() {
    let window = Window::new([6, 224], [3, 3], [2, 2], [1, 1]).unwrap();
    let lanes = 256;
    let [input, output] = [6 * 224 * lanes, 3 * 112 * lanes];
    for accumulate in [false, true] {
        solve(SOFTWARE, |data, plan| {
            let pool = MaxPoolPass {
                channels: 1,
                window,
                lanes,
            };
            let values = data.reals("input", input);
            let largest = data.reals("output", output);
            pool.forward(plan, values.clone(), largest.clone()).unwrap();
            let delta = data.reals("delta", output);
            pool.backward(
                plan,
                values,
                largest,
                delta,
                data.reals("result", input),
                accumulate,
            )
            .unwrap();
        });
        solve(BOTH, |data, plan| {
            let pool = GlobalAveragePass {
                units: 1,
                positions: 224 * 224,
                lanes: 160,
            };
            let words = pool.positions * pool.lanes;
            let (planes, means) = (data.reals("planes", words), data.reals("means", 160));
            pool.forward(plan, planes, means.clone()).unwrap();
            pool.backward(plan, means, data.reals("result", words), accumulate)
                .unwrap();
        });
    }
    let wide = Window::new([10, 400], [10, 10], [1, 1], [0, 0]).unwrap();
    solve(SOFTWARE, |data, plan| {
        let pool = AveragePoolPass {
            channels: 1,
            window: wide,
            lanes: 36,
        };
        let [input, output] = [10 * 400 * 36, 391 * 36];
        pool.forward(
            plan,
            data.reals("input", input),
            data.reals("output", output),
        )
        .unwrap();
    });
}

#[test]
fn attention_of_large_batches() {
    for fused in [false, true] {
        solve(SOFTWARE, |data, plan| {
            let attention = AttentionPass {
                heads: 1,
                dim: 8,
                tokens: 30,
                lanes: 5000,
                fused,
            };
            let qkv = data.reals("qkv", attention.qkv_words());
            let probabilities = data.reals("probabilities", attention.probability_words());
            let output = data.reals("output", attention.output_words());
            let step = data.step(attention.lanes);
            attention
                .forward(plan, step, qkv.clone(), probabilities.clone(), output)
                .unwrap();
            let delta = data.reals("delta", attention.output_words());
            let scratch = data.reals("scratch", attention.scratch_words());
            let result = data.reals("result", attention.qkv_words());
            attention
                .backward(plan, qkv, probabilities, delta, scratch, result)
                .unwrap();
        });
    }
}

#[test]
fn losses_over_twenty_thousand_classes() {
    let lanes = 12;
    for classes in [21_841, 59_996] {
        solve(NEITHER, |data, plan| {
            let words = classes as usize * lanes;
            let kernel = SoftmaxCrossEntropy {
                params: SoftmaxCrossEntropyParams {
                    classes,
                    lanes: lanes as u32,
                    smoothing: 0.1,
                },
                step: data.step(lanes),
                logits: data.reals("logits", words),
                labels: data.words("labels", &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, classes - 1, 0]),
                delta: data.reals("delta", words),
                losses: data.reals("losses", lanes),
                correct: data.reals("correct", lanes),
            };
            plan.dispatch(kernel, Grid::Items(lanes)).unwrap();
        });
    }
}

#[test]
fn reports_of_long_rows() {
    let items = 100_000u32;
    solve(BOTH, |data, plan| {
        let ranks: Vec<u32> = (0..=items).map(|i| i / 2).collect();
        let kernel = ReportRows {
            params: ReportRowsParams { rows: 3, items },
            offsets: data.words("offsets", &[0, items - 1, items - 1, items]),
            ranks: data.words("ranks", &ranks),
            values: data.reals("values", items as usize),
            sums: data.reals("sums", 4),
        };
        plan.dispatch(kernel, Grid::Items(3)).unwrap();
    });
}

/// The sums behind f and g are cut alike everywhere, so that their bits stay the same.
#[test]
fn statistics_of_large_planes_are_the_same_bits_everywhere() {
    let window = same([224, 224]);
    for distribution in [Distribution::GraBo, Distribution::GraEst] {
        let mut first: Option<Vec<u32>> = None;
        for (name, device) in devices() {
            let data = Data(&device);
            let lanes = 4;
            let signs = data.reals("signs", window.output_positions() * lanes);
            let sums: View = data.reals("sums", 12);
            let statistics = Statistics {
                distribution,
                lanes,
                step: data.step(lanes),
                signs,
                accumulate: false,
            };
            let mut plan = Plan::new("statistics");
            let span = full(&window, 1, 1);
            let values = data.reals("values", window.input_positions() * lanes);
            statistics
                .inputs(&mut plan, &span, &window, values, sums.clone())
                .unwrap();
            assert_eq!(plan.dispatches().len(), 3);
            let program = device.prepare(&plan).unwrap();
            device.run(&program).unwrap();
            let found: Vec<u32> = device.download(&sums).unwrap();
            let expected = first.get_or_insert_with(|| found.clone());
            assert!(*expected == found, "{name}, {distribution:?}");
        }
    }
}
