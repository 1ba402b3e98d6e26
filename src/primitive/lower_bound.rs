//! Lower bounds: offsets of compressed rows, from the sorted rows themselves.

use rayon::prelude::*;

use crate::engine::loops::{NONE, SEARCH, looped};
use crate::threads::DealOut;

crate::kernel! {
    /// `offsets[t]` = number of keys below `t`, for `t` in `0..targets`; `keys` are sorted. Grid:
    /// [`Items`](crate::engine::Grid::Items) = targets.
    pub LowerBound, LowerBoundParams, LowerBoundTwin = "primitive/lower_bound", shader!("primitive/lower_bound");
    params { length: u32, targets: u32 }
    loops |_, _| looped(SEARCH, NONE);
    read keys: u32,
    write offsets: u32,
}

impl LowerBoundTwin<'_> {
    fn run(self) {
        let keys = &self.keys[..self.params.length as usize];
        self.offsets[..self.params.targets as usize]
            .par_iter_mut()
            .zip(0u32..self.params.targets)
            .with_min_len(1024)
            .deal_out(|(offset, target)| {
                *offset = keys.partition_point(|&key| key < target) as u32;
            });
    }
}
