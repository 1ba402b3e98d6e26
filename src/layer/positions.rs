//! The places of a vision transformer's tokens in the image: fixed sines and cosines that are added to them.

use std::sync::Arc;

use rayon::prelude::*;

use super::definition::{Layer, Linear};
use super::extent::Extent;
use super::operation::Operation;
use super::pass::{Backward, Forward};
use super::pointwise::{ROWS, fits};
use crate::engine::loops::{NONE, looped};
use crate::engine::{Grid, Plan, View};
use crate::error::{Error, Misfit, Result};
use crate::threads::DealOut;

crate::kernel! {
    /// `output[row, i] = input[row, i] + table[row]` for every lane i.
    ///
    /// Shapes: `input` and `output` `[rows][lanes]`, `table` `[rows]`, where a row is a feature of a token. Grid:
    /// [`Rows`](crate::engine::Grid::Rows). Bound by copying.
    pub AddPositions, AddPositionsParams, AddPositionsTwin = "layer/add_positions", shader!("layer/add_positions");
    params {
        /// Features times tokens.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
    }
    loops |p, shape| looped(p.vectors.div_ceil(shape.lanes()), NONE);
    read table: f32,
    read input: f32,
    write output: f32,
}

impl AddPositionsTwin<'_> {
    fn run(self) {
        let lanes = self.params.vectors as usize * 4;
        let rows = self.params.rows as usize;
        self.output[..rows * lanes]
            .par_chunks_exact_mut(lanes)
            .zip(self.input.par_chunks_exact(lanes))
            .zip(self.table)
            .with_min_len(ROWS)
            .deal_out(|((output, input), position)| {
                for (y, x) in output.iter_mut().zip(input) {
                    *y = x + position;
                }
            });
    }
}

crate::kernel! {
    /// [`struct@AddPositions`] with the same input and output.
    pub AddPositionsInPlace, AddPositionsInPlaceParams, AddPositionsInPlaceTwin =
        "layer/add_positions_in_place", shader!("layer/add_positions_in_place");
    params {
        /// Features times tokens.
        rows: u32,
        /// `lanes / 4`.
        vectors: u32,
    }
    loops |p, shape| looped(p.vectors.div_ceil(shape.lanes()), NONE);
    read table: f32,
    write activation: f32,
}

impl AddPositionsInPlaceTwin<'_> {
    fn run(self) {
        let lanes = self.params.vectors as usize * 4;
        let rows = self.params.rows as usize;
        self.activation[..rows * lanes]
            .par_chunks_exact_mut(lanes)
            .zip(self.table)
            .with_min_len(ROWS)
            .deal_out(|(activation, position)| {
                for x in activation {
                    *x += position;
                }
            });
    }
}

/// Adds the result of [`sincos_positions`] to the tokens. The gradient passes through unchanged.
#[derive(Clone, Copy, Debug)]
pub struct PositionsPass {
    /// Features of a token.
    pub dim: usize,
    /// Number of tokens.
    pub tokens: usize,
    /// Lanes of the batch, including padding: a multiple of 4.
    pub lanes: usize,
}

impl PositionsPass {
    /// Words of the input and of the output.
    pub fn words(&self) -> usize {
        self.dim * self.tokens * self.lanes
    }

    /// `output = input + table`, both `[dim][tokens][lanes]`, `table` `[dim][tokens]`. Input and output may be one
    /// view.
    ///
    /// # Errors
    /// The views do not fit, or overlap without being the same.
    pub fn forward(&self, plan: &mut Plan, table: View, input: View, output: View) -> Result<()> {
        let rows = self.dim * self.tokens;
        let grid = Grid::Rows(rows);
        let (rows, vectors) = (rows as u32, (self.lanes / 4) as u32);
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
/// `dim` is not a multiple of 4 or is below 8 (one frequency has no spacing), or the grid has no tokens.
pub fn sincos_positions(height: usize, width: usize, dim: usize) -> Result<Vec<f32>> {
    if !dim.is_multiple_of(4) || dim < 8 || height == 0 || width == 0 {
        return Err(Error::Shape(Misfit::Layer {
            layer: format!("sin-cos positions of {height} x {width} tokens with {dim} features"),
            why: "there must be tokens, and features a multiple of 4 from 8 on".to_owned(),
        }));
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

/// Adds fixed 2-D sine and cosine positions (Beyer, Zhai and Kolesnikov 2022).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Positions;

impl Layer for Positions {
    fn kind(&self) -> &'static str {
        "positions"
    }

    fn output(&self, inputs: &[Extent]) -> Result<Extent, String> {
        match inputs[0].channels {
            dim if dim.is_multiple_of(4) && dim > 4 => Ok(inputs[0]),
            dim => Err(format!(
                "positions need features in a multiple of 4, at least 8, not {dim}"
            )),
        }
    }

    fn constants(&self, inputs: &[Extent]) -> Result<Vec<f32>> {
        let Extent {
            channels,
            height,
            width,
        } = inputs[0];
        sincos_positions(height, width, channels)
    }

    fn forward(&self, plan: &mut Plan, pass: &dyn Forward) -> Result<()> {
        let layer = PositionsPass {
            dim: pass.extent().channels,
            tokens: pass.extent().positions(),
            lanes: pass.lanes(),
        };
        layer.forward(plan, pass.constants()?, pass.input(0)?, pass.output())
    }

    fn backward(&self, plan: &mut Plan, pass: &mut dyn Backward) -> Result<()> {
        pass.pass_on(plan, 0, pass.delta())
    }

    fn operation(&self, inputs: &[Extent]) -> Option<Operation> {
        self.constants(inputs).ok().map(Operation::Offsets)
    }

    fn linear(&self, _: usize) -> Linear {
        Linear::None
    }
}

/// The samples for verification and the tests of all layers.
pub(in crate::layer) fn samples() -> Vec<Arc<dyn Layer>> {
    vec![Arc::new(Positions)]
}
