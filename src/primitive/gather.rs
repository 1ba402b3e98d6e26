//! Gather: reads one array in the order given by another.

use crate::threads::DealOut;
use rayon::prelude::*;

crate::kernel! {
    /// `output[i] = source[indices[i]]`. Grid: [`Items`](crate::engine::Grid::Items) = length.
    pub Gather, GatherParams, GatherTwin = "primitive/gather", shader!("primitive/gather");
    params { length: u32 }
    no loops;
    read indices: u32,
    read source: u32,
    write output: u32,
}

impl GatherTwin<'_> {
    fn run(self) {
        self.output[..self.params.length as usize]
            .par_iter_mut()
            .zip(self.indices)
            .with_min_len(4096)
            .deal_out(|(out, &i)| *out = self.source[i as usize]);
    }
}
