//! From an image to a vision transformer's tokens: patches, and where they lie in the image.

use rayon::prelude::*;

use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, View};
use crate::error::{Error, Result};

crate::kernel! {
    /// Reorders an image into tokens of one patch each, or tokens into an image.
    ///
    /// An image is `[channels][height][width][stride]`, tokens are `[side * side * channels][tokens][stride]`; both are the
    /// same rows of lanes. Feature `(p1 * side + p2) * channels + c` of token `y * (width / side) + x` is channel `c` at
    /// `(y * side + p1, x * side + p2)`: einops' `b c (h p1) (w p2) -> b (h w) (p1 p2 c)`. Grid:
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
        /// `stride / 4`.
        vectors: u32,
        /// 1: `input` holds tokens, `output` the image.
        inverse: u32,
    }
    loops |p, shape| looped(p.vectors.div_ceil(shape.lanes()), NONE);
    read input: f32,
    write output: f32,
}

/// Rows that a thread takes at a time.
const ROWS: usize = 64;

impl PatchTokensTwin<'_> {
    fn run(self) {
        let p = self.params;
        let [channels, height, width, patch, stride] =
            [p.channels, p.height, p.width, p.side, p.vectors * 4].map(|n| n as usize);
        let tokens = (height / patch) * (width / patch);
        // Where an element of the one order lies in the other.
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
        self.output[..channels * height * width * stride]
            .par_chunks_exact_mut(stride)
            .with_min_len(ROWS)
            .enumerate()
            .for_each(|(row, output)| {
                let from = match p.inverse {
                    0 => of_tokens(row),
                    _ => of_image(row),
                };
                output.copy_from_slice(&self.input[from * stride..][..stride]);
            });
    }
}

/// Cuts images into square patches, each a token; a permutation.
#[derive(Clone, Copy, Debug)]
pub struct Patchify {
    /// Channels of the image.
    pub channels: usize,
    /// Positions of the image, `[y, x]`.
    pub plane: [usize; 2],
    /// Rows and columns of a patch.
    pub patch: usize,
    /// Lanes of the batch, padding included: a multiple of 4.
    pub stride: usize,
}

impl Patchify {
    /// For images of these sizes.
    ///
    /// # Errors
    /// Patches that do not tile the plane, or sizes of zero.
    pub fn new(channels: usize, plane: [usize; 2], patch: usize, stride: usize) -> Result<Self> {
        let tiled = patch > 0 && plane.iter().all(|&n| n > 0 && n.is_multiple_of(patch));
        if !tiled {
            return Err(Error::Shape(format!(
                "patches of {patch} x {patch} do not tile planes of {} x {}: both sides must be multiples of the patch's",
                plane[0], plane[1]
            )));
        }
        if channels == 0 || stride == 0 || !stride.is_multiple_of(4) {
            return Err(Error::Shape(format!(
                "patches of {channels} channels and {stride} lanes: there must be a channel, and a positive multiple of 4 lanes"
            )));
        }
        Ok(Patchify {
            channels,
            plane,
            patch,
            stride,
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
        self.channels * self.plane[0] * self.plane[1] * self.stride
    }

    /// `tokens` `[features][tokens][stride]` from `image` `[channels][height][width][stride]`.
    ///
    /// # Errors
    /// Views that do not fit.
    pub fn forward(&self, plan: &mut Plan, image: View, tokens: View) -> Result<()> {
        self.record(plan, image, tokens, false)
    }

    /// The gradient at the image from that at the tokens.
    ///
    /// # Errors
    /// Views that do not fit.
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
                    vectors: (self.stride / 4) as u32,
                    inverse: inverse.into(),
                },
                input,
                output,
            },
            Grid::Rows(self.channels * self.plane[0] * self.plane[1]),
        )
    }
}

/// Refuses a view that is too small: a shader would drop what is out of bounds.
fn fits(layer: &str, view: &View, words: usize) -> Result<()> {
    if view.words() >= words {
        return Ok(());
    }
    Err(Error::Shape(format!(
        "{layer}: {} words of buffer `{}`, of {words} needed",
        view.words(),
        view.buffer.label()
    )))
}

crate::kernel! {
    /// `output[row, i] = input[row, i] + table[row]` for every lane i.
    ///
    /// Shapes: `input` and `output` `[rows][stride]`, `table` `[rows]`, a row being a feature of a token. Grid:
    /// [`Rows`](crate::engine::Grid::Rows). Bound by copying.
    pub AddPositions, AddPositionsParams, AddPositionsTwin = "layer/add_positions", shader!("layer/add_positions");
    params {
        /// Features times tokens.
        rows: u32,
        /// `stride / 4`.
        vectors: u32,
    }
    loops |p, shape| looped(p.vectors.div_ceil(shape.lanes()), NONE);
    read table: f32,
    read input: f32,
    write output: f32,
}

