//! Dot products of listed pairs' rows: the shared part of the twins of the weight gradients.
//!
//! A product's [partial sums](super::partial) are kept separate until its end. Since the sum can pause at any multiple
//! of [`PARTIAL`] lanes, its bits depend neither on the width of the vectors, nor on how the lanes are tiled, nor on
//! which task has the pair.

use std::ops::Range;

use pulp::Simd;

use super::partial::{Held, fold_held, load, load_rest, masks, store};
pub(crate) use super::partial::{PARTIAL, Partial, fold};

/// Where the lanes to multiply lie: segments of `delta`, and as many in each of `N` runs of the input.
#[derive(Clone, Copy)]
pub(crate) struct Runs<const N: usize> {
    /// First lane of each run.
    pub starts: [usize; N],
    /// Number of lanes in a segment.
    pub length: usize,
    /// Number of segments.
    pub count: usize,
    /// Distance in lanes from one segment of a run to the next.
    pub step: usize,
    /// Distance in lanes from one segment of delta to the next.
    pub delta_step: usize,
}

impl<const N: usize> Runs<N> {
    /// Runs with one segment.
    #[inline(always)]
    pub fn whole(starts: [usize; N], length: usize) -> Self {
        Runs {
            starts,
            length,
            count: 1,
            step: 0,
            delta_step: 0,
        }
    }
}

/// Adds `delta` times each of `N` runs of `input` to the partial sums with these numbers, in one pass over `delta`.
#[inline(always)]
pub(crate) fn add_products<S: Simd, const N: usize>(
    simd: S,
    input: &[f32],
    runs: Runs<N>,
    delta: &[f32],
    partial: &mut [Partial],
    numbers: [usize; N],
) {
    let mut held = [[simd.splat_f32s(0.0); PARTIAL]; N];
    for n in 0..N {
        load(simd, &partial[numbers[n]], &mut held[n]);
    }
    add_runs(simd, input, runs, delta, &mut held);
    for n in 0..N {
        store::<S>(&held[n], &mut partial[numbers[n]]);
    }
}

/// A run of lanes of the input, and as many of delta, whose products are added to the partial sums of one number.
#[derive(Clone, Copy, Default)]
pub(crate) struct Strip {
    /// First lane of the input.
    pub input: usize,
    /// First lane of delta.
    pub delta: usize,
    /// Number of lanes: a multiple of [`PARTIAL`].
    pub length: usize,
    /// The number whose partial sums these are.
    pub number: usize,
}

/// Adds the products of up to four strips of different numbers. They are processed side by side, since a single sum
/// waits for each addition; the order of each is as if it were alone.
#[inline(always)]
pub(crate) fn add_strips<S: Simd>(
    simd: S,
    input: &[f32],
    delta: &[f32],
    strips: &mut [Strip],
    partial: &mut [Partial],
) {
    let mut count = strips.len();
    loop {
        let mut left = 0;
        for i in 0..count {
            if strips[i].length > 0 {
                strips[left] = strips[i];
                left += 1;
            }
        }
        count = left;
        let now = &mut strips[..count];
        match now {
            [] => return,
            [a] => add_side_by_side(simd, input, delta, [a], partial),
            [a, b] => add_side_by_side(simd, input, delta, [a, b], partial),
            [a, b, c] => add_side_by_side(simd, input, delta, [a, b, c], partial),
            [a, b, c, d, ..] => add_side_by_side(simd, input, delta, [a, b, c, d], partial),
        }
    }
}

/// Adds as much of each as the shortest has, and removes it.
#[inline(always)]
fn add_side_by_side<S: Simd, const N: usize>(
    simd: S,
    input: &[f32],
    delta: &[f32],
    strips: [&mut Strip; N],
    partial: &mut [Partial],
) {
    let mut length = strips[0].length;
    for strip in &strips[1..] {
        length = length.min(strip.length);
    }
    let mut held = [[simd.splat_f32s(0.0); PARTIAL]; N];
    let mut runs = [(input, delta); N];
    for n in 0..N {
        load(simd, &partial[strips[n].number], &mut held[n]);
        runs[n] = (
            &input[strips[n].input..][..length],
            &delta[strips[n].delta..][..length],
        );
    }
    for k in (0..length).step_by(PARTIAL) {
        for n in 0..N {
            let (x, _) = S::as_simd_f32s(&runs[n].0[k..k + PARTIAL]);
            let (d, _) = S::as_simd_f32s(&runs[n].1[k..k + PARTIAL]);
            for p in 0..PARTIAL / S::F32_LANES {
                held[n][p] = simd.add_f32s(held[n][p], simd.mul_f32s(d[p], x[p]));
            }
        }
    }
    for (n, strip) in strips.into_iter().enumerate() {
        store::<S>(&held[n], &mut partial[strip.number]);
        strip.input += length;
        strip.delta += length;
        strip.length -= length;
    }
}

/// Dot products of `N` rows of `input` with `delta`, in one pass over `delta`.
#[inline(always)]
pub(crate) fn dots<S: Simd, const N: usize>(
    simd: S,
    input: &[f32],
    starts: [usize; N],
    delta: &[f32],
) -> [f32; N] {
    let mut held = [[simd.splat_f32s(0.0); PARTIAL]; N];
    let runs = Runs::whole(starts, delta.len());
    add_runs(simd, input, runs, delta, &mut held);
    let mut sums = [0.0; N];
    for n in 0..N {
        sums[n] = fold_held(simd, &mut held[n]);
    }
    sums
}

