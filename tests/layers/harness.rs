//! Runs one layer on a device with its twin beside it, and differentiates oracles.

use rootlet::Result;
use rootlet::engine::{Class, Device, Plan, View};

use crate::common::Random;

/// Words of noise before and after the words that a layer owns.
const MARGIN: usize = 64;

/// The output's content before the layer runs.
pub enum Output<'a> {
    /// This many words of noise, including NaN.
    Noise(usize),
    /// These numbers, which it must add to.
    Holding(&'a [f32]),
}

/// Runs what `record` records for views of `inputs` and of the output, and returns the output.
///
/// # Panics
/// A kernel differs from its twin, or wrote outside the output.
#[track_caller]
pub fn run(
    device: &Device,
    what: &str,
    inputs: &[&[f32]],
    output: Output,
    record: impl FnOnce(&mut Plan, &[View], View) -> Result<()>,
) -> Vec<f32> {
    let words = match output {
        Output::Noise(words) => words,
        Output::Holding(before) => before.len(),
    };
    let mut noise = Random(7).noise((MARGIN + words + MARGIN).next_multiple_of(4));
    if let Output::Holding(before) = output {
        for (n, b) in noise[MARGIN..].iter_mut().zip(before) {
            *n = b.to_bits();
        }
    }
    let buffer = device
        .buffer_with("output", Class::Scratch, &noise)
        .unwrap();
    let views: Vec<View> = inputs
        .iter()
        .map(|data| {
            device
                .buffer_with("input", Class::Activations, data)
                .unwrap()
                .all()
        })
        .collect();
    let mut plan = Plan::new("test");
    record(&mut plan, &views, buffer.range(MARGIN..MARGIN + words)).unwrap();
    let program = device.prepare(&plan).unwrap();
    for check in device.run_checked(&program, "").unwrap() {
        check.verdict().unwrap_or_else(|e| panic!("{what}: {e}"));
    }
    let found: Vec<u32> = device.download(&buffer.all()).unwrap();
    for (i, (word, noise)) in found.iter().zip(&noise).enumerate() {
        assert!(
            (MARGIN..MARGIN + words).contains(&i) || word == noise,
            "{what}: word {i} outside the output was written"
        );
    }
    found[MARGIN..MARGIN + words]
        .iter()
        .map(|w| f32::from_bits(*w))
        .collect()
}

/// Asserts that each number is within `tolerance` of its oracle's, relative to the larger of that and one.
#[track_caller]
pub fn assert_close(found: &[f32], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (i, (f, e)) in found.iter().zip(expected).enumerate() {
        let difference = (f64::from(*f) - e).abs();
        let close = difference <= tolerance * e.abs().max(1.0);
        assert!(
            close || (f.is_nan() && e.is_nan()),
            "{what}, word {i}: {f} is not {e}"
        );
    }
}

/// In 64-bit floats.
pub fn wide(numbers: &[f32]) -> Vec<f64> {
    numbers.iter().map(|x| f64::from(*x)).collect()
}

/// The gradient at `x` of `sum of delta * f(x)`, by central differences of width `h`.
pub fn differences(f: impl Fn(&[f64]) -> Vec<f64>, x: &[f64], delta: &[f64], h: f64) -> Vec<f64> {
    let mut x = x.to_vec();
    (0..x.len())
        .map(|i| {
            let center = x[i];
            let [above, below] = [h, -h].map(|h| {
                x[i] = center + h;
                f(&x)
            });
            x[i] = center;
            let pairs = above.iter().zip(&below).zip(delta);
            pairs.map(|((a, b), d)| (a - b) * d).sum::<f64>() / (2.0 * h)
        })
        .collect()
}

/// Elementwise sum.
pub fn plus(a: &[f64], b: &[f32]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + f64::from(*b)).collect()
}

/// Rows of `lanes` numbers, of which those from `count` on are padding: large numbers in an activation.
pub fn activation(random: &mut Random, rows: usize, lanes: usize, count: usize) -> Vec<f32> {
    padded(random, rows, lanes, count, 1e4)
}

/// As [`activation`], with a delta's zeros in the padding.
pub fn delta(random: &mut Random, rows: usize, lanes: usize, count: usize) -> Vec<f32> {
    padded(random, rows, lanes, count, 0.0)
}

fn padded(random: &mut Random, rows: usize, lanes: usize, count: usize, padding: f32) -> Vec<f32> {
    (0..rows * lanes)
        .map(|i| random.real() * if i % lanes < count { 1.0 } else { padding })
        .collect()
}

/// Asserts that a delta's padding is zero.
#[track_caller]
pub fn assert_padding_is_zero(delta: &[f32], lanes: usize, count: usize, what: &str) {
    for (i, d) in delta.iter().enumerate().filter(|(i, _)| i % lanes >= count) {
        assert!(*d == 0.0, "{what}: padding word {i} is {d}");
    }
}

/// Asserts that the word `at`, and no word of another lane, is a NaN.
#[track_caller]
pub fn assert_nan_stays_in_its_lane(found: &[f32], at: usize, lanes: usize, what: &str) {
    assert!(found[at].is_nan(), "{what}: {} at {at}", found[at]);
    let strays = found
        .iter()
        .enumerate()
        .filter(|(i, x)| x.is_nan() && i % lanes != at % lanes);
    assert_eq!(strays.count(), 0, "{what}");
}
