//! The kernel behind the cost of a dispatch.

crate::kernel! {
    /// `counter[0] += step`, by one invocation: measures the cost of a dispatch that waits for the one before.
    ///
    /// Grid: [`Groups`](crate::engine::Grid::Groups) of 1.
    pub Count, CountParams, CountTwin = "bench/count", shader!("bench/count");
    params {
        /// The number that is added.
        step: u32,
    }
    no loops;
    write counter: u32,
}

impl CountTwin<'_> {
    fn run(self) {
        self.counter[0] = self.counter[0].wrapping_add(self.params.step);
    }
}
