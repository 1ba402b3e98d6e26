//! Max, average and global average pooling.

use rootlet::layer::{AveragePoolPass, GlobalAveragePass, MaxPoolPass};
use rootlet::sparse::Window;

use crate::common::{Random, devices};
use crate::harness::{
    Output, activation, assert_close, assert_nan_stays_in_its_lane, assert_padding_is_zero, delta,
    differences, plus, run, wide,
};

/// Channels, lanes, samples, window: one of everything, VGG's and ResNet's pools, odd planes, rows and columns that no
/// window sees, strides larger than the kernel, a window as large as the plane, padding on one axis.
fn problems() -> Vec<(usize, usize, usize, Window)> {
    let window =
        |input, kernel, stride, padding| Window::new(input, kernel, stride, padding).unwrap();
    vec![
        (1, 4, 1, window([1, 1], [1, 1], [1, 1], [0, 0])),
        (3, 8, 7, window([4, 4], [2, 2], [2, 2], [0, 0])),
        (2, 12, 9, window([7, 9], [3, 3], [2, 2], [1, 1])),
        (2, 4, 4, window([5, 5], [2, 2], [2, 2], [0, 0])),
        (1, 36, 34, window([6, 5], [3, 2], [1, 3], [1, 0])),
        (2, 4, 2, window([8, 7], [2, 2], [3, 4], [0, 1])),
        (3, 4, 3, window([3, 5], [3, 5], [1, 1], [0, 0])),
        (1, 4, 3, window([5, 4], [5, 3], [1, 1], [4, 2])),
        (1, 140, 139, window([3, 3], [2, 2], [1, 1], [1, 1])),
    ]
}

/// Calls `f(output, input)` with the row numbers of every output and each input that it sees, in row-major order.
fn visit(channels: usize, w: &Window, mut f: impl FnMut(usize, usize)) {
    for c in 0..channels {
        for oy in 0..w.output[0] {
            for ox in 0..w.output[1] {
                for ky in 0..w.kernel[0] {
                    for kx in 0..w.kernel[1] {
                        let y = (oy * w.stride[0] + ky).checked_sub(w.padding[0]);
                        let x = (ox * w.stride[1] + kx).checked_sub(w.padding[1]);
                        if let (Some(y), Some(x)) = (y, x)
                            && y < w.input[0]
                            && x < w.input[1]
                        {
                            f(
                                (c * w.output[0] + oy) * w.output[1] + ox,
                                (c * w.input[0] + y) * w.input[1] + x,
                            );
                        }
                    }
                }
            }
        }
    }
}

/// Each output's first largest input, found by going through the window as PyTorch does, and its value.
fn largest(channels: usize, w: &Window, lanes: usize, x: &[f64]) -> (Vec<f64>, Vec<usize>) {
    let words = channels * w.output_positions() * lanes;
    let (mut best, mut place) = (vec![f64::NEG_INFINITY; words], vec![usize::MAX; words]);
    visit(channels, w, |o, i| {
        for lane in 0..lanes {
            let (o, i) = (o * lanes + lane, i * lanes + lane);
            let first = place[o] == usize::MAX;
            if first || x[i] > best[o] || (x[i].is_nan() && !best[o].is_nan()) {
                (best[o], place[o]) = (x[i], i);
            }
        }
    });
    (best, place)
}

fn max_backward(places: &[usize], delta: &[f32], inputs: usize) -> Vec<f64> {
    let mut result = vec![0f64; inputs];
    for (place, d) in places.iter().zip(delta) {
        result[*place] += f64::from(*d);
    }
    result
}

fn mean(channels: usize, w: &Window, lanes: usize, x: &[f64]) -> Vec<f64> {
    let mut sums = vec![0f64; channels * w.output_positions() * lanes];
    visit(channels, w, |o, i| {
        for lane in 0..lanes {
            sums[o * lanes + lane] += x[i * lanes + lane];
        }
    });
    sums.iter().map(|s| s / w.taps() as f64).collect()
}

