//! Attention against its oracle.

use rootlet::engine::{Class, Device, Plan};
use rootlet::layer::AttentionPass;

use crate::common::{Random, both, devices, says};
use crate::oracle::Sizes;
use crate::problem::Problem;

/// Heads, features, tokens, batch.
const SIZES: [(usize, usize, usize, usize); 10] = [
    (1, 1, 1, 1),
    (1, 5, 1, 3),
    (1, 1, 7, 4),
    (2, 5, 7, 1),
    (3, 4, 4, 6),
    (1, 3, 65, 5),
    (2, 65, 6, 2),
    (2, 6, 9, 130),
    (1, 8, 16, 128),
    (1, 2, 18, 31),
];

fn problem(
    seed: u64,
    (heads, dim, tokens, count): (usize, usize, usize, usize),
    spread: f32,
) -> Problem {
    let sizes = Sizes { heads, dim, tokens };
    Problem::new(&mut Random(seed), sizes, count, spread)
}

#[test]
fn forward_and_backward_are_the_oracles() {
    for ((name, device), fused) in both() {
        for (seed, sizes) in SIZES.into_iter().enumerate() {
            let mut problem = problem(seed as u64, sizes, 2.0);
            problem.fused = fused;
            problem.assert_close(&problem.solve(&device, &name), None, &name);
        }
    }
}

#[test]
fn large_scores_neither_overflow_nor_lose_the_sum() {
    for (name, device) in devices() {
        // Scores up to some hundreds, whose exponentials exceed the largest float.
        let problem = problem(1, (2, 5, 9, 3), 20.0);
        let largest = problem.sizes.largest_score(&problem.image(&problem.qkv, 0));
        assert!(largest > 300.0, "{largest}");
        problem.assert_close(&problem.solve(&device, &name), None, &name);
        // All scores far below zero, and all equal: every key counts the same.
        let mut problem = self::problem(2, (1, 4, 6, 2), 1.0);
        let part = problem.qkv.len() / 3;
        problem.qkv[..part].fill(-20.0);
        problem.qkv[part..2 * part].fill(20.0);
        let found = problem.solve(&device, &name);
        let lanes = problem.lanes;
        for (i, p) in found.probabilities.iter().enumerate() {
            let expected = if i % lanes < 2 { 1.0 / 6.0 } else { 0.0 };
            assert!((p - expected).abs() < 1e-6, "{name}: {p}");
        }
    }
}

#[test]
fn a_nan_is_passed_on_within_its_lane() {
    let (heads, dim, tokens, count) = (2, 5, 9, 6);
    for ((name, device), fused) in both() {
        for (part, what) in ["q", "k", "v", "delta"].into_iter().enumerate() {
            let mut problem = problem(3, (heads, dim, tokens, count), 1.0);
            problem.fused = fused;
            let (head, d, token, lane) = (1, 2, 4, 3);
            let lanes = problem.lanes;
            let word = |part: usize, head: usize, d: usize, token: usize| {
                (((part * heads + head) * dim + d) * tokens + token) * lanes + lane
            };
            match part {
                3 => problem.delta[word(0, head, d, token)] = f32::NAN,
                _ => problem.qkv[word(part, head, d, token)] = f32::NAN,
            }
            let found = problem.solve(&device, &name);
            let what = &format!("{name}, NaN in {what}");
            problem.assert_close(&found, Some(lane), what);
            for t in 0..tokens {
                for feature in 0..dim {
                    let nan = found.output[word(0, head, feature, t)].is_nan();
                    let expected = match part {
                        0 => t == token,
                        1 => true,
                        2 => feature == d,
                        _ => false,
                    };
                    assert_eq!(nan, expected, "{what}: feature {feature} of token {t}");
                }
            }
            let gradients = |part| (0..dim).map(move |d| word(part, head, d, token));
            for at in gradients(0).chain(gradients(1)) {
                assert!(found.delta_qkv[at].is_nan(), "{what}: word {at}");
            }
            let other = (0..dim).map(|d| word(0, 0, d, token));
            for at in other {
                assert!(found.delta_qkv[at].is_finite(), "{what}: word {at}");
            }
        }
    }
}

#[test]
fn sizes_and_views_that_do_not_fit_are_refused() {
    let device = Device::cpu(1).unwrap();
    let buffer = |words| device.buffer("some", Class::Scratch, words).unwrap();
    let layer = AttentionPass {
        heads: 2,
        dim: 3,
        tokens: 5,
        lanes: 8,
        fused: false,
    };
    let forward = |layer: &AttentionPass, qkv: usize, probabilities: usize, output: usize| {
        let [step, qkv, probabilities, output] =
            [8, qkv, probabilities, output].map(|words| buffer(words).all());
        layer.forward(&mut Plan::new("test"), step, qkv, probabilities, output)
    };
    forward(&layer, 720, 400, 240).unwrap();
    says(forward(&layer, 716, 400, 240), &["`qkv`", "716", "720"]);
    says(
        forward(&layer, 720, 396, 240),
        &["`probabilities`", "396", "400"],
    );
    says(forward(&layer, 720, 400, 236), &["`output`", "236", "240"]);
    for (lanes, heads) in [(6, 2), (0, 2), (8, 0)] {
        let layer = AttentionPass {
            lanes,
            heads,
            ..layer
        };
        says(forward(&layer, 720, 400, 240), &["multiple of 4"]);
    }
    let backward = |sizes: [usize; 5]| {
        let [qkv, probabilities, delta, scratch, delta_qkv] =
            sizes.map(|words| buffer(words).all());
        let plan = &mut Plan::new("test");
        layer.backward(plan, qkv, probabilities, delta, scratch, delta_qkv)
    };
    backward([720, 400, 240, 400, 720]).unwrap();
    says(backward([720, 400, 240, 396, 720]), &["`scratch`"]);
    says(backward([720, 400, 236, 400, 720]), &["`delta`"]);
    says(backward([720, 400, 240, 400, 716]), &["`delta_qkv`"]);
}
