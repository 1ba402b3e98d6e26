//! The innermost loops of the CPU twins: over the batch, which is contiguous, in the machine's widest vectors.
//!
//! Multiply and add stay separate operations. With a fused one, machines with and without it would give different bits,
//! and these loops are bound by loads, not by arithmetic. The order of every sum is the same for all vector widths.

use pulp::Simd;

/// Sums held in registers at a time: few enough for the 16 vector registers of AVX2.
const HELD: usize = 8;

/// One step of a gathered sum: a weight, and the first of the source's lanes that it scales.
#[derive(Clone, Copy, Default)]
pub(crate) struct Term {
    pub weight: f32,
    pub start: usize,
}

/// How a gathered sum begins and ends.
#[derive(Clone, Copy)]
pub(crate) struct Ends {
    /// What the terms are added to; `None` means the existing values.
    pub initial: Option<f32>,
    /// Negative sums become zero. A NaN stays a NaN, so that a diverged run shows.
    pub relu: bool,
}

/// Rows of lanes that are gathered through the same terms, each one step further in source and output.
#[derive(Clone, Copy)]
pub(crate) struct Steps {
    pub rows: usize,
    pub lanes: usize,
    pub source: usize,
    pub output: usize,
}

/// `output[lane] = initial + sum over terms of weight * source[start + lane]`, for all lanes of `output`, a multiple of
/// 4.
#[inline(always)]
pub(crate) fn gather_sum<S: Simd>(
    simd: S,
    source: &[f32],
    terms: impl Iterator<Item = Term> + Clone,
    ends: Ends,
    output: &mut [f32],
) {
    let steps = Steps {
        rows: 1,
        lanes: output.len(),
        source: 0,
        output: 0,
    };
    gather_group::<S, 1>(simd, source, terms, ends, steps, output);
}

/// [`gather_sum`] of several rows. Rows that are too short to fill the registers are held together.
#[inline(always)]
pub(crate) fn gather_rows<S: Simd>(
    simd: S,
    source: &[f32],
    terms: &[Term],
    ends: Ends,
    steps: Steps,
    output: &mut [f32],
) {
    let terms = terms.iter().copied();
    let mut row = 0;
    if steps.lanes < HELD / 2 * S::F32_LANES {
        while steps.rows - row >= 4 {
            let (source, output) = from_row(row, steps, source, output);
            gather_group::<S, 4>(simd, source, terms.clone(), ends, steps, output);
            row += 4;
        }
        if steps.rows - row >= 2 {
            let (source, output) = from_row(row, steps, source, output);
            gather_group::<S, 2>(simd, source, terms.clone(), ends, steps, output);
            row += 2;
        }
    }
    while row < steps.rows {
        let (source, output) = from_row(row, steps, source, output);
        gather_group::<S, 1>(simd, source, terms.clone(), ends, steps, output);
        row += 1;
    }
}

#[inline(always)]
fn from_row<'a>(
    row: usize,
    steps: Steps,
    source: &'a [f32],
    output: &'a mut [f32],
) -> (&'a [f32], &'a mut [f32]) {
    // Without terms, the source may be shorter than this.
    let source = source.get(row * steps.source..).unwrap_or_default();
    (source, &mut output[row * steps.output..])
}

/// All lanes of `R` rows. Whatever is narrower than a vector is an array, which costs less than masked loads.
#[inline(always)]
fn gather_group<S: Simd, const R: usize>(
    simd: S,
    source: &[f32],
    terms: impl Iterator<Item = Term> + Clone,
    ends: Ends,
    steps: Steps,
    output: &mut [f32],
) {
    let mut lane = 0;
    if R == 1 {
        while steps.lanes - lane >= HELD * S::F32_LANES {
            gather_tile::<S, R, HELD>(simd, source, terms.clone(), ends, lane, steps, output);
            lane += HELD * S::F32_LANES;
        }
        if steps.lanes - lane >= 4 * S::F32_LANES {
            gather_tile::<S, R, 4>(simd, source, terms.clone(), ends, lane, steps, output);
            lane += 4 * S::F32_LANES;
        }
    }
    while steps.lanes - lane >= 2 * S::F32_LANES {
        gather_tile::<S, R, 2>(simd, source, terms.clone(), ends, lane, steps, output);
        lane += 2 * S::F32_LANES;
    }
    if steps.lanes - lane >= S::F32_LANES {
        gather_tile::<S, R, 1>(simd, source, terms.clone(), ends, lane, steps, output);
        lane += S::F32_LANES;
    }
    if steps.lanes - lane >= 8 {
        gather_array::<R, 8>(source, terms.clone(), ends, lane, steps, output);
        lane += 8;
    }
    if steps.lanes - lane >= 4 {
        gather_array::<R, 4>(source, terms, ends, lane, steps, output);
    }
}

/// `N` vectors of each of `R` rows, from `lane` on, held in registers.
///
/// Plain loops, here and below: a closure would be compiled without the machine's vectors where it is not inlined.
#[inline(always)]
fn gather_tile<S: Simd, const R: usize, const N: usize>(
    simd: S,
    source: &[f32],
    terms: impl Iterator<Item = Term>,
    ends: Ends,
    lane: usize,
    steps: Steps,
    output: &mut [f32],
) {
    let lanes = N * S::F32_LANES;
    let mut sums = [[simd.splat_f32s(ends.initial.unwrap_or(0.0)); N]; R];
    if ends.initial.is_none() {
        for r in 0..R {
            let (before, _) = S::as_simd_f32s(&output[r * steps.output + lane..][..lanes]);
            sums[r].copy_from_slice(&before[..N]);
        }
    }
    for term in terms {
        let weight = simd.splat_f32s(term.weight);
        let source = &source[term.start + lane..];
        for r in 0..R {
            let (x, _) = S::as_simd_f32s(&source[r * steps.source..][..lanes]);
            let x = &x[..N];
            for n in 0..N {
                sums[r][n] = simd.add_f32s(sums[r][n], simd.mul_f32s(weight, x[n]));
            }
        }
    }
    let zero = simd.splat_f32s(0.0);
    for r in 0..R {
        let (output, _) = S::as_mut_simd_f32s(&mut output[r * steps.output + lane..][..lanes]);
        let output = &mut output[..N];
        for n in 0..N {
            let sum = sums[r][n];
            output[n] = if ends.relu {
                simd.select_f32s(simd.less_than_f32s(sum, zero), zero, sum)
            } else {
                sum
            };
        }
    }
}

/// `N` lanes of each of `R` rows, from `lane` on.
#[inline(always)]
fn gather_array<const R: usize, const N: usize>(
    source: &[f32],
    terms: impl Iterator<Item = Term>,
    ends: Ends,
    lane: usize,
    steps: Steps,
    output: &mut [f32],
) {
    let mut sums = [[ends.initial.unwrap_or(0.0); N]; R];
    if ends.initial.is_none() {
        for r in 0..R {
            sums[r].copy_from_slice(&output[r * steps.output + lane..][..N]);
        }
    }
    for term in terms {
        let source = &source[term.start + lane..];
        for r in 0..R {
            let x = &source[r * steps.source..][..N];
            for n in 0..N {
                sums[r][n] += term.weight * x[n];
            }
        }
    }
    for r in 0..R {
        let output = &mut output[r * steps.output + lane..][..N];
        for n in 0..N {
            let sum = sums[r][n];
            output[n] = if ends.relu && sum < 0.0 { 0.0 } else { sum };
        }
    }
}
