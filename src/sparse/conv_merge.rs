//! The second half of a convolution's gradients, if its output's lines are split into slices.

use rayon::prelude::*;

use super::arena::LayerSpan;
use super::conv_sddmm::ConvSddmmParams;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Buffer, Class, Device, Grid, Plan, View};
use crate::error::Result;
use crate::threads::DealOut;
use crate::window::Window;

crate::kernel! {
    /// `gradient[j]` = the sum over the slices of connection j's row of `sliced`, in order, or adds that to it; rows
    /// without slices are left unchanged.
    ///
    /// Shapes: `rows` `[N]`, `slices` `[R]`, `sliced` `[most][N]`. Grid: [`Items`](crate::engine::Grid::Items) = N.
    pub ConvMerge, ConvMergeParams, ConvMergeTwin = "sparse/conv_merge", shader!("sparse/conv_merge");
    params {
        /// N.
        connections: u32,
        /// 1: add to the existing values.
        accumulate: u32,
        /// Number of slices of the row that has most.
        most: u32,
    }
    loops |p, _| looped(p.most, NONE);
    read rows: u32,
    read slices: u32,
    read sliced: f32,
    write gradient: f32,
}

impl ConvMergeTwin<'_> {
    fn run(self) {
        let p = self.params;
        let n = p.connections as usize;
        (self.gradient[..n].par_iter_mut())
            .with_min_len(4096)
            .enumerate()
            .deal_out(|(j, gradient)| {
                let count = self.slices[self.rows[j] as usize].min(p.most) as usize;
                if count == 0 {
                    return;
                }
                let before = if p.accumulate != 0 { *gradient } else { 0.0 };
                let slices = (0..count).map(|slice| self.sliced[slice * n + j]);
                *gradient = slices.fold(before, |sum, x| sum + x);
            });
    }
}

/// Where a pass's gradients of layers in slices go, until one dispatch for all layers adds them up: four bytes per
/// connection for each slice of the layer that has most.
#[derive(Clone)]
pub struct Slices {
    /// For each layer: `None` if its gradients are complete at once.
    counts: Vec<usize>,
    connections: usize,
    /// `[R]` u32.
    by_row: Buffer,
    /// `[most][N]` f32.
    view: View,
}

impl Slices {
    /// Slices for layers with these windows, where a window is given: those whose gradients fill a GPU only in slices.
    /// `None` if there is no such layer, or if one binding cannot hold them all. `scratch`: returns memory of a given
    /// number of words.
    ///
    /// # Errors
    /// A layer or window does not fit, or the device refuses one word per row.
    pub fn new(
        device: &Device,
        layers: &[(LayerSpan, Option<Window>)],
        lanes: usize,
        connections: usize,
        scratch: impl FnOnce(usize) -> View,
    ) -> Result<Option<Self>> {
        let count = |(span, window): &(LayerSpan, Option<Window>)| match window {
            Some(window) if !window.is_pointwise() => {
                let slices = ConvSddmmParams::new(span, window, lanes, false)?.filling();
                Ok(if slices > 1 { slices } else { 0 })
            }
            _ => Ok(0),
        };
        let counts: Vec<usize> = layers.iter().map(count).collect::<Result<_>>()?;
        let most = counts.iter().copied().max().unwrap_or(0);
        let bytes = (most as u64).saturating_mul(connections as u64 * 4);
        if most == 0 || bytes > device.largest_binding() {
            return Ok(None);
        }
        let rows = layers.iter().zip(&counts);
        let rows: Vec<u32> = rows
            .flat_map(|((span, _), &count)| std::iter::repeat_n(count as u32, span.n_out))
            .collect();
        Ok(Some(Slices {
            counts,
            connections,
            by_row: device.buffer_with("slices of rows", Class::Scratch, &rows)?,
            view: scratch(most * connections),
        }))
    }

    /// The product of a layer in its slices, and where its gradients go; `None` if they are complete at once.
    pub(super) fn of(
        &self,
        layer: usize,
        product: ConvSddmmParams,
    ) -> Option<(ConvSddmmParams, View)> {
        let count = self.counts.get(layer).copied().filter(|&count| count > 0)?;
        let product = product.in_slices(count, self.connections);
        Some((product, self.view.clone()))
    }

    /// Records the sum over all layers' slices; `rows`: the row of each connection.
    ///
    /// # Errors
    /// The views do not fit.
    pub fn merge(
        &self,
        plan: &mut Plan,
        rows: View,
        gradient: View,
        accumulate: bool,
    ) -> Result<()> {
        let most = self.counts.iter().copied().max().unwrap_or(0);
        let kernel = ConvMerge {
            params: ConvMergeParams {
                connections: self.connections as u32,
                accumulate: accumulate.into(),
                most: most as u32,
            },
            rows,
            slices: self.by_row.all(),
            sliced: self.view.clone(),
            gradient,
        };
        plan.dispatch(kernel, Grid::Items(self.connections))
    }
}
