//! Sums and the shortcut of option A.

use rootlet::layer::{AddForward, AddInto, ShortcutPass};

use crate::common::{Random, devices};
use crate::harness::{
    Output, activation, assert_close, assert_nan_stays_in_its_lane, assert_padding_is_zero, delta,
    differences, plus, run, wide,
};

#[test]
fn sums_are_exact() {
    let random = &mut Random(31);
    for (name, device) in devices() {
        for words in [4, 20, 1024, 66_664] {
            let (mut a, b) = (random.reals(words), random.reals(words));
            a[1] = f32::NAN;
            let sums: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a + b).collect();
            let outside = run(
                &device,
                &name,
                &[&a, &b],
                Output::Noise(words),
                |plan, i, o| AddForward::record(plan, i[0].clone(), i[1].clone(), o, words),
            );
            let inside = run(&device, &name, &[&b], Output::Holding(&a), |plan, i, o| {
                AddInto::record(plan, i[0].clone(), o, words)
            });
            for found in [outside, inside] {
                let same = |(f, s): (&f32, &f32)| f == s || (f.is_nan() && s.is_nan());
                assert!(found.iter().zip(&sums).all(same), "{words} words on {name}");
            }
        }
    }
}

/// `pad(x[:, :, ::stride, ::stride], before, behind)`, from the output's point of view.
fn oracle(layer: &ShortcutPass, x: &[f64]) -> Vec<f64> {
    let plane = layer.output();
    let before = (layer.channels_out - layer.channels_in) / 2;
    let mut output = Vec::new();
    for c in 0..layer.channels_out {
        for oy in 0..plane[0] {
            for ox in 0..plane[1] {
                for lane in 0..layer.lanes {
                    let inside = c >= before && c - before < layer.channels_in;
                    output.push(if inside {
                        let [y, x_] = [oy * layer.stride[0], ox * layer.stride[1]];
                        let row = ((c - before) * layer.input[0] + y) * layer.input[1] + x_;
                        x[row * layer.lanes + lane]
                    } else {
                        0.0
                    });
                }
            }
        }
    }
    output
}

/// Shortcuts and batch sizes: CIFAR's, odd planes, odd padding, one of everything.
fn shortcuts() -> impl Iterator<Item = (ShortcutPass, usize)> {
    // Channels in and out, plane, stride, lanes, samples.
    [
        ([16, 32], [4, 4], [2, 2], [8, 8]),
        ([2, 4], [5, 7], [2, 2], [12, 9]),
        ([3, 6], [7, 3], [2, 3], [4, 3]),
        ([1, 4], [1, 1], [2, 2], [4, 1]),
        ([2, 2], [3, 2], [1, 1], [36, 35]),
        ([1, 1], [9, 8], [4, 3], [140, 138]),
        ([5, 8], [2, 1], [2, 2], [8, 5]),
    ]
    .into_iter()
    .map(
        |([channels_in, channels_out], input, stride, [lanes, count])| {
            let layer = ShortcutPass {
                channels_in,
                channels_out,
                input,
                stride,
                lanes,
            };
            (layer, count)
        },
    )
}

fn rows(channels: usize, plane: [usize; 2]) -> usize {
    channels * plane[0] * plane[1]
}

#[test]
fn the_shortcut_picks_and_pads() {
    let random = &mut Random(32);
    let devices = devices();
    for (layer, count) in shortcuts() {
        let x = activation(
            random,
            rows(layer.channels_in, layer.input),
            layer.lanes,
            count,
        );
        let words = rows(layer.channels_out, layer.output()) * layer.lanes;
        for (name, device) in &devices {
            let what = format!("{layer:?} on {name}");
            let found = run(device, &what, &[&x], Output::Noise(words), |plan, i, o| {
                layer.forward(plan, i[0].clone(), o)
            });
            assert_eq!(wide(&found), oracle(&layer, &wide(&x)), "{what}");
        }
    }
}

#[test]
fn the_shortcuts_backward_is_its_gradient() {
    let random = &mut Random(33);
    let devices = devices();
    for (layer, count) in shortcuts() {
        let inputs = rows(layer.channels_in, layer.input);
        let d = delta(
            random,
            rows(layer.channels_out, layer.output()),
            layer.lanes,
            count,
        );
        let before = delta(random, inputs, layer.lanes, count);
        let words = inputs * layer.lanes;
        // Linear: differences of any width, at any point.
        let expected = differences(|x| oracle(&layer, x), &vec![0.0; words], &wide(&d), 1.0);
        for (name, device) in &devices {
            let what = format!("{layer:?} backward on {name}");
            let solve = |output, accumulate| {
                run(device, &what, &[&d], output, |plan, i, o| {
                    layer.backward(plan, i[0].clone(), o, accumulate)
                })
            };
            let fresh = solve(Output::Noise(words), false);
            assert_close(&fresh, &expected, 0.0, &what);
            let added = solve(Output::Holding(&before), true);
            assert_close(&added, &plus(&expected, &before), 1e-7, &what);
            assert_padding_is_zero(&fresh, layer.lanes, count, &what);
            assert_padding_is_zero(&added, layer.lanes, count, &what);
        }
    }
}

#[test]
fn a_nan_passes_the_shortcut() {
    let layer = ShortcutPass {
        channels_in: 1,
        channels_out: 3,
        input: [3, 3],
        stride: [2, 2],
        lanes: 8,
    };
    let mut x = vec![1f32; 9 * 8];
    x[6 * 8 + 5] = f32::NAN; // row 2, column 0: output 2 of the middle channel
    let mut d = vec![1f32; 12 * 8];
    d[(4 + 3) * 8 + 1] = f32::NAN;
    for (name, device) in devices() {
        let found = run(&device, &name, &[&x], Output::Noise(96), |plan, i, o| {
            layer.forward(plan, i[0].clone(), o)
        });
        assert_nan_stays_in_its_lane(&found, (4 + 2) * 8 + 5, 8, &name);
        let found = run(&device, &name, &[&d], Output::Noise(72), |plan, i, o| {
            layer.backward(plan, i[0].clone(), o, false)
        });
        assert_nan_stays_in_its_lane(&found, 8 * 8 + 1, 8, &name);
    }
}
