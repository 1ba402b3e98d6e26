//! Weights of samples: they multiply the result of any loss.

use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// Multiplies each sample's loss, and the gradient at its outputs, by the sample's weight. If the weights' mean
    /// over a batch is 1, this turns the mean into the weighted mean: `sum(w l) / sum(w)`, as PyTorch divides.
    ///
    /// Shapes: `weights` and `losses` `[lanes]`, `delta` `[outputs][lanes]`. Grid:
    /// [`Items`](crate::engine::Grid::Items) = lanes.
    pub Weigh, WeighParams, WeighTwin = "loss/weigh", shader!("loss/weigh");
    params {
        /// Rows of `delta`.
        outputs: u32,
        /// Lanes.
        lanes: u32,
    }
    loops |p, _| looped(p.outputs, NONE);
    read weights: f32,
    write delta: f32,
    write losses: f32,
}

impl WeighTwin<'_> {
    fn run(self) {
        let lanes = self.params.lanes as usize;
        let weights = &self.weights[..lanes];
        let rows = self.delta.chunks_mut(lanes);
        for row in rows
            .take(self.params.outputs as usize)
            .chain([&mut self.losses[..lanes]])
        {
            for (number, weight) in row.iter_mut().zip(weights) {
                *number *= weight;
            }
        }
    }
}
