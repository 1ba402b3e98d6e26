//! Running sums of f and g, in which the inverse of their cumulative distributions is searched.

use super::table::Table;
use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// Running sums of magnitudes in place, layer by layer. They never fall, and rise only at units with a positive
    /// probability. Grid: [`Groups`](crate::engine::Grid::Groups) = layers.
    pub Cumulate, CumulateParams, CumulateTwin = "topology/cumulate", shader!("topology/cumulate");
    params {
        layers: u32,
        /// The word of a table row that holds the first unit; the number of units is in the next word.
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
