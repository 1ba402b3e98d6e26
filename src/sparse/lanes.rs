//! The innermost loops of the CPU twins: over the batch, which is contiguous, in blocks that the compiler keeps in
//! vector registers.
//!
//! Multiply and add stay separate operations: with a fused one, machines with and without it would give
//! different bits, and these loops are bound by loads, not by arithmetic.

/// Lanes of the largest block: 4 vectors of AVX-512, 8 of AVX2, 16 of SSE2 or NEON.
pub(super) const BLOCK: usize = 64;

/// One step of a gathered sum: a weight, and where the row that it scales starts.
#[derive(Clone, Copy)]
pub(super) struct Term {
    pub weight: f32,
    pub start: usize,
}

/// `output[lane] = epilogue(initial + sum over terms of weight * input[start + lane], lane)` for all lanes of one unit.
#[inline(always)]
pub(super) fn gather_sum(
    input: &[f32],
    terms: usize,
    term: impl Fn(usize) -> Term,
    initial: f32,
    output: &mut [f32],
    epilogue: impl Fn(f32, usize) -> f32,
) {
    let mut lane = 0;
    while lane < output.len() {
        lane += match output.len() - lane {
            BLOCK.. => block::<BLOCK>(input, terms, &term, initial, output, lane, &epilogue),
            16.. => block::<16>(input, terms, &term, initial, output, lane, &epilogue),
            _ => block::<4>(input, terms, &term, initial, output, lane, &epilogue),
        };
    }
}

#[inline(always)]
fn block<const L: usize>(
    input: &[f32],
    terms: usize,
    term: &impl Fn(usize) -> Term,
    initial: f32,
    output: &mut [f32],
    lane: usize,
    epilogue: &impl Fn(f32, usize) -> f32,
) -> usize {
    let mut sum = [initial; L];
    for t in 0..terms {
        let Term { weight, start } = term(t);
        let row = &input[start + lane..start + lane + L];
        for i in 0..L {
            sum[i] += weight * row[i];
        }
    }
    let out = &mut output[lane..lane + L];
    for i in 0..L {
        out[i] = epilogue(sum[i], lane + i);
    }
    L
}

/// Lanes that a dot product keeps apart until its end: one AVX-512 vector. Part of the result's bits, so fixed.
const PARTIAL: usize = 16;

/// Dot products of `N` rows of `input` with `delta`, in one pass over `delta`.
///
/// Lengths are multiples of 4. The sum of a row is that of [`PARTIAL`] interleaved partial sums, folded by halves.
#[inline(always)]
pub(super) fn dots<const N: usize>(input: &[f32], starts: [usize; N], delta: &[f32]) -> [f32; N] {
    let mut partial = [[0f32; PARTIAL]; N];
    let rows = starts.map(|start| &input[start..start + delta.len()]);
    let whole = delta.len() / PARTIAL * PARTIAL;
    for lane in (0..whole).step_by(PARTIAL) {
        let d = &delta[lane..lane + PARTIAL];
        for n in 0..N {
            let x = &rows[n][lane..lane + PARTIAL];
            for i in 0..PARTIAL {
                partial[n][i] += d[i] * x[i];
            }
        }
    }
    for lane in whole..delta.len() {
        for n in 0..N {
            partial[n][lane - whole] += delta[lane] * rows[n][lane];
        }
    }
    partial.map(fold)
}

#[inline(always)]
fn fold(p: [f32; PARTIAL]) -> f32 {
    let mut eight = [0f32; 8];
    for i in 0..8 {
        eight[i] = p[i] + p[i + 8];
    }
    let mut four = [0f32; 4];
    for i in 0..4 {
        four[i] = eight[i] + eight[i + 4];
    }
    (four[0] + four[2]) + (four[1] + four[3])
}
