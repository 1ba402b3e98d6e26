//! From an image to a vision transformer's tokens: square patches.

use std::sync::Arc;

use rayon::prelude::*;

use super::definition::{Layer, Linear};
use super::extent::Extent;
use super::operation::Operation;
use super::pass::{Backward, Forward, Pass};
use super::pointwise::{ROWS, fits};
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, View};
use crate::error::{Error, Misfit, Result};
use crate::threads::DealOut;

crate::kernel! {
    /// Reorders an image into tokens of one patch each, or tokens into an image.
    ///
    /// An image is `[channels][height][width][lanes]`, tokens are `[side * side * channels][tokens][lanes]`; both are
    /// the same rows of lanes. Feature `(p1 * side + p2) * channels + c` of token `y * (width / side) + x` is channel
    /// `c` at `(y * side + p1, x * side + p2)`: einops' `b c (h p1) (w p2) -> b (h w) (p1 p2 c)`. Grid:
    /// [`Rows`](crate::engine::Grid::Rows) = channels * height * width. Gathered; bound by copying.
    pub PatchTokens, PatchTokensParams, PatchTokensTwin = "layer/patch_tokens", shader!("layer/patch_tokens");
    params {
        /// Channels of the image.
        channels: u32,
        /// Rows of the image.
        height: u32,
        /// Columns of the image.
        width: u32,
        /// Rows and columns of a patch; divides both.
        side: u32,
        /// `lanes / 4`.
        vectors: u32,
        /// 1: `input` holds tokens, `output` the image.
        inverse: u32,
    }
    loops |p, shape| looped(p.vectors.div_ceil(shape.lanes()), NONE);
    read input: f32,
    write output: f32,
}

impl PatchTokensTwin<'_> {
    fn run(self) {
        let p = self.params;
        let [channels, height, width, patch, lanes] =
            [p.channels, p.height, p.width, p.side, p.vectors * 4].map(|n| n as usize);
        let tokens = (height / patch) * (width / patch);
        // The place of an element of one order in the other.
        let of_image = |row: usize| {
            let (c, y, x) = (row / (height * width), row / width % height, row % width);
            let feature = ((y % patch) * patch + x % patch) * channels + c;
            feature * tokens + (y / patch) * (width / patch) + x / patch
        };
        let of_tokens = |row: usize| {
            let (feature, token) = (row / tokens, row % tokens);
            let (tap, c) = (feature / channels, feature % channels);
            let y = token / (width / patch) * patch + tap / patch;
            let x = token % (width / patch) * patch + tap % patch;
            (c * height + y) * width + x
        };
        self.output[..channels * height * width * lanes]
            .par_chunks_exact_mut(lanes)
            .with_min_len(ROWS)
            .enumerate()
            .deal_out(|(row, output)| {
                let from = match p.inverse {
                    0 => of_tokens(row),
                    _ => of_image(row),
                };
                output.copy_from_slice(&self.input[from * lanes..][..lanes]);
            });
    }
}

/// Cuts images into square patches, each of which becomes a token; a permutation.
#[derive(Clone, Copy, Debug)]
pub struct PatchifyPass {
    /// Channels of the image.
    pub channels: usize,
    /// Positions of the image, `[y, x]`.
    pub plane: [usize; 2],
    /// Rows and columns of a patch.
    pub patch: usize,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
}

impl PatchifyPass {
    /// For images of these sizes.
    ///
    /// # Errors
    /// The patches do not tile the plane, or a size is zero.
    pub fn new(channels: usize, plane: [usize; 2], patch: usize, lanes: usize) -> Result<Self> {
        let tiled = patch > 0 && plane.iter().all(|&n| n > 0 && n.is_multiple_of(patch));
        if !tiled {
            return Err(Error::Shape(Misfit::Layer {
                layer: format!(
                    "patches of {patch} x {patch} do not tile planes of {} x {}",
                    plane[0], plane[1]
                ),
                why: "both sides must be multiples of the patch's".to_owned(),
            }));
        }
        if channels == 0 || lanes == 0 || !lanes.is_multiple_of(4) {
            return Err(Error::Shape(Misfit::Layer {
                layer: format!("patches of {channels} channels and {lanes} lanes"),
                why: "there must be a channel, and a positive multiple of 4 lanes".to_owned(),
            }));
        }
        Ok(PatchifyPass {
            channels,
            plane,
            patch,
            lanes,
        })
    }

    /// Features of a token.
    pub fn features(&self) -> usize {
        self.patch * self.patch * self.channels
    }

    /// Tokens, `[y, x]`.
    pub fn grid(&self) -> [usize; 2] {
        self.plane.map(|n| n / self.patch)
    }

    /// Words of the image and of the tokens.
    pub fn words(&self) -> usize {
        self.channels * self.plane[0] * self.plane[1] * self.lanes
    }

    /// Writes `tokens` `[features][tokens][lanes]` from `image` `[channels][height][width][lanes]`.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn forward(&self, plan: &mut Plan, image: View, tokens: View) -> Result<()> {
        self.record(plan, image, tokens, false)
    }

    /// Writes the gradient at the image from that at the tokens.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn backward(&self, plan: &mut Plan, delta: View, delta_image: View) -> Result<()> {
        self.record(plan, delta, delta_image, true)
    }

    fn record(&self, plan: &mut Plan, input: View, output: View, inverse: bool) -> Result<()> {
        fits("patches", &input, self.words())?;
        fits("patches", &output, self.words())?;
        plan.dispatch(
            PatchTokens {
                params: PatchTokensParams {
                    channels: self.channels as u32,
                    height: self.plane[0] as u32,
                    width: self.plane[1] as u32,
                    side: self.patch as u32,
                    vectors: (self.lanes / 4) as u32,
                    inverse: inverse.into(),
                },
                input,
                output,
            },
            Grid::Rows(self.channels * self.plane[0] * self.plane[1]),
        )
    }
}

/// Square patches as tokens: features in the order row, column, channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patchify {
    /// Rows and columns of a patch.
    pub size: usize,
}

impl Patchify {
    fn pass<P: Pass + ?Sized>(&self, pass: &P) -> Result<PatchifyPass> {
        let image = pass.inputs()[0];
        PatchifyPass::new(image.channels, image.plane(), self.size, pass.lanes())
    }
}

impl Layer for Patchify {
    fn kind(&self) -> &'static str {
        "patchify"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        let (from, size) = (inputs[0], self.size);
        if size == 0 || from.plane().iter().any(|n| !n.is_multiple_of(size)) {
            return Err(format!("patches of {size}×{size} do not divide {from}"));
        }
        let features = from.channels.saturating_mul(size).saturating_mul(size);
        Ok(Extent::windowed(features, from.plane().map(|n| n / size)))
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        (self.pass(pass)?).forward(plan, pass.input(0)?, pass.output())
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        let Some(sink) = pass.sink(0)? else {
            return Ok(());
        };
        let (layer, delta) = (self.pass(pass)?, pass.delta());
        pass.write_only(plan, 0, sink, |plan, view| {
            layer.backward(plan, delta, view)
        })
    }

    fn operation(&self, _: &[Extent]) -> Option<Operation> {
        Some(Operation::Patches { side: self.size })
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::Same
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(Patchify { size: 3 })]
}