#[test]
fn the_largest_of_each_window_comes_out() {
    let random = &mut Random(41);
    let devices = devices();
    for (channels, lanes, count, window) in problems() {
        let layer = MaxPoolPass {
            channels,
            window,
            lanes,
        };
        let x = activation(random, channels * window.input_positions(), lanes, count);
        let words = channels * window.output_positions() * lanes;
        let lowest = vec![f32::NEG_INFINITY; x.len()];
        for (name, device) in &devices {
            let what = format!("{layer:?} on {name}");
            for x in [&x, &lowest] {
                let found = run(device, &what, &[x], Output::Noise(words), |plan, i, o| {
                    layer.forward(plan, i[0].clone(), o)
                });
                let expected = largest(channels, &window, lanes, &wide(x)).0;
                assert_eq!(wide(&found), expected, "{what}");
            }
        }
    }
}

/// Without ties, against differences; with many ties, including zeros of both signs and infinities, against the oracle
/// that goes through the window.
#[test]
fn the_first_largest_gets_the_gradient() {
    let random = &mut Random(42);
    let devices = devices();
    for (channels, lanes, count, window) in problems() {
        let layer = MaxPoolPass {
            channels,
            window,
            lanes,
        };
        let inputs = channels * window.input_positions();
        let words = inputs * lanes;
        for ties in [false, true] {
            let mut x = activation(random, inputs, lanes, count);
            if ties {
                let few = [
                    0.0,
                    -0.0,
                    1.0,
                    1.0,
                    f32::NEG_INFINITY,
                    f32::NEG_INFINITY,
                    f32::INFINITY,
                ];
                let lowest = few.len() - usize::from(words % 3 == 0);
                x.fill_with(|| few[random.word() as usize % lowest]);
                x[..words / 2].iter_mut().for_each(|x| *x = x.min(0.0));
            }
            let d = delta(random, channels * window.output_positions(), lanes, count);
            let before = delta(random, inputs, lanes, count);
            let (y, places) = largest(channels, &window, lanes, &wide(&x));
            let y: Vec<f32> = y.iter().map(|y| *y as f32).collect();
            let expected = max_backward(&places, &d, words);
            if !ties {
                let layer = |x: &[f64]| largest(channels, &window, lanes, x).0;
                let slopes = differences(layer, &wide(&x), &wide(&d), 1e-9);
                for (e, s) in expected.iter().zip(&slopes) {
                    assert!((e - s).abs() < 1e-2, "the oracles differ: {e}, {s}");
                }
            }
            for (name, device) in &devices {
                let what = format!("{layer:?} backward on {name}, ties: {ties}");
                let solve = |output, accumulate| {
                    run(device, &what, &[&x, &y, &d], output, |plan, i, o| {
                        let [x, y, d] = [0, 1, 2].map(|n| i[n].clone());
                        layer.backward(plan, x, y, d, o, accumulate)
                    })
                };
                let fresh = solve(Output::Noise(words), false);
                assert_close(&fresh, &expected, 1e-6, &what);
                assert_padding_is_zero(&fresh, lanes, count, &what);
                let added = solve(Output::Holding(&before), true);
                assert_close(&added, &plus(&expected, &before), 1e-6, &what);
                assert_padding_is_zero(&added, lanes, count, &what);
            }
        }
    }
}

