//! Max pooling.

use std::sync::Arc;

use super::twin::{self, Deal, Fold};
use super::windows::{Windows, backward_pieces, check, forward_pieces};
use crate::engine::loops::{NONE, Piece, looped};
use crate::engine::{Grid, Plan, View, WorkgroupShape};
use crate::error::Result;
use crate::layer::definition::{Layer, Linear};
use crate::layer::extent::Extent;
use crate::layer::operation::Operation;
use crate::layer::pass::{Backward, Forward, Pass, Sink};
use crate::window::{Window, WindowParams};

crate::kernel! {
    /// Each output is the largest input of its window; padding counts as minus infinity, and NaN beats everything.
    ///
    /// Shapes: `input` `[channels][input_y][input_x][lanes]`, `output` `[channels][output_y][output_x][lanes]`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = `channels * output_y`. Bound by the loads of `input`.
    pub MaxPoolForward, MaxPoolForwardParams, MaxPoolForwardTwin = "layer/max_pool", shader!("layer/max_pool");
    params {
        /// The planes and the window.
        window: WindowParams,
        /// `lanes / 4`.
        vectors: u32,
    }
    pieces MaxPoolForwardParams::pieces;
    read input: f32,
    write output: f32,
}

impl MaxPoolForwardParams {
    fn pieces(&self, grid: Grid, shape: WorkgroupShape) -> Vec<Piece> {
        forward_pieces(&self.window, self.vectors, grid, shape)
    }
}

impl MaxPoolForwardTwin<'_> {
    fn run(self) {
        let MaxPoolForwardParams { window, vectors } = self.params;
        twin::forward(
            &window,
            vectors as usize * 4,
            self.input,
            self.output,
            Largest,
        );
    }
}

#[derive(Clone, Copy)]
struct Largest;

impl Fold for Largest {
    const INITIAL: f32 = f32::NEG_INFINITY;

    #[inline(always)]
    fn with_input(self, best: f32, x: f32) -> f32 {
        if x > best || x.is_nan() { x } else { best }
    }
}

crate::kernel! {
    /// Each output's delta goes to the first input of its window, in row-major order, that equals the output (or is
    /// NaN). `result` is the sum of the deltas that an input gets, or they are added to it.
    ///
    /// This is the same input as in PyTorch, except for windows with several NaNs. It is determined again from `input`
    /// and the forward pass's `output`. Shapes: `input` and `result` `[channels][input_y][input_x][lanes]`, `output`
    /// and `delta` `[channels][output_y][output_x][lanes]`. Grid: [`Rows`](crate::engine::Grid::Rows) =
    /// `channels * input_y`.
    pub MaxPoolBackward, MaxPoolBackwardParams, MaxPoolBackwardTwin =
        "layer/max_pool_backward", shader!("layer/max_pool_backward");
    params {
        /// The planes and the window.
        window: WindowParams,
        /// `lanes / 4`.
        vectors: u32,
        /// 1: add to the existing values.
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
        let earlier = looped(self.window.kernel_y, looped(self.window.kernel_x, NONE));
        backward_pieces(&self.window, earlier, self.vectors, grid, shape)
    }
}

impl MaxPoolBackwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        let (window, lanes) = (p.window.window(), p.vectors as usize * 4);
        let [inputs, outputs] =
            [window.input_positions(), window.output_positions()].map(|n| n * lanes);
        let deal = |channel: usize| FirstLargest {
            input: &self.input[channel * inputs..][..inputs],
            output: &self.output[channel * outputs..][..outputs],
            delta: &self.delta[channel * outputs..][..outputs],
            at: 0,
            left: vec![0.0; lanes],
        };
        twin::backward(&p.window, lanes, p.accumulate != 0, self.result, deal);
    }
}

/// The first input that equals an output gets its delta.
struct FirstLargest<'a> {
    input: &'a [f32],
    output: &'a [f32],
    delta: &'a [f32],
    /// First lane of the output.
    at: usize,
    /// For each lane, the delta that no input of the window has taken yet.
    left: Vec<f32>,
}

impl Deal for FirstLargest<'_> {
    #[inline(always)]
    fn take(&mut self, at: usize) {
        self.at = at;
        let lanes = self.left.len();
        self.left.copy_from_slice(&self.delta[at..][..lanes]);
    }

    #[inline(always)]
    fn give(&mut self, at: usize, result: &mut [f32]) {
        let lanes = self.left.len();
        let inputs = self.input[at..][..lanes].iter();
        let inputs = inputs.zip(&self.output[self.at..][..lanes]);
        let deltas = result.iter_mut().zip(&mut self.left);
        for ((result, left), (input, best)) in deltas.zip(inputs) {
            // All ones or none: a choice would become a branch, which would keep the loop from being vectorised.
            let takes = ((input == best) | input.is_nan()) as u32;
            let takes = takes.wrapping_neg();
            *result += f32::from_bits(left.to_bits() & takes);
            *left = f32::from_bits(left.to_bits() & !takes);
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
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
}

impl MaxPoolPass {
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
        let params = MaxPoolForwardParams {
            window: WindowParams::new(&self.window, self.channels),
            vectors: (self.lanes / 4) as u32,
        };
        plan.dispatch(
            MaxPoolForward {
                params,
                input,
                output,
            },
            Grid::Rows(self.channels * self.window.output[0]),
        )
    }

    /// Writes the gradient at the input, `result`, from the forward pass's `input` and `output` and the gradient
    /// `delta` at the output; adds to the existing values if `accumulate`.
    ///
    /// # Errors
    /// The views do not fit, or `result` shares a buffer with another.
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
        let params = MaxPoolBackwardParams {
            window: WindowParams::new(&self.window, self.channels),
            vectors: (self.lanes / 4) as u32,
            accumulate: accumulate.into(),
        };
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

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::MaxPool(self.0))
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    let (size, stride, padding) = (3, 2, 1);
    vec![Arc::new(MaxPool(Windows {
        size,
        stride,
        padding,
    }))]
}
