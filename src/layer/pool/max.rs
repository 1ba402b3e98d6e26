//! Max pooling.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::{Axis, Windows, check, geometry, vector_pieces, window_params};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, Plan, View, WorkgroupShape};
use crate::error::Result;
use crate::layer::definition::{Layer, Linear};
use crate::layer::extent::Extent;
use crate::layer::pass::{Backward, Forward, Pass, Sink};
use crate::sparse::Window;

crate::kernel! {
    /// Each output is the largest input of its window; padding counts as minus infinity, a NaN beats everything.
    ///
    /// Shapes: `input` `[channels][input_y][input_x][lanes]`, `output` `[channels][output_y][output_x][lanes]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = `channels * output_y`. Bound by the loads of `input`.
    pub MaxPoolForward, MaxPoolForwardParams, MaxPoolForwardTwin = "layer/max_pool", shader!("layer/max_pool");
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
    }
    pieces MaxPoolForwardParams::pieces;
    read input: f32,
    write output: f32,
}

impl MaxPoolForwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let inner = looped(self.kernel_y, looped(self.kernel_x, NONE));
        vector_pieces(self.output_x, inner, self.vectors, grid, shape)
    }
}

impl MaxPoolForwardTwin<'_> {
    fn run(self) {
        let (channels, y, x, lanes) = geometry!(self.params);
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
    plane: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for LineForward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (x, lanes) = (self.x, self.lanes);
        for (ox, best) in self.output.chunks_exact_mut(lanes).enumerate() {
            best.fill(f32::NEG_INFINITY);
            for iy in self.y.seen(self.row) {
                for ix in x.seen(ox) {
                    let row = &self.plane[(iy * x.input + ix) * lanes..][..lanes];
                    for (b, v) in best.iter_mut().zip(row) {
                        *b = if *v > *b || v.is_nan() { *v } else { *b };
                    }
                }
            }
        }
    }
}

crate::kernel! {
    /// Each output's delta goes to the first input of its window, in row-major order, that equals the output (or is a NaN);
    /// `result` is the sum of those that an input gets, or has it added.
    ///
    /// That input is PyTorch's, but for windows with several NaNs. It is found anew from `input` and the forward pass's
    /// `output`. Shapes: `input` and `result` `[channels][input_y][input_x][lanes]`, `output` and `delta`
    /// `[channels][output_y][output_x][lanes]`. Grid: [`Rows`](crate::engine::Grid::Rows) = `channels * input_y`.
    pub MaxPoolBackward, MaxPoolBackwardParams, MaxPoolBackwardTwin =
        "layer/max_pool_backward", shader!("layer/max_pool_backward");
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
        /// 1: add to what is there.
        accumulate: u32,
    }
    pieces MaxPoolBackwardParams::pieces;
    read input: f32,
    read output: f32,
    read delta: f32,
    write result: f32,
}

impl MaxPoolBackwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        let [y, x] = [
            self.kernel_y.div_ceil(self.stride_y),
            self.kernel_x.div_ceil(self.stride_x),
        ];
        let earlier = looped(self.kernel_y, looped(self.kernel_x, NONE));
        let inner = looped(y, looped(x, earlier));
        vector_pieces(self.input_x, inner, self.vectors, grid, shape)
    }
}

impl MaxPoolBackwardTwin<'_> {
    /// A task has a channel's planes to itself, so it may go through the outputs and hand their deltas out: an input's sum
    /// runs over the same outputs in the same order as the shader's.
    fn run(self) {
        let (channels, y, x, lanes) = geometry!(self.params);
        let accumulate = self.params.accumulate != 0;
        let [inputs, outputs] = [y.input * x.input, y.output * x.output].map(|n| n * lanes);
        let arch = pulp::Arch::new();
        self.result[..channels * inputs]
            .par_chunks_exact_mut(inputs)
            .zip(self.input.par_chunks_exact(inputs))
            .zip(self.output.par_chunks_exact(outputs))
            .zip(self.delta.par_chunks_exact(outputs))
            .for_each(|(((result, input), output), delta)| {
                if !accumulate {
                    result.fill(0.0);
                }
                let mut left = vec![0f32; lanes];
                arch.dispatch(PlaneBackward {
                    y,
                    x,
                    lanes,
                    input,
                    output,
                    delta,
                    result,
                    left: &mut left,
                });
            });
    }
}