#[test]
fn means_count_the_padding() {
    let random = &mut Random(43);
    let devices = devices();
    for (channels, lanes, count, window) in problems() {
        let layer = AveragePoolPass {
            channels,
            window,
            lanes,
        };
        let inputs = channels * window.input_positions();
        let outputs = channels * window.output_positions();
        let x = activation(random, inputs, lanes, count);
        let d = delta(random, outputs, lanes, count);
        let before = delta(random, inputs, lanes, count);
        let oracle = |x: &[f64]| mean(channels, &window, lanes, x);
        let slopes = differences(oracle, &vec![0.0; inputs * lanes], &wide(&d), 1.0);
        for (name, device) in &devices {
            let what = format!("{layer:?} on {name}");
            let found = run(
                device,
                &what,
                &[&x],
                Output::Noise(outputs * lanes),
                |plan, i, o| layer.forward(plan, i[0].clone(), o),
            );
            // Sums of padding's large numbers may cancel; those of samples have magnitude one.
            let members = |x: &[f64]| -> Vec<f64> {
                let keep = |(i, x): (usize, &f64)| if i % lanes < count { *x } else { 0.0 };
                x.iter().enumerate().map(keep).collect()
            };
            let found: Vec<f32> = members(&wide(&found)).iter().map(|x| *x as f32).collect();
            assert_close(&found, &members(&oracle(&wide(&x))), 5e-7, &what);
            let solve = |output, accumulate| {
                run(device, &what, &[&d], output, |plan, i, o| {
                    layer.backward(plan, i[0].clone(), o, accumulate)
                })
            };
            let fresh = solve(Output::Noise(inputs * lanes), false);
            assert_close(&fresh, &slopes, 5e-7, &what);
            assert_padding_is_zero(&fresh, lanes, count, &what);
            let added = solve(Output::Holding(&before), true);
            assert_close(&added, &plus(&slopes, &before), 5e-7, &what);
            assert_padding_is_zero(&added, lanes, count, &what);
        }
    }
}

/// By hand, as `torch.nn.AvgPool2d(3, 1, 1)` and `torch.nn.MaxPool2d(3, 2, 1)` give them.
#[test]
fn known_values() {
    let plane = |rows: &[f32]| -> Vec<f32> { rows.iter().flat_map(|x| [*x; 4]).collect() };
    let first = |found: Vec<f32>| found.iter().step_by(4).copied().collect::<Vec<f32>>();
    let same = Window::new([2, 2], [3, 3], [1, 1], [1, 1]).unwrap();
    let halved = Window::new([3, 3], [3, 3], [2, 2], [1, 1]).unwrap();
    for (name, device) in devices() {
        let average = AveragePoolPass {
            channels: 1,
            window: same,
            lanes: 4,
        };
        let ones = plane(&[1.0; 4]);
        let found = run(&device, &name, &[&ones], Output::Noise(16), |plan, i, o| {
            average.forward(plan, i[0].clone(), o)
        });
        assert_close(&first(found), &[4.0 / 9.0; 4], 1e-7, &name);

        let max = MaxPoolPass {
            channels: 1,
            window: halved,
            lanes: 4,
        };
        let x = plane(&[-1.0, -2.0, -3.0, -4.0, -1.0, -6.0, -7.0, -8.0, -9.0]);
        let y = run(&device, &name, &[&x], Output::Noise(16), |plan, i, o| {
            max.forward(plan, i[0].clone(), o)
        });
        assert_eq!(first(y.clone()), [-1.0; 4], "{name}");
        let d = plane(&[1.0, 10.0, 100.0, 1000.0]);
        let found = run(
            &device,
            &name,
            &[&x, &y, &d],
            Output::Noise(36),
            |plan, i, o| {
                let [x, y, d] = [0, 1, 2].map(|n| i[n].clone());
                max.backward(plan, x, y, d, o, false)
            },
        );
        // The corner ties with the middle in the first window and comes first; the other windows see only the middle.
        let expected = [1.0, 0.0, 0.0, 0.0, 1110.0, 0.0, 0.0, 0.0, 0.0];
        assert_eq!(first(found), expected, "{name}");
    }
}

