//! The mean over all positions of a plane, or over all tokens.

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::super::pointwise::{check_views, scale_row, word};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, Plan, View, WorkgroupShape};
use crate::error::Result;
use crate::layer::definition::{Layer, Linear};
use crate::layer::extent::Extent;
use crate::layer::operation::Operation;
use crate::layer::pass::{Backward, Forward, Pass, Sink};
use crate::threads::DealOut;

crate::kernel! {
    /// `output[unit] = scale * sum over positions of input[unit][position]`.
    ///
    /// Position p belongs to the partial sum p mod 4; the result is `(s0 + s1) + (s2 + s3)`. Shapes: `input`
    /// `[units][positions][lanes]`, `output` `[units][lanes]`. Grid: [`Rows`](crate::engine::Grid::Rows) = units. Bound
    /// by the loads of `input`.
    pub GlobalAverageForward, GlobalAverageForwardParams, GlobalAverageForwardTwin =
        "layer/global_average", shader!("layer/global_average");
    params {
        /// Channels, or features.
        units: u32,
        /// Positions of a plane, or tokens.
        positions: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// 1 / positions.
        scale: f32,
    }
    pieces GlobalAverageForwardParams::pieces;
    read input: f32,
    write output: f32,
}

/// Number of partial sums, and so of loads that are in flight at once.
const PARTIAL: usize = 4;

impl GlobalAverageForwardParams {
    /// Each piece has some vectors.
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let positions = looped(self.positions / PARTIAL as u32, NONE);
        Piece::dealt(grid, self.vectors, shape.lanes(), |turns| {
            looped(turns, positions)
        })
    }
}

impl GlobalAverageForwardTwin<'_> {
    fn run(self) {
        let lanes = self.params.vectors as usize * 4;
        let [units, positions] = [self.params.units, self.params.positions].map(|n| n as usize);
        let scale = self.params.scale;
        let arch = pulp::Arch::new();
        self.output[..units * lanes]
            .par_chunks_exact_mut(lanes)
            .zip(self.input.par_chunks_exact(positions * lanes))
            .deal_out(|(output, input)| {
                let mut sums = vec![0f32; PARTIAL * lanes];
                arch.dispatch(Mean {
                    scale,
                    input,
                    sums: &mut sums,
                    output,
                });
            });
    }
}

/// One unit.
struct Mean<'a> {
    scale: f32,
    input: &'a [f32],
    /// Zeros, `PARTIAL` rows.
    sums: &'a mut [f32],
    output: &'a mut [f32],
}

impl WithSimd for Mean<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let lanes = self.output.len();
        for rows in self.input.chunks(PARTIAL * lanes) {
            for (s, v) in self.sums.iter_mut().zip(rows) {
                *s += v;
            }
        }
        let (a, b) = self.sums.split_at(2 * lanes);
        let ((s0, s1), (s2, s3)) = (a.split_at(lanes), b.split_at(lanes));
        let sums = s0.iter().zip(s1).zip(s2.iter().zip(s3));
        for (o, ((s0, s1), (s2, s3))) in self.output.iter_mut().zip(sums) {
            *o = ((s0 + s1) + (s2 + s3)) * self.scale;
        }
    }
}

crate::kernel! {
    /// `result[unit][position] = scale * delta[unit]` for every position, or adds to it.
    ///
    /// Shapes: `delta` `[units][lanes]`, `result` `[units][positions][lanes]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = units. Bound by the stores of `result`.
    pub GlobalAverageBackward, GlobalAverageBackwardParams, GlobalAverageBackwardTwin =
        "layer/global_average_backward", shader!("layer/global_average_backward");
    params {
        /// Channels, or features.
        units: u32,
        /// Positions of a plane, or tokens.
        positions: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// 1 / positions.
        scale: f32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    pieces GlobalAverageBackwardParams::pieces;
    read delta: f32,
    write result: f32,
}

impl GlobalAverageBackwardParams {
    /// Each piece has some positions.
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let vectors = self.vectors.div_ceil(shape.lanes());
        Piece::ranges(grid, self.positions, 1, |positions| {
            looped(vectors, looped(positions, NONE) + looped(0, NONE))
        })
    }
}

