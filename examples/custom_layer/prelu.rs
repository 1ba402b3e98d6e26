//! PReLU (He et al., arXiv 1502.01852): `y = x` where x is above zero, else `y = a x`, with a trained slope `a` per
//! channel. A layer from outside the crate: three kernels, each a shader with its twin on the CPU, and the trait.

use rootlet::engine::loops::{NONE, Piece, looped};
use rootlet::engine::{Grid, Plan};
use rootlet::layer::pass::{Backward, Forward, Sink};
use rootlet::layer::{Extent, Layer, Linear, Parameter};
use rootlet::{Result, kernel};

kernel! {
    /// `output = x > 0 ? x : slope * x` for each channel's plane. Grid: Items = channels × vectors.
    pub Prelu, PreluParams, PreluTwin = "custom/prelu", include_str!("prelu.wgsl");
    params { channels: u32, vectors: u32 }
    no loops;
    read input: f32,
    read slope: f32,
    write output: f32,
}

impl PreluTwin<'_> {
    fn run(self) {
        let plane = self.params.vectors as usize * 4;
        for (c, &a) in self
            .slope
            .iter()
            .enumerate()
            .take(self.params.channels as usize)
        {
            let range = c * plane..(c + 1) * plane;
            for (y, &x) in self.output[range.clone()]
                .iter_mut()
                .zip(&self.input[range])
            {
                *y = if x > 0.0 { x } else { a * x };
            }
        }
    }
}

kernel! {
    /// `output = delta * (x > 0 ? 1 : slope)`, or adds to it. Grid: Items = channels × vectors.
    pub PreluBackward, PreluBackwardParams, PreluBackwardTwin =
        "custom/prelu_backward", include_str!("prelu_backward.wgsl");
    params { channels: u32, vectors: u32, accumulate: u32 }
    no loops;
    read input: f32,
    read slope: f32,
    read delta: f32,
    write output: f32,
}

impl PreluBackwardTwin<'_> {
    fn run(self) {
        let plane = self.params.vectors as usize * 4;
        for (c, &a) in self
            .slope
            .iter()
            .enumerate()
            .take(self.params.channels as usize)
        {
            for i in c * plane..(c + 1) * plane {
                let d = self.delta[i] * if self.input[i] > 0.0 { 1.0 } else { a };
                let before = if self.params.accumulate != 0 {
                    self.output[i]
                } else {
                    0.0
                };
                self.output[i] = before + d;
            }
        }
    }
}

kernel! {
    /// `gradient = sum of delta * min(x, 0)` over each channel's plane, or adds to it. Grid: Items = channels.
    pub PreluGradient, PreluGradientParams, PreluGradientTwin =
        "custom/prelu_gradient", include_str!("prelu_gradient.wgsl");
    params { channels: u32, vectors: u32, accumulate: u32 }
    // A plane that is too long for an adapter's loops is summed in pieces: the shader's `part`.
    pieces |p, grid, _| Piece::ranges(grid, p.vectors, 1, |vectors| looped(vectors, NONE));
    read input: f32,
    read delta: f32,
    write gradient: f32,
}

impl PreluGradientTwin<'_> {
    fn run(self) {
        let plane = self.params.vectors as usize * 4;
        for c in 0..self.params.channels as usize {
            let mut sum = [0f32; 4];
            for i in c * plane..(c + 1) * plane {
                sum[i % 4] += self.delta[i] * self.input[i].min(0.0);
            }
            let before = if self.params.accumulate != 0 {
                self.gradient[c]
            } else {
                0.0
            };
            self.gradient[c] = before + ((sum[0] + sum[1]) + (sum[2] + sum[3]));
        }
    }
}

/// The layer: its kind in files, its sizes, its parameters, and what it records.
#[derive(Debug)]
pub struct PreluLayer;

impl Layer for PreluLayer {
    fn kind(&self) -> &'static str {
        "prelu"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        Ok(inputs[0])
    }

    fn parameters(&self, inputs: &[Extent]) -> Vec<Parameter> {
        vec![Parameter::trained("slope", inputs[0].channels, 0.25)]
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        let (channels, vectors) = sizes(pass.extent(), pass.lanes());
        let kernel = Prelu {
            params: PreluParams { channels, vectors },
            input: pass.input(0)?,
            slope: pass.parameters()?.values_of("slope")?,
            output: pass.output(),
        };
        plan.dispatch(kernel, Grid::Items((channels * vectors) as usize))
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        let (channels, vectors) = sizes(pass.extent(), pass.lanes());
        let (input, parameters) = (pass.input(plan, 0)?, pass.parameters()?);
        let gradient = PreluGradient {
            params: PreluGradientParams {
                channels,
                vectors,
                accumulate: pass.accumulates().into(),
            },
            input: input.clone(),
            delta: pass.delta(),
            gradient: parameters.gradient_of("slope")?,
        };
        plan.dispatch(gradient, Grid::Items(channels as usize))?;
        let Some(Sink { view, accumulate }) = pass.sink(0)? else {
            return Ok(());
        };
        let kernel = PreluBackward {
            params: PreluBackwardParams {
                channels,
                vectors,
                accumulate: accumulate.into(),
            },
            input,
            slope: parameters.values_of("slope")?,
            delta: pass.delta(),
            output: view,
        };
        plan.dispatch(kernel, Grid::Items((channels * vectors) as usize))
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Identity
    }
}

/// The number of channels, and of vectors of four lanes in a channel's plane.
fn sizes(extent: Extent, lanes: usize) -> (u32, u32) {
    let vectors = extent.positions() * lanes / 4;
    (extent.channels as u32, vectors as u32)
}
