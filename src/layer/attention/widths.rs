//! Bits depend neither on the width of the vectors nor on the tiles, which are smaller if there are fewer registers.

use pulp::{Scalar, Scalar128b, Scalar256b, Scalar512b, Simd, WithSimd};

use super::mix::MixTwin;
use super::scores::ScoresTwin;
use super::scores_backward::ScoresBackwardTwin;
use super::{MixParams, ScoresBackwardParams, ScoresParams};
use crate::engine::StepState;

const HEADS: usize = 2;
const DIM: usize = 5;
const TOKENS: usize = 7;
/// A whole column of lanes and a narrow one.
const LANES: usize = 20;

fn numbers(length: usize) -> Vec<f32> {
    let number = |i: usize| (i as u32).wrapping_mul(0x9e37_79b9) >> 8;
    (0..length)
        .map(|i| number(i) as f32 / (1 << 23) as f32 - 1.0)
        .collect()
}

/// What the three twins write, as bits.
fn bits<S: Simd>(simd: S) -> Vec<u32> {
    let features = HEADS * DIM * TOKENS * LANES;
    let pairs = HEADS * TOKENS * TOKENS * LANES;
    let (qkv, delta) = (numbers(3 * features), numbers(features));
    let [heads, dim, tokens, vectors] = [HEADS, DIM, TOKENS, LANES / 4].map(|n| n as u32);
    let (mut probabilities, mut scores) = (vec![f32::NAN; pairs], vec![f32::NAN; pairs]);
    let mut outputs = [(); 2].map(|()| vec![f32::NAN; features]);
    ScoresTwin {
        params: ScoresParams {
            heads,
            dim,
            tokens,
            vectors,
            scale: 0.4,
        },
        step: StepState::whole(0, 0, 18, 0.0),
        qkv: &qkv,
        probabilities: &mut probabilities,
    }
    .run_with(|task| run(simd, task));
    ScoresBackwardTwin {
        params: ScoresBackwardParams {
            heads,
            dim,
            tokens,
            vectors,
            scale: 0.4,
        },
        qkv: &qkv,
        delta: &delta,
        probabilities: &probabilities,
        output: &mut scores,
    }
    .run_with(|task| run(simd, task));
    for (transposed, output) in outputs.iter_mut().enumerate() {
        MixTwin {
            params: MixParams {
                heads,
                dim,
                tokens,
                vectors,
                first_input: 0,
                first_output: 0,
                transposed: transposed as u32,
            },
            matrix: &probabilities,
            input: &qkv,
            output,
        }
        .run_with(|task| run(simd, task));
    }
    let words = [probabilities, scores, outputs.concat()].concat();
    assert!(
        words.iter().all(|x| x.is_finite()),
        "a word was not written"
    );
    words.iter().map(|x| x.to_bits()).collect()
}

fn run<S: Simd>(simd: S, task: impl WithSimd<Output = ()>) {
    simd.vectorize(task);
}

#[test]
fn bits_do_not_depend_on_the_vectors_width() {
    let expected = bits(Scalar);
    assert!(bits(Scalar128b) == expected, "4 lanes");
    assert!(bits(Scalar256b) == expected, "8 lanes");
    assert!(bits(Scalar512b) == expected, "16 lanes");
    #[cfg(target_arch = "x86_64")]
    {
        if let Some(simd) = pulp::x86::V3::try_new() {
            assert!(bits(simd) == expected, "AVX2");
        }
        if let Some(simd) = pulp::x86::V4::try_new() {
            assert!(bits(simd) == expected, "AVX-512");
        }
    }
}
