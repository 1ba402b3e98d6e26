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

/// Lanes that a dot product keeps apart until its end: one vector of AVX-512, two of AVX2, four of NEON. Part of the
/// result's bits, so the same everywhere.
const PARTIAL: usize = 16;

/// Dot products of `N` units' rows of `input` with `delta`, in one pass over `delta`.
///
/// A product is the sum of [`PARTIAL`] interleaved partial sums, folded by halves.
#[inline(always)]
pub(super) fn dots<S: Simd, const N: usize>(
    simd: S,
    input: &[f32],
    units: [usize; N],
    delta: &[f32],
) -> [f32; N] {
    let stride = delta.len();
    let rows = units.map(|unit| &input[unit * stride..][..stride]);
    let parts = PARTIAL / S::F32_LANES;
    let mut partial = [[simd.splat_f32s(0.0); PARTIAL]; N];
    let (delta_chunks, delta_rest) = delta.as_chunks::<PARTIAL>();
    let chunks = rows.map(|row| &row.as_chunks::<PARTIAL>().0[..delta_chunks.len()]);
    for (k, d) in delta_chunks.iter().enumerate() {
        let (d, _) = S::as_simd_f32s(d);
        for n in 0..N {
            let (x, _) = S::as_simd_f32s(&chunks[n][k]);
            for p in 0..parts {
                partial[n][p] = simd.add_f32s(partial[n][p], simd.mul_f32s(d[p], x[p]));
            }
        }
    }
    if !delta_rest.is_empty() {
        let padded = |rest: &[f32]| {
            let mut chunk = [0f32; PARTIAL];
            chunk[..rest.len()].copy_from_slice(rest);
            chunk
        };
        let d = padded(delta_rest);
        let (d, _) = S::as_simd_f32s(&d);
        for n in 0..N {
            let x = padded(&rows[n][stride - delta_rest.len()..]);
            let (x, _) = S::as_simd_f32s(&x);
            for p in 0..parts {
                partial[n][p] = simd.add_f32s(partial[n][p], simd.mul_f32s(d[p], x[p]));
            }
        }
    }
    partial.map(|mut vectors| {
        let mut left = parts;
        while left > 1 {
            left /= 2;
            for p in 0..left {
                vectors[p] = simd.add_f32s(vectors[p], vectors[p + left]);
            }
        }
        // Halves again, within the vector: the same order at any width.
        simd.reduce_sum_f32s(vectors[0])
    })
}
