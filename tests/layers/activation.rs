//! ReLU and GELU.

use rootlet::layer::Activation;

use crate::common::{Random, devices};
use crate::harness::{
    Output, activation, assert_close, assert_padding_is_zero, delta, differences, plus, run, wide,
};

const BOTH: [Activation; 2] = [Activation::Relu, Activation::Gelu];

/// The normal distribution function to 64-bit accuracy: the power series, or from 3 on the continued fraction of the
/// tail (Abramowitz and Stegun 26.2.10 and 26.2.14).
fn distribution(x: f64) -> f64 {
    let density = (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let a = x.abs();
    let tail = if a < 3.0 {
        let (mut term, mut sum) = (a, a);
        for n in 1..80 {
            term *= a * a / f64::from(2 * n + 1);
            sum += term;
        }
        0.5 - density * sum
    } else {
        density / (1..300).rev().fold(a, |below, k| a + f64::from(k) / below)
    };
    if x < 0.0 { tail } else { 1.0 - tail }
}

fn exact(f: Activation, x: f64) -> f64 {
    match f {
        Activation::Relu => x.max(0.0),
        Activation::Gelu => x * distribution(x),
    }
}

#[test]
fn the_oracle_is_the_normal_distribution() {
    // From Abramowitz and Stegun, table 26.1.
    for (x, p) in [
        (0.0, 0.5),
        (0.5, 0.691_462_461_274_013),
        (1.0, 0.841_344_746_068_543),
        (2.0, 0.977_249_868_051_821),
        (3.0, 0.998_650_101_968_370),
        (4.0, 0.999_968_328_758_167),
        (-1.0, 0.158_655_253_931_457),
    ] {
        assert!(
            (distribution(x) - p).abs() < 1e-14,
            "{x}: {}",
            distribution(x)
        );
    }
    let seam = distribution(-3.0) - distribution(-(3.0 - 1e-12));
    assert!(seam.abs() < 1e-13, "{seam}");
}

/// Everywhere from -12 to 12, and where the shader's formulas change or a square would overflow.
fn points() -> Vec<f32> {
    let mut points: Vec<f32> = (-12_000..12_000)
        .map(|i| i as f32 * 0.001 + 0.000_3)
        .collect();
    for x in [
        0.0,
        1e-30,
        1e-7,
        0.999_999_94,
        1.0,
        13.2,
        19.9,
        20.0,
        1e3,
        1e18,
        3e19,
        1e30,
        f32::MAX,
    ] {
        points.extend([x, -x]);
    }
    points.resize(points.len().next_multiple_of(4), 1.0);
    points
}

#[test]
fn values_are_exact_to_rounding() {
    let x = points();
    for (name, device) in devices() {
        for f in BOTH {
            let what = format!("{f:?} on {name}");
            let found = run(
                &device,
                &what,
                &[&x],
                Output::Noise(x.len()),
                |plan, i, o| f.forward(plan, i[0].clone(), o, x.len()),
            );
            let mut worst = 0f64;
            for (found, x) in found.iter().zip(&x) {
                let x = f64::from(*x);
                let e = (f64::from(*found) - exact(f, x)).abs() / x.abs().max(1.0);
                assert!(e < 2e-7, "{what}: f({x}) = {found}, not {}", exact(f, x));
                worst = worst.max(e);
            }
            println!("{what}: {worst:.2e}");
        }
    }
}

#[test]
fn slopes_are_those_of_finite_differences() {
    let x = points();
    let ones = vec![1f32; x.len()];
    for (name, device) in devices() {
        for f in BOTH {
            let what = format!("{f:?} backward on {name}");
            let found = run(
                &device,
                &what,
                &[&x, &ones],
                Output::Noise(x.len()),
                |plan, i, o| f.backward(plan, i[0].clone(), i[1].clone(), o, x.len(), false),
            );
            let mut worst = 0f64;
            for (found, &x) in found.iter().zip(&x) {
                let h = 1e-5 * f64::from(x).abs().max(1.0);
                if f == Activation::Relu && f64::from(x).abs() < h {
                    continue;
                }
                let at = |h: f64| exact(f, f64::from(x) + h);
                let slope = (at(h) - at(-h)) / (2.0 * h);
                let e = (f64::from(*found) - slope).abs();
                assert!(e < 2.5e-7, "{what}: f'({x}) = {found}, not {slope}");
                worst = worst.max(e);
            }
            println!("{what}: {worst:.2e}");
        }
    }
}

/// PyTorch's choice: no gradient at zero.
#[test]
fn relu_passes_no_gradient_at_zero_and_takes_its_output_for_its_input() {
    let x = [0.0, -0.0, 1e-38, -1e-38, 3.0, -3.0, 1.0, 1.0];
    let y = x.map(|x: f32| x.max(0.0));
    let delta = [2f32; 8];
    for (name, device) in devices() {
        for input in [x, y] {
            let found = run(
                &device,
                &name,
                &[&input, &delta],
                Output::Noise(8),
                |plan, i, o| {
                    Activation::Relu.backward(plan, i[0].clone(), i[1].clone(), o, 8, false)
                },
            );
            assert_eq!(found, [0.0, 0.0, 2.0, 0.0, 2.0, 0.0, 2.0, 2.0], "{name}");
        }
    }
}

#[test]
fn backward_of_any_size_adds_to_what_is_there_and_keeps_padding_zero() {
    let random = &mut Random(21);
    for (name, device) in devices() {
        for f in BOTH {
            for (rows, lanes, count) in [(1, 4, 1), (7, 12, 10), (33, 36, 33), (130, 260, 257)] {
                let what = format!("{f:?}, {rows} rows of {lanes} on {name}");
                // Away from ReLU's kink.
                let x: Vec<f32> = activation(random, rows, lanes, count)
                    .iter()
                    .map(|x| x + 0.01 * x.signum())
                    .collect();
                let d = delta(random, rows, lanes, count);
                let before = delta(random, rows, lanes, count);
                let slope = |x: f32| {
                    let at = |h: f64| exact(f, f64::from(x) + h);
                    (at(1e-5) - at(-1e-5)) / 2e-5
                };
                let expected: Vec<f64> = x
                    .iter()
                    .zip(&d)
                    // Differences of numbers near 1e4 are rough, and padding is zero whatever the slope is.
                    .map(|(x, d)| {
                        if *d == 0.0 {
                            0.0
                        } else {
                            slope(*x) * f64::from(*d)
                        }
                    })
                    .collect();
                let words = rows * lanes;
                let solve = |output, accumulate| {
                    run(&device, &what, &[&x, &d], output, |plan, i, o| {
                        f.backward(plan, i[0].clone(), i[1].clone(), o, words, accumulate)
                    })
                };
                let fresh = solve(Output::Noise(words), false);
                assert_close(&fresh, &expected, 3e-7, &what);
                assert_padding_is_zero(&fresh, lanes, count, &what);
                let added = solve(Output::Holding(&before), true);
                assert_close(&added, &plus(&expected, &before), 4e-7, &what);
                assert_padding_is_zero(&added, lanes, count, &what);
            }
        }
    }
}

/// The derivative by differences of the whole layer, not only of the function.
#[test]
fn backward_is_the_gradient_of_forward() {
    let random = &mut Random(22);
    let x: Vec<f32> = random.reals(24).iter().map(|x| 3.0 * x + 0.01).collect();
    let d = random.reals(24);
    for (name, device) in devices() {
        for f in BOTH {
            let layer = |x: &[f64]| x.iter().map(|x| exact(f, *x)).collect();
            let expected = differences(layer, &wide(&x), &wide(&d), 1e-6);
            let found = run(
                &device,
                &name,
                &[&x, &d],
                Output::Noise(24),
                |plan, i, o| f.backward(plan, i[0].clone(), i[1].clone(), o, 24, false),
            );
            assert_close(&found, &expected, 4e-7, &name);
        }
    }
}

#[test]
fn a_nan_comes_out_forward_and_backward() {
    let mut x = [1f32, -1.0, f32::NAN, 0.0, 2.0, -2.0, 0.5, 0.1];
    let mut d = [1f32; 8];
    d[4] = f32::NAN;
    for (name, device) in devices() {
        for f in BOTH {
            for nan in [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001)] {
                x[2] = nan;
                let forward = run(&device, &name, &[&x], Output::Noise(8), |plan, i, o| {
                    f.forward(plan, i[0].clone(), o, 8)
                });
                let nans = |found: &[f32]| found.iter().map(|x| x.is_nan()).collect::<Vec<_>>();
                let at = |places: &[usize]| (0..8).map(|i| places.contains(&i)).collect::<Vec<_>>();
                assert_eq!(nans(&forward), at(&[2]), "{f:?} on {name}");
                let backward = run(&device, &name, &[&x, &d], Output::Noise(8), |plan, i, o| {
                    f.backward(plan, i[0].clone(), i[1].clone(), o, 8, false)
                });
                assert_eq!(nans(&backward), at(&[2, 4]), "{f:?} on {name}");
            }
        }
    }
}
