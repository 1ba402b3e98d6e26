//! The innermost loops of the CPU twins: over the batch, which is contiguous, in the widest vectors that the machine has.
//!
//! Multiply and add stay separate operations: with a fused one, machines with and without it would give
//! different bits, and these loops are bound by loads, not by arithmetic. The order of every sum is the same for all vector widths.

use pulp::Simd;

/// Sums held in registers at a time: few enough for the 16 vector registers of AVX2.
const HELD: usize = 8;

/// One step of a gathered sum: a weight, and the first of the source's lanes that it scales.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub weight: f32,
    pub start: usize,
}

/// How a gathered sum begins and ends.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    /// What the terms are added to; `None`: to what is there.
    pub initial: Option<f32>,
    /// Negative sums become zero. A NaN stays a NaN, so that a diverged run shows.
    pub relu: bool,
}

/// `output[lane] = initial + sum over terms of weight * source[start + lane]`, for all lanes of `output`.
#[inline(always)]
pub(super) fn gather_sum<S: Simd>(
    simd: S,
    source: &[f32],
    terms: impl Iterator<Item = Term> + Clone,
    ends: Ends,
    output: &mut [f32],
) {
    let (vectors, tail) = S::as_mut_simd_f32s(output);
    let mut lane = 0;
    let (blocks, vectors) = vectors.as_chunks_mut::<HELD>();
    for block in blocks {
        gather_block(simd, source, terms.clone(), ends, lane, block);
        lane += HELD * S::F32_LANES;
    }
    let (blocks, vectors) = vectors.as_chunks_mut::<4>();
    for block in blocks {
        gather_block(simd, source, terms.clone(), ends, lane, block);
        lane += 4 * S::F32_LANES;
    }
    let (blocks, vectors) = vectors.as_chunks_mut::<2>();
    for block in blocks {
        gather_block(simd, source, terms.clone(), ends, lane, block);
        lane += 2 * S::F32_LANES;
    }
    let (blocks, _) = vectors.as_chunks_mut::<1>();
    for block in blocks {
        gather_block(simd, source, terms.clone(), ends, lane, block);
        lane += S::F32_LANES;
    }
    if !tail.is_empty() {
        let mut sum = match ends.initial {
            Some(initial) => simd.splat_f32s(initial),
            None => simd.partial_load_f32s(tail),
        };
        for term in terms {
            let weight = simd.splat_f32s(term.weight);
            let x = simd.partial_load_f32s(&source[term.start + lane..][..tail.len()]);
            sum = simd.add_f32s(sum, simd.mul_f32s(weight, x));
        }
        simd.partial_store_f32s(tail, finish(simd, ends, sum));
    }
}

/// The part of a gathered sum that is held in `N` registers, from `lane` on.
#[inline(always)]
fn gather_block<S: Simd, const N: usize>(
    simd: S,
    source: &[f32],
    terms: impl Iterator<Item = Term>,
    ends: Ends,
    lane: usize,
    output: &mut [S::f32s; N],
) {
    let mut sums = match ends.initial {
        Some(initial) => [simd.splat_f32s(initial); N],
        None => *output,
    };
    for term in terms {
        let weight = simd.splat_f32s(term.weight);
        let (x, _) = S::as_simd_f32s(&source[term.start + lane..][..N * S::F32_LANES]);
        let x = &x[..N];
        for i in 0..N {
            sums[i] = simd.add_f32s(sums[i], simd.mul_f32s(weight, x[i]));
        }
    }
    *output = sums.map(|sum| finish(simd, ends, sum));
}

#[inline(always)]
fn finish<S: Simd>(simd: S, ends: Ends, sum: S::f32s) -> S::f32s {
    if ends.relu {
        let zero = simd.splat_f32s(0.0);
        simd.select_f32s(simd.less_than_f32s(sum, zero), zero, sum)
    } else {
        sum
    }
}