#[test]
fn a_nan_beats_every_number_and_takes_the_gradient() {
    let window = Window::new([5, 5], [3, 3], [2, 2], [1, 1]).unwrap();
    let (max, average) = (
        MaxPoolPass {
            channels: 1,
            window,
            lanes: 8,
        },
        AveragePoolPass {
            channels: 1,
            window,
            lanes: 8,
        },
    );
    let random = &mut Random(44);
    let (mut x, d) = (random.reals(25 * 8), random.reals(9 * 8));
    for nan in [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001)] {
        x[12 * 8 + 3] = nan; // the middle, seen by the middle output alone
        x[0] = nan; // two in one window
        x[6 * 8] = nan;
        let (y, places) = largest(1, &window, 8, &wide(&x));
        let y32: Vec<f32> = y.iter().map(|y| *y as f32).collect();
        for (name, device) in devices() {
            let found = run(&device, &name, &[&x], Output::Noise(72), |plan, i, o| {
                max.forward(plan, i[0].clone(), o)
            });
            assert_close(&found, &y, 0.0, &name);
            assert!(found[4 * 8 + 3].is_nan() && found[0].is_nan(), "{name}");
            let found = run(
                &device,
                &name,
                &[&x, &y32, &d],
                Output::Noise(200),
                |plan, i, o| {
                    let [x, y, d] = [0, 1, 2].map(|n| i[n].clone());
                    max.backward(plan, x, y, d, o, false)
                },
            );
            assert_close(&found, &max_backward(&places, &d, 200), 1e-6, &name);
            let found = run(&device, &name, &[&x], Output::Noise(72), |plan, i, o| {
                average.forward(plan, i[0].clone(), o)
            });
            assert_close(&found, &mean(1, &window, 8, &wide(&x)), 5e-7, &name);
        }
    }
    let mut d = d;
    d[4 * 8 + 1] = f32::NAN;
    for (name, device) in devices() {
        let found = run(&device, &name, &[&d], Output::Noise(200), |plan, i, o| {
            average.backward(plan, i[0].clone(), o, false)
        });
        assert_nan_stays_in_its_lane(&found, 12 * 8 + 1, 8, &name);
    }
}

#[test]
fn global_averages_and_their_gradients() {
    let random = &mut Random(45);
    let devices = devices();
    let sizes = [
        (1, 1, 4, 1),
        (3, 2, 8, 7),
        (5, 3, 4, 3),
        (2, 4, 36, 33),
        (7, 35, 12, 9),
        (1, 65, 140, 138),
    ];
    for (units, positions, lanes, count) in sizes {
        let layer = GlobalAveragePass {
            units,
            positions,
            lanes,
        };
        let x = activation(random, units * positions, lanes, lanes);
        let d = delta(random, units, lanes, count);
        let before = delta(random, units * positions, lanes, count);
        let words = units * positions * lanes;
        let mut means = vec![0f64; units * lanes];
        let mut slopes = vec![0f64; words];
        for i in 0..words {
            let to = i / (positions * lanes) * lanes + i % lanes;
            means[to] += f64::from(x[i]) / positions as f64;
            slopes[i] = f64::from(d[to]) / positions as f64;
        }
        for (name, device) in &devices {
            let what = format!("{layer:?} on {name}");
            let found = run(
                device,
                &what,
                &[&x],
                Output::Noise(units * lanes),
                |plan, i, o| layer.forward(plan, i[0].clone(), o),
            );
            assert_close(&found, &means, 5e-7, &what);
            let solve = |output, accumulate| {
                run(device, &what, &[&d], output, |plan, i, o| {
                    layer.backward(plan, i[0].clone(), o, accumulate)
                })
            };
            let fresh = solve(Output::Noise(words), false);
            assert_close(&fresh, &slopes, 1e-7, &what);
            assert_padding_is_zero(&fresh, lanes, count, &what);
            let added = solve(Output::Holding(&before), true);
            assert_close(&added, &plus(&slopes, &before), 2e-7, &what);
            assert_padding_is_zero(&added, lanes, count, &what);

            let mut x = x.clone();
            x[words - 2] = f32::NAN;
            let found = run(
                device,
                &what,
                &[&x],
                Output::Noise(units * lanes),
                |plan, i, o| layer.forward(plan, i[0].clone(), o),
            );
            assert_nan_stays_in_its_lane(&found, units * lanes - 2, lanes, &what);
        }
    }
}
