//! The partial sums of a dot product, between its parts and in registers.
//!
//! There are [`PARTIAL`] of them, interleaved, and folded by halves at the end: so a sum's bits do not depend on the
//! width of the vectors.

use pulp::Simd;

/// Number of partial sums of a product: one vector of AVX-512, two of AVX2, four of NEON. It determines the result's
/// bits, so it is the same everywhere.
pub(crate) const PARTIAL: usize = 16;

/// A product's partial sums between two of its parts.
pub(crate) type Partial = [f32; PARTIAL];

/// The same in registers: the first `PARTIAL / F32_LANES` vectors.
pub(super) type Held<S> = [<S as Simd>::f32s; PARTIAL];

/// The product whose partial sums these are.
#[inline(always)]
pub(crate) fn fold<S: Simd>(simd: S, partial: &Partial) -> f32 {
    let mut held = [simd.splat_f32s(0.0); PARTIAL];
    load(simd, partial, &mut held);
    fold_held(simd, &mut held)
}

/// The first `rest` lanes of a chunk, followed by zeros. If the chunk is whole, it is loaded as one: that is several
/// times faster than a partial load.
#[inline(always)]
pub(super) fn load_rest<S: Simd>(
    simd: S,
    values: &[f32],
    at: usize,
    rest: usize,
    masks: &[S::m32s; PARTIAL],
) -> Held<S> {
    let zero = simd.splat_f32s(0.0);
    let mut held = [zero; PARTIAL];
    match values.get(at..at + PARTIAL) {
        Some(chunk) => {
            let (chunk, _) = S::as_simd_f32s(chunk);
            for p in 0..PARTIAL / S::F32_LANES {
                held[p] = simd.select_f32s(masks[p], chunk[p], zero);
            }
        }
        None => {
            let values = &values[at..at + rest];
            for (p, part) in values.chunks(S::F32_LANES).enumerate() {
                held[p] = simd.partial_load_f32s(part);
            }
        }
    }
    held
}

/// Masks of a chunk's first `rest` lanes.
#[inline(always)]
pub(super) fn masks<S: Simd>(simd: S, rest: usize) -> [S::m32s; PARTIAL] {
    let first = |lanes: usize| simd.mask_between_m32s(0, lanes as u32).mask();
    let mut masks = [first(0); PARTIAL];
    for (p, mask) in masks[..PARTIAL / S::F32_LANES].iter_mut().enumerate() {
        *mask = first(rest.saturating_sub(p * S::F32_LANES).min(S::F32_LANES));
    }
    masks
}

#[inline(always)]
pub(super) fn load<S: Simd>(_: S, partial: &Partial, held: &mut Held<S>) {
    let (vectors, _) = S::as_simd_f32s(partial);
    // One by one: a copy of the slice would force them out of the registers.
    #[allow(clippy::manual_memcpy)]
    for p in 0..PARTIAL / S::F32_LANES {
        held[p] = vectors[p];
    }
}

#[inline(always)]
pub(super) fn store<S: Simd>(held: &Held<S>, partial: &mut Partial) {
    let (vectors, _) = S::as_mut_simd_f32s(partial);
    // One by one: a copy of the slice would force them out of the registers.
    #[allow(clippy::manual_memcpy)]
    for p in 0..PARTIAL / S::F32_LANES {
        vectors[p] = held[p];
    }
}

#[inline(always)]
pub(super) fn fold_held<S: Simd>(simd: S, held: &mut Held<S>) -> f32 {
    let mut left = PARTIAL / S::F32_LANES;
    while left > 1 {
        left /= 2;
        for p in 0..left {
            held[p] = simd.add_f32s(held[p], held[p + left]);
        }
    }
    // Halved again within the vector: the same order at any width.
    simd.reduce_sum_f32s(held[0])
}