impl AddPositionsTwin<'_> {
    fn run(self) {
        let stride = self.params.vectors as usize * 4;
        let rows = self.params.rows as usize;
        self.output[..rows * stride]
            .par_chunks_exact_mut(stride)
            .zip(self.input.par_chunks_exact(stride))
            .zip(self.table)
            .with_min_len(ROWS)
            .for_each(|((output, input), position)| {
                for (y, x) in output.iter_mut().zip(input) {
                    *y = x + position;
                }
            });
    }
}

crate::kernel! {
    /// [`struct@AddPositions`] whose output is its input.
    pub AddPositionsInPlace, AddPositionsInPlaceParams, AddPositionsInPlaceTwin =
        "layer/add_positions_in_place", shader!("layer/add_positions_in_place");
    params {
        /// Features times tokens.
        rows: u32,
        /// `stride / 4`.
        vectors: u32,
    }
    loops |p, shape| looped(p.vectors.div_ceil(shape.lanes()), NONE);
    read table: f32,
    write activation: f32,
}

impl AddPositionsInPlaceTwin<'_> {
    fn run(self) {
        let stride = self.params.vectors as usize * 4;
        let rows = self.params.rows as usize;
        self.activation[..rows * stride]
            .par_chunks_exact_mut(stride)
            .zip(self.table)
            .with_min_len(ROWS)
            .for_each(|(activation, position)| {
                for x in activation {
                    *x += position;
                }
            });
    }
}

/// Adds what [`sincos_positions`] computed to the tokens. The gradient passes through unchanged.
#[derive(Clone, Copy, Debug)]
pub struct Positions {
    /// Features of a token.
    pub dim: usize,
    /// Tokens.
    pub tokens: usize,
    /// Lanes of the batch, padding included: a multiple of 4.
    pub stride: usize,
}

impl Positions {
    /// Words of the input and of the output.
    pub fn words(&self) -> usize {
        self.dim * self.tokens * self.stride
    }

    /// `output = input + table`, both `[dim][tokens][stride]`, `table` `[dim][tokens]`. The two may be one view.
    ///
    /// # Errors
    /// Views that do not fit, or that overlap without being the same.
    pub fn forward(&self, plan: &mut Plan, table: View, input: View, output: View) -> Result<()> {
        let rows = self.dim * self.tokens;
        let grid = Grid::Rows(rows);
        let (rows, vectors) = (rows as u32, (self.stride / 4) as u32);
        fits("positions' table", &table, self.dim * self.tokens)?;
        fits("positions", &input, self.words())?;
        fits("positions", &output, self.words())?;
        if input.buffer.same_as(&output.buffer) && input.range.start == output.range.start {
            let kernel = AddPositionsInPlace {
                params: AddPositionsInPlaceParams { rows, vectors },
                table,
                activation: output,
            };
            return plan.dispatch(kernel, grid);
        }
        let kernel = AddPositions {
            params: AddPositionsParams { rows, vectors },
            table,
            input,
            output,
        };
        plan.dispatch(kernel, grid)
    }
}

/// Fixed two-dimensional positions `[dim][height * width]` of tokens in row-major order.
///
/// A quarter of the features each are `sin(x w_i)`, `cos(x w_i)`, `sin(y w_i)` and `cos(y w_i)`, with
/// `w_i = 10000^(-i / (dim / 4 - 1))`: the simple ViT of Beyer, Zhai and Kolesnikov, "Better plain ViT baselines for
/// ImageNet-1k", 2022.
///
/// # Errors
/// A `dim` that is not a multiple of 4 or below 8 (one frequency has no spacing), or a grid without tokens.
pub fn sincos_positions(height: usize, width: usize, dim: usize) -> Result<Vec<f32>> {
    if !dim.is_multiple_of(4) || dim < 8 || height == 0 || width == 0 {
        return Err(Error::Shape(format!(
            "sin-cos positions of {height} x {width} tokens with {dim} features: there must be tokens, and features a multiple \
             of 4 from 8 on"
        )));
    }
    let frequencies = dim / 4;
    let mut table = Vec::with_capacity(dim * height * width);
    for feature in 0..dim {
        let (quarter, i) = (feature / frequencies, feature % frequencies);
        let frequency = 10_000f64.powf(-(i as f64) / (frequencies - 1) as f64);
        for y in 0..height {
            for x in 0..width {
                let angle = frequency * if quarter < 2 { x as f64 } else { y as f64 };
                let value = if quarter % 2 == 0 {
                    angle.sin()
                } else {
                    angle.cos()
                };
                table.push(value as f32);
            }
        }
    }
    Ok(table)
}
