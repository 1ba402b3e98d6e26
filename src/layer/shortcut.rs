//! The shortcut without parameters, for residual blocks that change the size: He et al., "Deep Residual Learning for
//! Image Recognition", 2016, option A.

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::definition::{Layer, Linear};
use super::extent::Extent;
use super::operation::Operation;
use super::pass::{Backward, Forward, Pass, Sink};
use super::pointwise::{check_views, word};
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, View};
use crate::error::{Error, Misfit, Result};
use crate::threads::DealOut;
use crate::window::{Window, WindowParams};

crate::kernel! {
    /// `output[c + before][y][x] = input[c][y * stride_y][x * stride_x]`, and zero in the other channels.
    ///
    /// Shapes: `input` `[channels_in][input_y][input_x][lanes]`, `output` `[channels_out][output_y][output_x][lanes]`.
    /// Grid: [`Rows`](crate::engine::Grid::Rows) = `channels_out * output_y`. Bound by memory.
    pub ShortcutForward, ShortcutForwardParams, ShortcutForwardTwin = "layer/shortcut", shader!("layer/shortcut");
    params {
        /// The planes, through a kernel of one tap.
        window: WindowParams,
        /// Channels of the output.
        channels_out: u32,
        /// Output channels of zeros before those of the input.
        before: u32,
        /// `lanes / 4`.
        vectors: u32,
    }
    loops |p, shape| looped(p.window.output_x, looped(p.vectors.div_ceil(shape.lanes()), NONE));
    read input: f32,
    write output: f32,
}

impl ShortcutForwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        let window = p.window.window();
        let [channels, before, lanes] =
            [p.window.channels, p.before, p.vectors * 4].map(|n| n as usize);
        self.output[..p.channels_out as usize * window.output[0] * window.output[1] * lanes]
            .par_chunks_exact_mut(window.output[1] * lanes)
            .enumerate()
            .deal_out(|(line, output)| {
                let (c, y) = (line / window.output[0], line % window.output[0]);
                match c.checked_sub(before).filter(|c| *c < channels) {
                    None => output.fill(0.0),
                    Some(c) => {
                        let line = (c * window.input[0] + y * window.stride[0]) * window.input[1];
                        for (x, row) in output.chunks_exact_mut(lanes).enumerate() {
                            let at = (line + x * window.stride[1]) * lanes;
                            row.copy_from_slice(&self.input[at..][..lanes]);
                        }
                    }
                }
            });
    }
}

crate::kernel! {
    /// `output[c][y * stride_y][x * stride_x] = delta[c + before][y][x]` and zero at the positions between, or adds to
    /// the existing values.
    ///
    /// Each input position gathers, so every word of `output` is written. Shapes: `delta` like [`struct@Shortcut`]'s
    /// output, `output` like its input. Grid: [`Rows`](crate::engine::Grid::Rows) = `channels_in * input_y`. Bound by
    /// memory.
    pub ShortcutBackward, ShortcutBackwardParams, ShortcutBackwardTwin =
        "layer/shortcut_backward", shader!("layer/shortcut_backward");
    params {
        /// The planes, through a kernel of one tap.
        window: WindowParams,
        /// Output channels of zeros before those of the input.
        before: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// 1: add to the existing values.
        accumulate: u32,
    }
    loops |p, shape| looped(p.window.input_x, looped(p.vectors.div_ceil(shape.lanes()), NONE));
    read delta: f32,
    write output: f32,
}

impl ShortcutBackwardTwin<'_> {
    fn run(self) {
        let p = self.params;
        let window = p.window.window();
        let [channels, before, lanes] =
            [p.window.channels, p.before, p.vectors * 4].map(|n| n as usize);
        let accumulate = p.accumulate != 0;
        let arch = pulp::Arch::new();
        self.output[..channels * window.input[0] * window.input[1] * lanes]
            .par_chunks_exact_mut(window.input[1] * lanes)
            .enumerate()
            .deal_out(|(line, output)| {
                let (c, y) = (line / window.input[0] + before, line % window.input[0]);
                let seen = y % window.stride[0] == 0;
                if !accumulate {
                    output.fill(0.0);
                }
                if !seen {
                    return;
                }
                let line = (c * window.output[0] + y / window.stride[0]) * window.output[1];
                let delta = &self.delta[line * lanes..][..window.output[1] * lanes];
                arch.dispatch(LineBackward {
                    lanes,
                    stride: window.stride[1],
                    delta,
                    output,
                });
            });
    }
}

/// A line of input positions that outputs read.
struct LineBackward<'a> {
    lanes: usize,
    stride: usize,
    delta: &'a [f32],
    output: &'a mut [f32],
}

impl WithSimd for LineBackward<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self
            .output
            .chunks_exact_mut(self.lanes)
            .step_by(self.stride);
        for (row, delta) in rows.zip(self.delta.chunks_exact(self.lanes)) {
            for (t, d) in row.iter_mut().zip(delta) {
                *t += d;
            }
        }
    }
}

