//! The innermost loops of the CPU twins: over the batch, which is contiguous, in the widest vectors that the machine has.
//!
//! Multiply and add stay separate operations: with a fused one, machines with and without it would give
//! different bits, and these loops are bound by loads, not by arithmetic. The order of every sum is the same for all vector widths.

use pulp::Simd;

/// Rows that a thread takes at a time, of a layer of so many: enough to outweigh handing them out, few enough to share
/// the work evenly, also of a classifier's ten long rows.
pub(super) fn rows_per_task(rows: usize) -> usize {
    (rows / 64).clamp(1, 32)
}

/// Sums held in registers at a time: few enough for the 16 vector registers of AVX2.
const HELD: usize = 8;

/// One step of a gathered sum: a weight, and the unit whose row it scales.
pub(super) struct Term {
    pub weight: f32,
    pub unit: usize,
}

/// `output[lane] = initial + sum over terms of weight * input[unit][lane]`, for all lanes of one unit.
///
/// `input` is `[units][output.len()]`.
#[inline(always)]
pub(super) fn gather_sum<S: Simd>(
    simd: S,
    input: &[f32],
    terms: impl Iterator<Item = Term> + Clone,
    initial: f32,
    output: &mut [f32],
) {
    let stride = output.len();
    let row = |unit: usize| &input[unit * stride..][..stride];
    let initial = simd.splat_f32s(initial);
    let (vectors, tail) = S::as_mut_simd_f32s(output);
    let mut first = 0;
    while first < vectors.len() {
        if vectors.len() - first >= HELD {
            let mut sums = [initial; HELD];
            for term in terms.clone() {
                let weight = simd.splat_f32s(term.weight);
                let (x, _) = S::as_simd_f32s(row(term.unit));
                let x = &x[first..first + HELD];
                for i in 0..HELD {
                    sums[i] = simd.add_f32s(sums[i], simd.mul_f32s(weight, x[i]));
                }
            }
            vectors[first..first + HELD].copy_from_slice(&sums);
            first += HELD;
        } else {
            let mut sum = initial;
            for term in terms.clone() {
                let weight = simd.splat_f32s(term.weight);
                let (x, _) = S::as_simd_f32s(row(term.unit));
                sum = simd.add_f32s(sum, simd.mul_f32s(weight, x[first]));
            }
            vectors[first] = sum;
            first += 1;
        }
    }
    if !tail.is_empty() {
        let mut sum = initial;
        for term in terms {
            let weight = simd.splat_f32s(term.weight);
            let (_, x) = S::as_simd_f32s(row(term.unit));
            sum = simd.add_f32s(sum, simd.mul_f32s(weight, simd.partial_load_f32s(x)));
        }
        simd.partial_store_f32s(tail, sum);
    }
}
