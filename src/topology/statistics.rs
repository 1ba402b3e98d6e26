//! The distributions f over a layer's inputs and g over its outputs that candidates are drawn from: O(n B) each.
//!
//! A convolution's patches and a transformer's tokens act as further samples of the batch: f of input unit (c, ky, kx)
//! sums over the output positions whose tap sees the input plane, and g of an output unit over all its positions.

use super::growth::Distribution;
use super::signs::{GraEstSigns, GraEstSignsParams};
use super::unit_sums::{GraBo, GraBoParams, GraEst, GraEstParams};
use crate::engine::{Grid, Plan, View};
use crate::error::{Error, Misfit, Result};
use crate::sparse::{LayerSpan, Window};

/// Records the sums behind f and g for a step's batch, or for a part of it.
pub struct Statistics {
    /// The distribution; nothing is recorded for the uniform one.
    pub distribution: Distribution,
    /// Lanes of the batch: a multiple of 4.
    pub lanes: usize,
    /// A [`StepState`](crate::engine::StepState).
    pub step: View,
    /// GraEst's signs: `[positions][lanes]` for the layer of the most output positions.
    pub signs: View,
    /// Whether to add to the sums of the batch's earlier parts.
    pub accumulate: bool,
}

impl Statistics {
    /// Records the signs, which come before any layer's sums; `positions` is the largest number of output positions of
    /// any layer.
    ///
    /// # Errors
    /// There are 2^24 positions or more (a random number's key has no room for them), or the views do not fit.
    pub fn signs(&self, plan: &mut Plan, positions: usize) -> Result<()> {
        if self.distribution != Distribution::GraEst {
            return Ok(());
        }
        let words = positions * self.lanes;
        if positions >= 1 << 24 || words > u32::MAX as usize || self.signs.words() < words {
            return Err(Error::Shape(Misfit::Layer {
                layer: format!(
                    "GraEst's signs of {positions} positions and {} lanes",
                    self.lanes
                ),
                why: format!(
                    "there must be fewer than 2^24 positions, and a buffer as large; it has {} words",
                    self.signs.words()
                ),
            }));
        }
        let params = GraEstSignsParams {
            lanes: self.lanes as u32,
            positions: positions as u32,
        };
        let kernel = GraEstSigns {
            params,
            signs: self.signs.clone(),
            step: self.step.clone(),
        };
        plan.dispatch(kernel, Grid::Items(words))
    }

    /// Records a layer's sums over its inputs. `values` is `[n_in / taps][input positions][lanes]`, and `sums` belongs
    /// to all columns of the arena.
    ///
    /// # Errors
    /// A convolution has 2^22 input units or more, or the views do not fit.
    pub fn inputs(
        &self,
        plan: &mut Plan,
        span: &LayerSpan,
        window: &Window,
        values: View,
        sums: View,
    ) -> Result<()> {
        self.side(plan, window, span.n_in, span.first_col, values, sums)
    }

    /// Records a layer's sums over its outputs. `deltas` is `[n_out][output positions][lanes]`, and `sums` belongs to
    /// all rows of the arena.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn outputs(
        &self,
        plan: &mut Plan,
        span: &LayerSpan,
        window: &Window,
        deltas: View,
        sums: View,
    ) -> Result<()> {
        let window = Window::pointwise(window.output);
        self.side(plan, &window, span.n_out, span.first_row, deltas, sums)
    }

    fn side(
        &self,
        plan: &mut Plan,
        window: &Window,
        units: usize,
        first: usize,
        values: View,
        sums: View,
    ) -> Result<()> {
        let (lanes, accumulate) = (self.lanes, self.accumulate);
        match self.distribution {
            Distribution::Uniform => Ok(()),
            Distribution::GraBo => {
                let whole = GraBoParams::new(window, units, first, lanes, accumulate)?;
                for params in whole.parts() {
                    let kernel = GraBo {
                        params,
                        values: values.clone(),
                        sums: sums.clone(),
                        step: self.step.clone(),
                    };
                    plan.dispatch(kernel, params.grid())?;
                }
                Ok(())
            }
            Distribution::GraEst => {
                let whole = GraEstParams::new(window, units, first, lanes, accumulate)?;
                for params in whole.parts() {
                    let kernel = GraEst {
                        params,
                        values: values.clone(),
                        signs: self.signs.clone(),
                        sums: sums.clone(),
                    };
                    plan.dispatch(kernel, params.grid())?;
                }
                Ok(())
            }
        }
    }
}
