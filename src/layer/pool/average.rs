//! Average pooling.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::super::pointwise::scale_row;
use super::{Axis, Windows, check, geometry, vector_pieces, window_params};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, Plan, View, WorkgroupShape};
use crate::error::Result;
use crate::layer::definition::{Layer, Linear};
use crate::layer::extent::Extent;
use crate::layer::pass::{Backward, Forward, Pass, Sink};
use crate::sparse::Window;

crate::kernel! {
    /// Each output is `scale` times the sum of its window's inputs, padding being zero.
    ///
    /// Shapes: `input` `[channels][input_y][input_x][lanes]`, `output` `[channels][output_y][output_x][lanes]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = `channels * output_y`. Bound by the loads of `input`.
    pub AveragePoolForward, AveragePoolForwardParams, AveragePoolForwardTwin =
        "layer/average_pool", shader!("layer/average_pool");
    params {
        /// Channels.
        channels: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Rows of an input plane.
        input_y: u32,
        /// Columns of an input plane.
        input_x: u32,
        /// Rows of an output plane.
        output_y: u32,
        /// Columns of an output plane.
        output_x: u32,
        /// Rows of the window.
        kernel_y: u32,
        /// Columns of the window.
        kernel_x: u32,
        /// Input rows from one output row to the next.
        stride_y: u32,
        /// Input columns from one output column to the next.
        stride_x: u32,
        /// Rows of padding before and behind the input plane.
        padding_y: u32,
        /// Columns of padding before and behind the input plane.
        padding_x: u32,
        /// 1 / taps of the window.
        scale: f32,
    }
    pieces AveragePoolForwardParams::pieces;
    read input: f32,
    write output: f32,
}

impl AveragePoolForwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let inner = looped(self.kernel_y, looped(self.kernel_x, NONE));
        vector_pieces(self.output_x, inner, self.vectors, grid, shape)
    }
}

impl AveragePoolForwardTwin<'_> {
    fn run(self) {
        let (channels, y, x, lanes) = geometry!(self.params);
        let scale = self.params.scale;
        let arch = pulp::Arch::new();
        self.output[..channels * y.output * x.output * lanes]
            .par_chunks_exact_mut(x.output * lanes)
            .enumerate()
            .for_each(|(line, output)| {
                let (channel, oy) = (line / y.output, line % y.output);
                let plane = &self.input[channel * y.input * x.input * lanes..];
                arch.dispatch(LineForward {
                    y,
                    x,
                    row: oy,
                    lanes,
                    scale,
                    plane,
                    output,
                });
            });
    }
}

/// A line of output positions.
struct LineForward<'a> {
    y: Axis,
    x: Axis,
    /// Its row of the plane.
    row: usize,
    lanes: usize,
    scale: f32,
    plane: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for LineForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (x, lanes) = (self.x, self.lanes);
        for (ox, sum) in self.output.chunks_exact_mut(lanes).enumerate() {
            sum.fill(0.0);
            for iy in self.y.seen(self.row) {
                for ix in x.seen(ox) {
                    let row = &self.plane[(iy * x.input + ix) * lanes..][..lanes];
                    for (s, v) in sum.iter_mut().zip(row) {
                        *s += v;
                    }
                }
            }
            for s in sum {
                *s *= self.scale;
            }
        }
    }
}

crate::kernel! {
    /// `result` at an input is `scale` times the sum of `delta` over the outputs that see it, or has that added.
    ///
    /// Shapes: `delta` `[channels][output_y][output_x][lanes]`, `result` `[channels][input_y][input_x][lanes]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = `channels * input_y`.
    pub AveragePoolBackward, AveragePoolBackwardParams, AveragePoolBackwardTwin =
        "layer/average_pool_backward", shader!("layer/average_pool_backward");
    params {
        /// Channels.
        channels: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// Rows of an input plane.
        input_y: u32,
        /// Columns of an input plane.
        input_x: u32,
        /// Rows of an output plane.
        output_y: u32,
        /// Columns of an output plane.
        output_x: u32,
        /// Rows of the window.
        kernel_y: u32,
        /// Columns of the window.
        kernel_x: u32,
        /// Input rows from one output row to the next.
        stride_y: u32,
        /// Input columns from one output column to the next.
        stride_x: u32,
        /// Rows of padding before and behind the input plane.
        padding_y: u32,
        /// Columns of padding before and behind the input plane.
        padding_x: u32,
        /// 1 / taps of the window.
        scale: f32,
        /// 1: add to what is there.
        accumulate: u32,
    }
    pieces AveragePoolBackwardParams::pieces;
    read delta: f32,
    write result: f32,
}