#[inline(always)]
fn add_runs<S: Simd, const N: usize>(
    simd: S,
    input: &[f32],
    runs: Runs<N>,
    delta: &[f32],
    held: &mut [Held<S>; N],
) {
    let whole = runs.length / PARTIAL * PARTIAL;
    let rest = runs.length - whole;
    let masks = masks(simd, rest);
    let mut starts = runs.starts;
    for segment in 0..runs.count {
        let first = segment * runs.delta_step;
        if whole > 0 {
            add_chunks(simd, input, starts, &delta[first..first + whole], held);
        }
        if rest > 0 {
            let d = load_rest(simd, delta, first + whole, rest, &masks);
            for n in 0..N {
                let x = load_rest(simd, input, starts[n] + whole, rest, &masks);
                for p in 0..PARTIAL / S::F32_LANES {
                    held[n][p] = simd.add_f32s(held[n][p], simd.mul_f32s(d[p], x[p]));
                }
            }
        }
        for start in &mut starts {
            *start += runs.step;
        }
    }
}

#[inline(always)]
fn add_chunks<S: Simd, const N: usize>(
    simd: S,
    input: &[f32],
    starts: [usize; N],
    delta: &[f32],
    held: &mut [Held<S>; N],
) {
    let (delta_chunks, _) = delta.as_chunks::<PARTIAL>();
    let mut chunks = [delta_chunks; N];
    for n in 0..N {
        let run = &input[starts[n]..][..delta.len()];
        chunks[n] = &run.as_chunks::<PARTIAL>().0[..delta_chunks.len()];
    }
    for (k, d) in delta_chunks.iter().enumerate() {
        let (d, _) = S::as_simd_f32s(d);
        for n in 0..N {
            let (x, _) = S::as_simd_f32s(&chunks[n][k]);
            for p in 0..PARTIAL / S::F32_LANES {
                held[n][p] = simd.add_f32s(held[n][p], simd.mul_f32s(d[p], x[p]));
            }
        }
    }
}

/// Most pairs of a task, so that their partial sums stay in a core's own cache: 256 KiB.
const PAIRS: usize = 4096;

/// Divides rows into blocks with about equal numbers of pairs, for tasks that each go through the whole input: one per
/// thread, since all of them read all of it.
pub(crate) fn row_blocks(offsets: &[u32], threads: usize) -> Vec<Range<usize>> {
    let rows = offsets.len() - 1;
    let pairs = (offsets[rows] - offsets[0]) as usize;
    let tasks = threads.max(pairs.div_ceil(PAIRS)).min(rows);
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

    struct Dots<'a>(&'a [f32], [usize; 2], &'a [f32]);

    impl pulp::WithSimd for Dots<'_> {
        type Output = [f32; 2];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
            dots(simd, self.0, self.1, self.2)
        }
    }

    /// The same in tiles of this many lanes.
    struct Parts<'a>(&'a [f32], [usize; 2], &'a [f32], usize);

    impl pulp::WithSimd for Parts<'_> {
        type Output = [f32; 2];

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) -> [f32; 2] {
            let mut partial = [[0.0; PARTIAL]; 2];
            for (tile, delta) in self.2.chunks(self.3).enumerate() {
                let runs = Runs::whole(self.1.map(|start| start + tile * self.3), delta.len());
                add_products(simd, self.0, runs, delta, &mut partial, [0, 1]);
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

    /// Straight from the definition, without vectors.
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
            let starts = [0, 2 * n];
            let dots = || Dots(&input, starts, &delta);
            assert_eq!(arch.dispatch(dots()), expected);
            assert_eq!(pulp::Scalar.vectorize(dots()), expected);
            for tile in [16, 48, 1024] {
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
        assert_eq!(row_blocks(&even, 4), [0..16, 16..32, 32..48, 48..64]);
        assert_eq!(row_blocks(&[3, 3], 2), vec![0..1; 1]);
    }

    struct Strips<'a>(&'a [f32], &'a [f32], Vec<Strip>);

    impl pulp::WithSimd for Strips<'_> {
        type Output = Vec<f32>;

        #[inline(always)]
        fn with_simd<S: Simd>(mut self, simd: S) -> Vec<f32> {
            let mut partial = [[0.0; PARTIAL]; 4];
            add_strips(simd, self.0, self.1, &mut self.2, &mut partial);
            partial.iter().map(|p| fold(simd, p)).collect()
        }
    }

    #[test]
    fn strips_side_by_side_have_the_bits_of_each_alone() {
        let arch = pulp::Arch::new();
        let (input, delta) = (values(500, 3), values(400, 4));
        let strip = |number, length| Strip {
            input: 17 * number,
            delta: 33 * number,
            length,
            number,
        };
        let expected = |strip: &Strip| {
            let (x, d) = (&input[strip.input..], &delta[strip.delta..]);
            plain(&x[..strip.length], &d[..strip.length])
        };
        for lengths in [
            [0; 4],
            [160, 160, 160, 160],
            [32, 0, 176, 16],
            [64, 48, 80, 48],
        ] {
            for count in 0..=4 {
                let strips: Vec<_> = (0..count).map(|i| strip(i, lengths[i])).collect();
                let mut sums: Vec<f32> = strips.iter().map(expected).collect();
                sums.resize(4, 0.0);
                let found = || Strips(&input, &delta, strips.clone());
                assert_eq!(arch.dispatch(found()), sums);
                assert_eq!(pulp::Scalar.vectorize(found()), sums);
            }
        }
    }
}
