//! The copy ceiling's kernel.

use rayon::prelude::*;

use crate::threads::DealOut;

crate::kernel! {
    /// `output = input`, one vec4 at a time: measures memory bandwidth.
    ///
    /// Shapes: both `[vectors][4]`. Grid: [`Items`](crate::engine::Grid::Items) = `vectors`.
    pub Copy, CopyParams, CopyTwin = "bench/copy", shader!("bench/copy");
    params {
        /// Vectors of four words.
        vectors: u32,
    }
    no loops;
    read input: f32,
    write output: f32,
}

/// Words that a thread copies at a time: 1 MiB, large enough for the system's copy to bypass the caches.
const CHUNK: usize = 1 << 18;

impl CopyTwin<'_> {
    fn run(self) {
        let words = self.params.vectors as usize * 4;
        self.output[..words]
            .par_chunks_mut(CHUNK)
            .zip(self.input[..words].par_chunks(CHUNK))
            .deal_out(|(output, input)| output.copy_from_slice(input));
    }
}