impl GlobalAverageBackwardTwin<'_> {
    fn run(self) {
        let lanes = self.params.vectors as usize * 4;
        let [units, positions] = [self.params.units, self.params.positions].map(|n| n as usize);
        let scale = self.params.scale;
        let accumulate = self.params.accumulate != 0;
        let arch = pulp::Arch::new();
        self.result[..units * positions * lanes]
            .par_chunks_exact_mut(positions * lanes)
            .zip(self.delta.par_chunks_exact(lanes))
            .deal_out(|(result, delta)| {
                arch.dispatch(Shares {
                    scale,
                    accumulate,
                    delta,
                    result,
                });
            });
    }
}

/// One unit.
struct Shares<'a> {
    scale: f32,
    accumulate: bool,
    delta: &'a [f32],
    result: &'a mut [f32],
}

impl WithSimd for Shares<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        for row in self.result.chunks_exact_mut(self.delta.len()) {
            scale_row(row, self.delta, self.scale, self.accumulate);
        }
    }
}

/// The mean over all positions: global average pooling, or the mean over tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalAveragePass {
    /// Channels, or features.
    pub units: usize,
    /// Positions of a plane, or tokens: at least one.
    pub positions: usize,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
}

impl GlobalAveragePass {
    fn scale(&self) -> f32 {
        1.0 / self.positions as f32
    }

    fn check(&self, planes: (&str, &View), means: (&str, &View)) -> Result<()> {
        word("positions", self.positions)?;
        let words = self.units * self.positions * self.lanes;
        check_views(
            "global average",
            self.lanes,
            &[
                (planes.0, planes.1, words),
                (means.0, means.1, self.units * self.lanes),
            ],
        )
    }

    /// Writes `output` `[units][lanes]` from `input` `[units][positions][lanes]`.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward(&self, plan: &mut Plan, input: View, output: View) -> Result<()> {
        self.check(("input", &input), ("output", &output))?;
        let params = GlobalAverageForwardParams {
            units: self.units as u32,
            positions: self.positions as u32,
            vectors: (self.lanes / 4) as u32,
            scale: self.scale(),
        };
        plan.dispatch(
            GlobalAverageForward {
                params,
                input,
                output,
            },
            Grid::Rows(self.units),
        )
    }

    /// Writes the gradient at the input, `result`, from that at the output, `delta`; adds to the existing values if
    /// `accumulate`.
    ///
    /// # Errors
    /// The views do not fit, or belong to one buffer.
    pub fn backward(
        &self,
        plan: &mut Plan,
        delta: View,
        result: View,
        accumulate: bool,
    ) -> Result<()> {
        self.check(("result", &result), ("delta", &delta))?;
        let params = GlobalAverageBackwardParams {
            units: self.units as u32,
            positions: self.positions as u32,
            vectors: (self.lanes / 4) as u32,
            scale: self.scale(),
            accumulate: u32::from(accumulate),
        };
        plan.dispatch(
            GlobalAverageBackward {
                params,
                delta,
                result,
            },
            Grid::Rows(self.units),
        )
    }
}

/// Mean over all positions, or tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GlobalAverage;

impl GlobalAverage {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> GlobalAveragePass {
        GlobalAveragePass {
            units: pass.extent().channels,
            positions: pass.inputs()[0].positions(),
            lanes: pass.lanes(),
        }
    }
}

impl Layer for GlobalAverage {
    fn kind(&self) -> &'static str {
        "global-average"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        Ok(Extent::vector(inputs[0].channels))
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        (self.pass(pass)).forward(plan, pass.input(0)?, pass.output())
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        match pass.sink(0)? {
            Some(Sink { view, accumulate }) => {
                (self.pass(pass)).backward(plan, pass.delta(), view, accumulate)
            }
            None => Ok(()),
        }
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Mean)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(GlobalAverage)]
}
