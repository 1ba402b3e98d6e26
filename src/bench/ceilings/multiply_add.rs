//! The kernel of the arithmetic ceiling.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use crate::engine::loops::{NONE, looped};
use crate::threads::DealOut;

crate::kernel! {
    /// Element e of `output` is the sum of its four numbers after `iterations` of `x = x * factor + summand`, where
    /// chain k starts from e mod 64 + k: measures arithmetic without memory.
    ///
    /// Shapes: `output` `[vectors][4]`. Grid: [`Items`](crate::engine::Grid::Items) = `vectors`.
    pub MultiplyAdd, MultiplyAddParams, MultiplyAddTwin = "bench/multiply_add", shader!("bench/multiply_add");
    params {
        /// Vectors of four words in the output.
        vectors: u32,
        /// Steps of each chain, a multiple of 8.
        iterations: u32,
        /// The factor.
        factor: f32,
        /// The summand.
        summand: f32,
    }
    loops |p, _| looped(p.iterations / 8, looped(8, NONE));
    write output: f32,
}

/// Number of chains of one element.
pub const CHAINS: usize = 4;

/// Elements that a thread takes at a time; a multiple of [`START`].
const CHUNK: usize = 1 << 12;

/// Starting values repeat after this many elements.
const START: usize = 64;

/// Vectors of elements that are worked on at once. Together with [`CHAINS`], this gives enough chains to hide the
/// latency of the arithmetic.
const HELD: usize = 3;

impl MultiplyAddTwin<'_> {
    fn run(self) {
        let arch = pulp::Arch::new();
        self.output[..self.params.vectors as usize * 4]
            .par_chunks_mut(CHUNK)
            .deal_out(|output| {
                for (e, x) in output.iter_mut().enumerate() {
                    *x = (e % START) as f32;
                }
                arch.dispatch(Chains {
                    iterations: self.params.iterations,
                    factor: self.params.factor,
                    summand: self.params.summand,
                    output,
                });
            });
    }
}

/// Elements, initially with their starting values.
struct Chains<'a> {
    iterations: u32,
    factor: f32,
    summand: f32,
    output: &'a mut [f32],
}

impl WithSimd for Chains<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let factor = simd.splat_f32s(self.factor);
        let summand = simd.splat_f32s(self.summand);
        let (vectors, tail) = S::as_mut_simd_f32s(self.output);
        let (blocks, rest) = vectors.as_chunks_mut::<HELD>();
        for block in blocks {
            *block = chains(simd, *block, self.iterations, factor, summand);
        }
        for vector in rest {
            [*vector] = chains(simd, [*vector], self.iterations, factor, summand);
        }
        if !tail.is_empty() {
            let start = simd.partial_load_f32s(tail);
            let [end] = chains(simd, [start], self.iterations, factor, summand);
            simd.partial_store_f32s(tail, end);
        }
    }
}

/// Unlike the other twins, this one fuses multiply and add if the machine can, because it measures what the machine can
/// do.
#[inline(always)]
fn chains<S: Simd, const N: usize>(
    simd: S,
    start: [S::f32s; N],
    iterations: u32,
    factor: S::f32s,
    summand: S::f32s,
) -> [S::f32s; N] {
    let mut x: [[S::f32s; N]; CHAINS] = std::array::from_fn(|k| {
        let k = simd.splat_f32s(k as f32);
        start.map(|s| simd.add_f32s(s, k))
    });
    for _ in 0..iterations {
        for chain in &mut x {
            for x in chain {
                *x = simd.mul_add_f32s(*x, factor, summand);
            }
        }
    }
    let [a, b, c, d] = x;
    std::array::from_fn(|i| simd.add_f32s(simd.add_f32s(a[i], b[i]), simd.add_f32s(c[i], d[i])))
}
