//! Dot products of listed pairs' rows: what the twins of the weight gradients share.
//!
//! A product is [`PARTIAL`] interleaved partial sums, which are kept apart until its end and then folded by halves. As the
//! sum may pause at any multiple of that many lanes, its bits depend neither on the width of the vectors nor on
//! how the lanes are tiled, nor on which task has the pair.

use std::ops::Range;

use pulp::Simd;

/// Partial sums of a product: one vector of AVX-512, two of AVX2, four of NEON. Part of the result's bits, so the same everywhere.
pub(super) const PARTIAL: usize = 16;

/// A product's partial sums between two of its parts.
pub(super) type Partial = [f32; PARTIAL];

/// The same in registers: the first `PARTIAL / F32_LANES` vectors.
type Held<S> = [<S as Simd>::f32s; PARTIAL];

/// Adds `delta` times each of `N` runs of `input` to partial sums, in one pass over `delta`.
///
/// `delta` is segments of `length` lanes; those of run `n` start at `starts[n]`, then every `step` lanes.
#[inline(always)]
pub(super) fn add_products<S: Simd, const N: usize>(
    simd: S,
    input: &[f32],
    starts: [usize; N],
    step: usize,
    delta: &[f32],
    length: usize,
    partial: [Partial; N],
) -> [Partial; N] {
    let mut held = partial.map(|p| load::<S>(simd, &p));
    for (segment, delta) in delta.chunks_exact(length).enumerate() {
        let runs = starts.map(|start| &input[start + segment * step..][..length]);
        add_run(simd, runs, delta, &mut held);
    }
    held.map(|h| store::<S>(&h))
}

/// Dot products of `N` rows with `delta`, in one pass over `delta`.
#[inline(always)]
pub(super) fn dots<S: Simd, const N: usize>(simd: S, rows: [&[f32]; N], delta: &[f32]) -> [f32; N] {
    let mut held = [[simd.splat_f32s(0.0); PARTIAL]; N];
    add_run(simd, rows, delta, &mut held);
    held.map(|h| fold_held(simd, h))
}

/// The product whose partial sums these are.
#[inline(always)]
pub(super) fn fold<S: Simd>(simd: S, partial: &Partial) -> f32 {
    fold_held(simd, load::<S>(simd, partial))
}

#[inline(always)]
fn add_run<S: Simd, const N: usize>(
    simd: S,
    rows: [&[f32]; N],
    delta: &[f32],
    held: &mut [Held<S>; N],
) {
    let parts = PARTIAL / S::F32_LANES;
    let (delta_chunks, delta_rest) = delta.as_chunks::<PARTIAL>();
    let chunks = rows.map(|row| &row.as_chunks::<PARTIAL>().0[..delta_chunks.len()]);
    for (k, d) in delta_chunks.iter().enumerate() {
        let (d, _) = S::as_simd_f32s(d);
        for n in 0..N {
            let (x, _) = S::as_simd_f32s(&chunks[n][k]);
            for p in 0..parts {
                held[n][p] = simd.add_f32s(held[n][p], simd.mul_f32s(d[p], x[p]));
            }
        }
    }
    if !delta_rest.is_empty() {
        let first = delta.len() - delta_rest.len();
        let vector = |row: &[f32], p: usize| {
            let rest = &row[first..delta.len()];
            let begin = (p * S::F32_LANES).min(rest.len());
            let end = (begin + S::F32_LANES).min(rest.len());
            simd.partial_load_f32s(&rest[begin..end])
        };
        // As above, by the number of the vector.
        #[allow(clippy::needless_range_loop)]
        for p in 0..parts {
            let d = vector(delta, p);
            for n in 0..N {
                held[n][p] = simd.add_f32s(held[n][p], simd.mul_f32s(d, vector(rows[n], p)));
            }
        }
    }
}

#[inline(always)]
fn load<S: Simd>(simd: S, partial: &Partial) -> Held<S> {
    let (vectors, _) = S::as_simd_f32s(partial);
    let mut held = [simd.splat_f32s(0.0); PARTIAL];
    held[..vectors.len()].copy_from_slice(vectors);
    held
}

#[inline(always)]
fn store<S: Simd>(held: &Held<S>) -> Partial {
    let mut partial = [0f32; PARTIAL];
    let (vectors, _) = S::as_mut_simd_f32s(&mut partial);
    let parts = vectors.len();
    vectors.copy_from_slice(&held[..parts]);
    partial
}

