//! Sums of values, and adding to a value.

use super::pointwise::{check_views, map};
use crate::engine::{Grid, Plan, View};
use crate::error::Result;

crate::kernel! {
    /// `output = a + b`.
    ///
    /// Shapes: all `[4 * vectors]`. Grid: [`Items`](crate::engine::Grid::Items) = vectors. Bound by memory.
    pub AddForward, AddForwardParams, AddForwardTwin = "layer/add", shader!("layer/add");
    params {
        /// A quarter of the number of words.
        vectors: u32,
    }
    no loops;
    read a: f32,
    read b: f32,
    write output: f32,
}

impl AddForwardTwin<'_> {
    fn run(self) {
        let length = self.params.vectors as usize * 4;
        map(
            &mut self.output[..length],
            [self.a, self.b],
            false,
            #[inline(always)]
            |[a, b]| a + b,
        );
    }
}

crate::kernel! {
    /// `output += source`.
    ///
    /// Shapes: both `[4 * vectors]`. Grid: [`Items`](crate::engine::Grid::Items) = vectors. Bound by memory.
    pub AddInto, AddIntoParams, AddIntoTwin = "layer/add_into", shader!("layer/add_into");
    params {
        /// A quarter of the number of words.
        vectors: u32,
    }
    no loops;
    read source: f32,
    write output: f32,
}

impl AddIntoTwin<'_> {
    fn run(self) {
        let length = self.params.vectors as usize * 4;
        map(
            &mut self.output[..length],
            [self.source],
            true,
            #[inline(always)]
            |[s]| s,
        );
    }
}

impl AddForward {
    /// Records `output = a + b`, all of `words` words, a multiple of 4.
    ///
    /// # Errors
    /// The views do not fit, or `output` shares a buffer with another.
    pub fn record(plan: &mut Plan, a: View, b: View, output: View, words: usize) -> Result<()> {
        check_views(
            "sum",
            words,
            &[
                ("a", &a, words),
                ("b", &b, words),
                ("output", &output, words),
            ],
        )?;
        let params = AddForwardParams {
            vectors: (words / 4) as u32,
        };
        plan.dispatch(
            AddForward {
                params,
                a,
                b,
                output,
            },
            Grid::Items(words / 4),
        )
    }
}

impl AddInto {
    /// Records `target += source`, both of `words` words, a multiple of 4.
    ///
    /// # Errors
    /// The views do not fit, or belong to one buffer.
    pub fn record(plan: &mut Plan, source: View, target: View, words: usize) -> Result<()> {
        check_views(
            "sum",
            words,
            &[("source", &source, words), ("target", &target, words)],
        )?;
        let params = AddIntoParams {
            vectors: (words / 4) as u32,
        };
        plan.dispatch(
            AddInto {
                params,
                source,
                output: target,
            },
            Grid::Items(words / 4),
        )
    }
}
