//! Running sums of f and g: what the inverse of their cumulative functions is searched in.

use super::table::Table;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// Running sums of magnitudes in place, layer by layer. They never fall, and rise only at units of some
    /// probability. Grid: [`Groups`](crate::engine::Grid::Groups) = layers.
    pub Cumulate, CumulateParams, CumulateTwin = "topology/cumulate", shader!("topology/cumulate");
    params {
        layers: u32,
        /// Word of a table row that holds the first unit; the number of units follows it.
        first: u32,
        /// No layer has more units.
        units: u32,
    }
    loops |p, _| 2 * looped(p.units.div_ceil(256), NONE) + looped(256, NONE);
    read table: u32,
    write sums: f32,
}

impl CumulateTwin<'_> {
    fn run(self) {
        const WIDTH: usize = 256;
        let table = Table(self.table);
        for layer in 0..self.params.layers as usize {
            let first = table.get(layer, self.params.first as usize);
            let units = table.get(layer, self.params.first as usize + 1);
            let mut before = 0f32;
            for chunk in self.sums[first..first + units].chunks_mut(units.div_ceil(WIDTH).max(1)) {
                let mut running = 0f32;
                for sum in chunk {
                    running += sum.abs();
                    *sum = before + running;
                }
                before += running;
            }
        }
    }
}
