//! Sizes that people train, small in the other dimensions: kernels agree with their twins, and are split where
//! necessary.

use crate::common::{devices, norms};
use crate::problem::{BOTH, Data, NEITHER, SOFTWARE, solve};
use crate::products::{full, same};
use rootlet::checkpoint::NormKind;
use rootlet::engine::{Grid, Plan, View};
use rootlet::layer::attention::AttentionPass;
use rootlet::layer::norm::{
    BatchNormBackwardViews, BatchNormForwardViews, BatchNormPass, LayerNormGradients,
    LayerNormGradientsParams, LayerNormWholeBackward, LayerNormWholeBackwardParams, NormScratch,
};
use rootlet::layer::{
    AveragePoolPass, BiasGradient, BiasGradientParams, GlobalAveragePass, MaxPoolPass,
    SoftmaxCrossEntropy, SoftmaxCrossEntropyParams,
};
use rootlet::sparse::{PairGradients, Window};
use rootlet::topology::{Distribution, ReportRows, ReportRowsParams, Statistics};

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

/// A plane of 224 by 224 pixels, and the largest that one workgroup handles.
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

/// The sums behind f and g are split in the same way everywhere, so that their bits stay the same.
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