/// The shortcut without parameters: every `stride`-th position, channels padded with zeros (He et al. 2016, option A).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortcutPass {
    /// Channels of the input.
    pub channels_in: usize,
    /// Channels of the output, at least as many.
    pub channels_out: usize,
    /// Positions of an input plane, `[y, x]`.
    pub input: [usize; 2],
    /// Distance in input positions from one output position to the next, `[y, x]`.
    pub stride: [usize; 2],
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
}

impl ShortcutPass {
    /// Positions of an output plane, `[y, x]`: those of PyTorch's `x[:, :, ::stride_y, ::stride_x]`.
    pub fn output(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.input[axis].div_ceil(self.stride[axis].max(1)))
    }

    /// Number of output channels of zeros before those of the input; the rest of the padding comes after them.
    pub fn before(&self) -> usize {
        (self.channels_out - self.channels_in) / 2
    }

    fn window(&self) -> WindowParams {
        let window = Window {
            input: self.input,
            output: self.output(),
            kernel: [1, 1],
            stride: self.stride,
            padding: [0, 0],
        };
        WindowParams::new(&window, self.channels_in)
    }

    fn check(&self, input: (&str, &View), output: (&str, &View)) -> Result<()> {
        if self.channels_out < self.channels_in || self.stride.contains(&0) {
            return Err(Error::Shape(Misfit::Layer {
                layer: format!(
                    "a shortcut from {} to {} channels with stride {:?}",
                    self.channels_in, self.channels_out, self.stride
                ),
                why: "it adds channels and takes positions away, not the reverse".to_owned(),
            }));
        }
        let words =
            |channels: usize, plane: [usize; 2]| channels * plane[0] * plane[1] * self.lanes;
        check_views(
            "shortcut",
            self.lanes,
            &[
                (input.0, input.1, words(self.channels_in, self.input)),
                (output.0, output.1, words(self.channels_out, self.output())),
            ],
        )?;
        self.stride
            .iter()
            .try_for_each(|s| word("strides", *s).map(drop))
    }

    /// Fills `output` `[channels_out][output positions][lanes]` from `input` `[channels_in][input positions][lanes]`.
    ///
    /// # Errors
    /// There are fewer channels out than in, a stride is zero, or the views do not fit.
    pub fn forward(&self, plan: &mut Plan, input: View, output: View) -> Result<()> {
        self.check(("input", &input), ("output", &output))?;
        let params = ShortcutForwardParams {
            window: self.window(),
            channels_out: self.channels_out as u32,
            before: self.before() as u32,
            vectors: (self.lanes / 4) as u32,
        };
        plan.dispatch(
            ShortcutForward {
                params,
                input,
                output,
            },
            Grid::Rows(self.channels_out * self.output()[0]),
        )
    }

    /// Writes the gradient at the input, `output`, from that at the output, `delta`; adds to the existing values if
    /// `accumulate`.
    ///
    /// # Errors
    /// As [`ShortcutPass::forward`].
    pub fn backward(
        &self,
        plan: &mut Plan,
        delta: View,
        output: View,
        accumulate: bool,
    ) -> Result<()> {
        self.check(("output", &output), ("delta", &delta))?;
        let params = ShortcutBackwardParams {
            window: self.window(),
            before: self.before() as u32,
            vectors: (self.lanes / 4) as u32,
            accumulate: u32::from(accumulate),
        };
        plan.dispatch(
            ShortcutBackward {
                params,
                delta,
                output,
            },
            Grid::Rows(self.channels_in * self.input[0]),
        )
    }
}

/// Option A of He et al. 2016: subsampled by a stride, with zeros in the new channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shortcut {
    /// Channels of its value.
    pub channels: usize,
    /// Distance from one kept position to the next.
    pub stride: usize,
}

impl Shortcut {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> ShortcutPass {
        let from = pass.inputs()[0];
        ShortcutPass {
            channels_in: from.channels,
            channels_out: self.channels,
            input: from.plane(),
            stride: [self.stride; 2],
            lanes: pass.lanes(),
        }
    }
}

impl Layer for Shortcut {
    fn kind(&self) -> &'static str {
        "shortcut"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        let Shortcut { channels, stride } = *self;
        let from = inputs[0];
        if stride == 0 || channels < from.channels {
            return Err(format!(
                "a stride of {stride} cannot pad {from} to {channels} channels"
            ));
        }
        let plane = from.plane().map(|n| n.div_ceil(stride));
        Ok(Extent::windowed(channels, plane))
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

    fn operation(&self, inputs: &[Extent]) -> Option<Operation> {
        let more = self.channels.checked_sub(inputs.first()?.channels)?;
        Some(Operation::Shortcut {
            before: more / 2,
            stride: self.stride,
        })
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(Shortcut {
        channels: 15,
        stride: 2,
    })]
}