#[inline(always)]
fn fold_held<S: Simd>(simd: S, mut held: Held<S>) -> f32 {
    let mut left = PARTIAL / S::F32_LANES;
    while left > 1 {
        left /= 2;
        for p in 0..left {
            held[p] = simd.add_f32s(held[p], held[p + left]);
        }
    }
    // Halves again, within the vector: the same order at any width.
    simd.reduce_sum_f32s(held[0])
}

/// Pairs of a task at most, so that their partial sums stay in a core's own cache: 256 KiB.
const PAIRS: usize = 4096;

/// Divides rows into blocks of about as many pairs each, for tasks that each go through the whole input: a few a thread,
/// since all of them read all of it.
pub(super) fn row_blocks(offsets: &[u32], threads: usize) -> Vec<Range<usize>> {
    let rows = offsets.len() - 1;
    let pairs = (offsets[rows] - offsets[0]) as usize;
    let tasks = (2 * threads).max(pairs.div_ceil(PAIRS)).min(rows);
    let mut blocks = Vec::with_capacity(tasks);
    let mut first = 0;
    for task in 1..=tasks {
        let until = offsets[0] + (pairs as u64 * task as u64 / tasks as u64) as u32;
        let last = match task == tasks {
            true => rows,
            false => first + offsets[first + 1..rows].partition_point(|&end| end <= until),
        };
        if last > first {
            blocks.push(first..last);
            first = last;
        }
    }
    blocks
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Dots<'a>([&'a [f32]; 2], &'a [f32]);

    impl pulp::WithSimd for Dots<'_> {
        type Output = [f32; 2];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
            dots(simd, self.0, self.1)
        }
    }

    struct Parts<'a>(&'a [f32], [usize; 2], &'a [f32], usize);

    impl pulp::WithSimd for Parts<'_> {
        type Output = [f32; 2];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
            let mut partial = [[0.0; PARTIAL]; 2];
            for (tile, delta) in self.2.chunks(self.3).enumerate() {
                let starts = self.1.map(|start| start + tile * self.3);
                let n = delta.len();
                partial = add_products(simd, self.0, starts, n, delta, n, partial);
            }
            partial.map(|p| fold(simd, &p))
        }
    }

    fn values(n: usize, key: u32) -> Vec<f32> {
        (0..n as u32)
            .map(|i| crate::engine::random::unit(crate::engine::random::pcg4d([key, i, 0, 0])[0]))
            .map(|x| x * 2.0 - 1.0)
            .collect()
    }

    /// By the definition, without vectors.
    fn plain(x: &[f32], d: &[f32]) -> f32 {
        let mut partial = [0f32; PARTIAL];
        for (i, (x, d)) in x.iter().zip(d).enumerate() {
            partial[i % PARTIAL] += x * d;
        }
        let mut left = PARTIAL;
        while left > 1 {
            left /= 2;
            for i in 0..left {
                partial[i] += partial[i + left];
            }
        }
        partial[0]
    }

    #[test]
    fn bits_depend_neither_on_the_vectors_nor_on_the_tiles() {
        let arch = pulp::Arch::new();
        for n in [4, 12, 16, 20, 100, 128, 1000] {
            let (input, delta) = (values(3 * n, 1), values(n, 2));
            let expected = [&input[..n], &input[2 * n..]].map(|x| plain(x, &delta));
            let rows = [&input[..n], &input[2 * n..]];
            assert_eq!(arch.dispatch(Dots(rows, &delta)), expected);
            assert_eq!(pulp::Scalar.vectorize(Dots(rows, &delta)), expected);
            for tile in [16, 48, 1024] {
                let starts = [0, 2 * n];
                let parts = || Parts(&input, starts, &delta, tile);
                assert_eq!(arch.dispatch(parts()), expected);
                assert_eq!(pulp::Scalar.vectorize(parts()), expected);
            }
        }
    }

    #[test]
    fn blocks_cover_all_rows_once_and_share_the_pairs() {
        let counts = [0, 0, 7, 1, 30, 0, 2, 2, 9, 0];
        let mut offsets = vec![11u32];
        for n in counts {
            offsets.push(offsets[offsets.len() - 1] + n);
        }
        for threads in [1, 2, 3, 64] {
            let blocks = row_blocks(&offsets, threads);
            let rows: Vec<usize> = blocks.iter().cloned().flatten().collect();
            assert_eq!(rows, (0..counts.len()).collect::<Vec<_>>());
        }
        let even: Vec<u32> = (0..=64).map(|r| r * 5).collect();
        assert!(row_blocks(&even, 2).iter().all(|b| b.len() == 16));
        assert_eq!(row_blocks(&[3, 3], 2), vec![0..1; 1]);
    }
}
