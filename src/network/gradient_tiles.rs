//! Gradients of a dense network's weights, tile by tile: the device holds those of a few rows at a time, and the host
//! takes them before those of the next rows are computed. O(n_in * n_out) time; only the weights' memory grows with it.

use std::cell::RefCell;

use super::feed::Feed;
use super::on_device::Network;
use super::recording::recorder::{PassOptions, Recorder};
use super::runner::Runner;
use super::tiles::{Tile, rows, tile};
use crate::engine::{Device, Plan, StepState, View};
use crate::error::Result;
use crate::layer::SparsePass;
use crate::topology::StepPass;
use crate::topology::from_dense::{EachTile, GradientTile};

impl Recorder<'_> {
    /// Forward and backward pass with the weights' gradients in tiles; and the tiles, in order.
    pub fn pass_in_tiles(&self) -> Result<(Plan, Vec<Tile>)> {
        let tiles = RefCell::default();
        let plan = self.pass(PassOptions {
            tiles: Some(&tiles),
            ..PassOptions::first(StepPass::PLAIN)
        })?;
        Ok((plan, tiles.into_inner()))
    }

    /// The gradients of a layer's weights, from its input and the gradient at its outputs.
    pub fn gradient_tiles(
        &self,
        plan: &mut Plan,
        number: usize,
        layer: &SparsePass,
        inputs: [View; 2],
        tiles: &RefCell<Vec<Tile>>,
    ) -> Result<()> {
        let (n_in, n_out) = (layer.span.n_in, layer.span.n_out);
        let step = rows(n_in, n_out);
        for first in (0..n_out).step_by(step) {
            let rows = first..n_out.min(first + step);
            let tile = tile(&self.buffers.tile)?.all();
            layer.gradient_rows(plan, rows.clone(), inputs.clone(), tile)?;
            tiles.borrow_mut().push(Tile {
                dispatches: plan.dispatches().len(),
                layer: number,
                pairs: rows.start * n_in..rows.end * n_in,
            });
        }
        Ok(())
    }
}

impl Network {
    /// Loads each part of the batch, computes the gradients of the weights, and passes them on tile by tile: every pair
    /// once per part, to be added up. `state` is that of the whole batch.
    ///
    /// # Errors
    /// The network is not for [gradients](super::Purpose::Gradients), the parts have other shapes, or the device is
    /// lost.
    pub fn gradient_tiles(
        &self,
        device: &Device,
        parts: &[impl Feed],
        state: StepState,
        each: &mut EachTile<'_>,
    ) -> Result<()> {
        let buffer = tile(&self.executor.buffers.tile)?;
        let mut runner = Runner::new(device, None);
        self.executor
            .each_part(&mut runner, parts, state, |runner, _| {
                for (program, tile) in &self.executor.programs.tiles {
                    runner.run(program)?;
                    let words = buffer.range(0..tile.pairs.len());
                    let gradients: Vec<f32> = device.download(&words)?;
                    each(GradientTile {
                        layer: tile.layer,
                        first: tile.pairs.start,
                        gradients: &gradients,
                    });
                }
                Ok(())
            })
    }
}