/// A channel's planes.
struct PlaneBackward<'a> {
    y: Axis,
    x: Axis,
    lanes: usize,
    input: &'a [f32],
    output: &'a [f32],
    delta: &'a [f32],
    result: &'a mut [f32],
    /// Of each lane the delta that no input of the window has taken yet.
    left: &'a mut [f32],
}

impl WithSimd for PlaneBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let (y, x, lanes) = (self.y, self.x, self.lanes);
        let outputs = self.output.chunks_exact(lanes);
        for (o, (best, delta)) in outputs.zip(self.delta.chunks_exact(lanes)).enumerate() {
            self.left.copy_from_slice(delta);
            for iy in y.seen(o / x.output) {
                for ix in x.seen(o % x.output) {
                    let at = (iy * x.input + ix) * lanes;
                    let inputs = self.input[at..][..lanes].iter().zip(best);
                    let deltas = self.result[at..][..lanes].iter_mut().zip(&mut *self.left);
                    for ((result, left), (input, best)) in deltas.zip(inputs) {
                        // All ones or none: a choice would become a branch, which keeps the loop from being vectorised.
                        let takes = ((input == best) | input.is_nan()) as u32;
                        let takes = takes.wrapping_neg();
                        *result += f32::from_bits(left.to_bits() & takes);
                        *left = f32::from_bits(left.to_bits() & !takes);
                    }
                }
            }
        }
    }
}

/// Max pooling over windows, as `torch.nn.MaxPool2d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPoolPass {
    /// Channels.
    pub channels: usize,
    /// The planes and the window.
    pub window: Window,
    /// Lanes of the batch, padding included: a multiple of 4.
    pub lanes: usize,
}

impl MaxPoolPass {
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
        let params = window_params!(MaxPoolForwardParams, self);
        plan.dispatch(
            MaxPoolForward {
                params,
                input,
                output,
            },
            Grid::Rows(self.channels * self.window.output[0]),
        )
    }

    /// The gradient at the input, `result`, from the forward pass's `input` and `output` and the gradient `delta` at the
    /// output; added to what is there if `accumulate`.
    ///
    /// # Errors
    /// Views that do not fit, or `result` in the buffer of another.
    pub fn backward(
        &self,
        plan: &mut Plan,
        input: View,
        output: View,
        delta: View,
        result: View,
        accumulate: bool,
    ) -> Result<()> {
        let inputs = [("input", &input), ("result", &result)];
        let outputs = [("output", &output), ("delta", &delta)];
        check(self.channels, &self.window, self.lanes, &inputs, &outputs)?;
        let params = window_params!(
            MaxPoolBackwardParams, self, accumulate: u32::from(accumulate)
        );
        plan.dispatch(
            MaxPoolBackward {
                params,
                input,
                output,
                delta,
                result,
            },
            Grid::Rows(self.channels * self.window.input[0]),
        )
    }
}

/// Maximum over each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MaxPool(pub Windows);

impl MaxPool {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> Result<MaxPoolPass> {
        Ok(MaxPoolPass {
            channels: pass.extent().channels,
            window: self.0.over(pass.inputs()[0])?,
            lanes: pass.lanes(),
        })
    }
}

impl Layer for MaxPool {
    fn kind(&self) -> &'static str {
        "max-pool"
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
        let input = pass.input(plan, 0)?;
        let output = pass.output(plan)?;
        layer.backward(plan, input, output, pass.delta(), view, accumulate)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}