impl AveragePoolBackwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let [y, x] = [
            self.kernel_y.div_ceil(self.stride_y),
            self.kernel_x.div_ceil(self.stride_x),
        ];
        let inner = looped(y, looped(x, NONE));
        vector_pieces(self.input_x, inner, self.vectors, grid, shape)
    }
}

impl AveragePoolBackwardTwin<'_> {
    fn run(self) {
        let (channels, y, x, lanes) = geometry!(self.params);
        let scale = self.params.scale;
        let accumulate = self.params.accumulate != 0;
        let arch = pulp::Arch::new();
        self.result[..channels * y.input * x.input * lanes]
            .par_chunks_exact_mut(x.input * lanes)
            .enumerate()
            .for_each(|(line, result)| {
                let (channel, iy) = (line / y.input, line % y.input);
                let plane = &self.delta[channel * y.output * x.output * lanes..];
                if !accumulate {
                    result.fill(0.0);
                }
                arch.dispatch(LineBackward {
                    y,
                    x,
                    row: iy,
                    lanes,
                    scale,
                    plane,
                    result,
                });
            });
    }
}

/// A line of input positions.
struct LineBackward<'a> {
    y: Axis,
    x: Axis,
    /// Its row of the plane.
    row: usize,
    lanes: usize,
    scale: f32,
    plane: &'a [f32],
    result: &'a mut [f32],
}

impl WithSimd for LineBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (x, lanes) = (self.x, self.lanes);
        for (ix, sum) in self.result.chunks_exact_mut(lanes).enumerate() {
            for oy in self.y.covering(self.row) {
                for ox in x.covering(ix) {
                    let row = &self.plane[(oy * x.output + ox) * lanes..][..lanes];
                    scale_row(sum, row, self.scale, true);
                }
            }
        }
    }
}

/// Average pooling over windows, as `torch.nn.AvgPool2d`: zeros of the padding count as members of the mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePoolPass {
    /// Channels.
    pub channels: usize,
    /// The planes and the window.
    pub window: Window,
    /// Lanes of the batch, padding included: a multiple of 4.
    pub lanes: usize,
}

impl AveragePoolPass {
    fn scale(&self) -> f32 {
        1.0 / self.window.taps() as f32
    }

    /// `output` `[channels][output positions][lanes]` from `input` `[channels][input positions][lanes]`.
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn forward(&self, plan: &mut Plan, input: View, output: View) -> Result<()> {
        let outputs = [("output", &output)];
        check(
            self.channels,
            &self.window,
            self.lanes,
            &[("input", &input)],
            &outputs,
        )?;
        let params = window_params!(AveragePoolForwardParams, self, scale: self.scale());
        plan.dispatch(
            AveragePoolForward {
                params,
                input,
                output,
            },
            Grid::Rows(self.channels * self.window.output[0]),
        )
    }

    /// The gradient at the input, `result`, from that at the output, `delta`; added to what is there if `accumulate`.
    ///
    /// # Errors
    /// Views that do not fit, or that are of one buffer.
    pub fn backward(
        &self,
        plan: &mut Plan,
        delta: View,
        result: View,
        accumulate: bool,
    ) -> Result<()> {
        let inputs = [("result", &result)];
        check(
            self.channels,
            &self.window,
            self.lanes,
            &inputs,
            &[("delta", &delta)],
        )?;
        let params = window_params!(
            AveragePoolBackwardParams, self, scale: self.scale(), accumulate: u32::from(accumulate)
        );
        plan.dispatch(
            AveragePoolBackward {
                params,
                delta,
                result,
            },
            Grid::Rows(self.channels * self.window.input[0]),
        )
    }
}

/// Mean over each window, padding included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePool(pub Windows);

impl AveragePool {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> Result<AveragePoolPass> {
        Ok(AveragePoolPass {
            channels: pass.extent().channels,
            window: self.0.over(pass.inputs()[0])?,
            lanes: pass.lanes(),
        })
    }
}

impl Layer for AveragePool {
    fn kind(&self) -> &'static str {
        "average-pool"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        self.0.output(inputs[0])
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        (self.pass(pass)?).forward(plan, pass.input(0)?, pass.output())
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        let Some(Sink { view, accumulate }) = pass.sink(0)? else {
            return Ok(());
        };
        let layer = self.pass(pass)?;
        layer.backward(plan, pass.delta(), view, accumulate)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}
