//! Average pooling.

use std::sync::Arc;

use super::super::pointwise::scale_row;
use super::twin::{self, Deal, Fold};
use super::windows::{Windows, backward_pieces, check, forward_pieces};
use crate::engine::loops::{NONE, Piece};
use crate::engine::{Grid, Plan, View, WorkgroupShape};
use crate::error::Result;
use crate::layer::definition::{Layer, Linear};
use crate::layer::extent::Extent;
use crate::layer::operation::Operation;
use crate::layer::pass::{Backward, Forward, Pass, Sink};
use crate::window::{Window, WindowParams};

crate::kernel! {
    /// Each output is the mean of its window's inputs, with padding counted as zero.
    ///
    /// Shapes: `input` `[channels][input_y][input_x][lanes]`, `output` `[channels][output_y][output_x][lanes]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = `channels * output_y`. Bound by the loads of `input`.
    pub AveragePoolForward, AveragePoolForwardParams, AveragePoolForwardTwin =
        "layer/average_pool", shader!("layer/average_pool");
    params {
        /// The planes and the window.
        window: WindowParams,
        /// `lanes / 4`.
        vectors: u32,
    }
    pieces AveragePoolForwardParams::pieces;
    read input: f32,
    write output: f32,
}

impl AveragePoolForwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        forward_pieces(&self.window, self.vectors, grid, shape)
    }
}

impl AveragePoolForwardTwin<'_> {
    fn run(self) {
        let AveragePoolForwardParams { window, vectors } = self.params;
        let mean = Mean(window.inverse_taps);
        twin::forward(&window, vectors as usize * 4, self.input, self.output, mean);
    }
}

/// Multiplies the sum by this.
#[derive(Clone, Copy)]
struct Mean(f32);

impl Fold for Mean {
    const INITIAL: f32 = 0.0;

    #[inline(always)]
    fn with_input(self, sum: f32, x: f32) -> f32 {
        sum + x
    }

    #[inline(always)]
    fn finish(self, output: &mut [f32]) {
        for sum in output {
            *sum *= self.0;
        }
    }
}

crate::kernel! {
    /// `result` at an input is the sum of `delta` over the outputs that see it, divided by the taps of the window; or
    /// that is added to it.
    ///
    /// Shapes: `delta` `[channels][output_y][output_x][lanes]`, `result` `[channels][input_y][input_x][lanes]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = `channels * input_y`.
    pub AveragePoolBackward, AveragePoolBackwardParams, AveragePoolBackwardTwin =
        "layer/average_pool_backward", shader!("layer/average_pool_backward");
    params {
        /// The planes and the window.
        window: WindowParams,
        /// `lanes / 4`.
        vectors: u32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    pieces AveragePoolBackwardParams::pieces;
    read delta: f32,
    write result: f32,
}

impl AveragePoolBackwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        backward_pieces(&self.window, NONE, self.vectors, grid, shape)
    }
}

impl AveragePoolBackwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        let lanes = p.vectors as usize * 4;
        let words = p.window.window().output_positions() * lanes;
        let deal = |channel: usize| Shares {
            delta: &self.delta[channel * words..][..words],
            share: p.window.inverse_taps,
            at: 0,
        };
        twin::backward(&p.window, lanes, p.accumulate != 0, self.result, deal);
    }
}

/// Every input that an output sees gets the same share of its delta.
struct Shares<'a> {
    delta: &'a [f32],
    share: f32,
    /// First lane of the output.
    at: usize,
}

impl Deal for Shares<'_> {
    #[inline(always)]
    fn take(&mut self, at: usize) {
        self.at = at;
    }

    #[inline(always)]
    fn give(&mut self, _: usize, result: &mut [f32]) {
        scale_row(result, &self.delta[self.at..], self.share, true);
    }
}

/// Average pooling over windows, as `torch.nn.AvgPool2d`: zeros of the padding count in the mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AveragePoolPass {
    /// Channels.
    pub channels: usize,
    /// The planes and the window.
    pub window: Window,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
}

impl AveragePoolPass {
    /// Writes `output` `[channels][output positions][lanes]` from `input` `[channels][input positions][lanes]`.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward(&self, plan: &mut Plan, input: View, output: View) -> Result<()> {
        let outputs = [("output", &output)];
        check(
            self.channels,
            &self.window,
            self.lanes,
            &[("input", &input)],
            &outputs,
        )?;
        let params = AveragePoolForwardParams {
            window: WindowParams::new(&self.window, self.channels),
            vectors: (self.lanes / 4) as u32,
        };
        plan.dispatch(
            AveragePoolForward {
                params,
                input,
                output,
            },
            Grid::Rows(self.channels * self.window.output[0]),
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
        let inputs = [("result", &result)];
        check(
            self.channels,
            &self.window,
            self.lanes,
            &inputs,
            &[("delta", &delta)],
        )?;
        let params = AveragePoolBackwardParams {
            window: WindowParams::new(&self.window, self.channels),
            vectors: (self.lanes / 4) as u32,
            accumulate: accumulate.into(),
        };
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

/// Mean over each window, including the padding.
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

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::AveragePool(self.0))
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    let (size, stride, padding) = (3, 2, 1);
    vec![Arc::new(AveragePool(Windows {
        size,
        stride,
        padding,
    }))]
}
