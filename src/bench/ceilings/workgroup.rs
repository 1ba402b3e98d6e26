//! What cooperation costs the invocations of a workgroup: the kernels that measure a barrier, and a sum with and
//! without subgroups. The CPU has no such cost; the twins say what the kernels compute.

/// Invocations in each workgroup.
pub const SIZE: usize = 256;

use crate::engine::loops::{NONE, looped};

crate::kernel! {
    /// Element `i` of `output` becomes `(i + rounds) mod 256 + rounds`: in each round every invocation of one workgroup
    /// takes its neighbour's number and adds one, between two barriers.
    ///
    /// Shapes: `output` `[256]`. Grid: [`Groups`](crate::engine::Grid::Groups) of 1.
    pub Exchange, ExchangeParams, ExchangeTwin = "bench/exchange", shader!("bench/exchange");
    params {
        /// Number of exchanges, of two barriers each.
        rounds: u32,
    }
    loops |p, _| looped(p.rounds, NONE);
    write output: u32,
}

impl ExchangeTwin<'_> {
    fn run(self) {
        let mut values: [u32; SIZE] = std::array::from_fn(|lane| lane as u32);
        for _ in 0..self.params.rounds {
            values.rotate_left(1);
            values.iter_mut().for_each(|x| *x += 1);
        }
        self.output[..SIZE].copy_from_slice(&values);
    }
}

crate::kernel! {
    /// `output[g] = t` after `rounds` of `t = sum over 256 lanes of (t >> 8) + lane`, starting from `t = g << 8`: sums
    /// through workgroup memory.
    ///
    /// Shapes: `output` `[groups]`. Grid: [`Groups`](crate::engine::Grid::Groups) of `groups`.
    pub SumMemory, SumMemoryParams, SumMemoryTwin = "bench/sum_memory", shader!("bench/sum_memory");
    params {
        /// Number of workgroups.
        groups: u32,
        /// Sums of each, one after another.
        rounds: u32,
    }
    loops |p, _| looped(p.rounds, looped(8, NONE));
    write output: u32,
}

impl SumMemoryTwin<'_> {
    fn run(self) {
        sums(
            self.params.rounds,
            &mut self.output[..self.params.groups as usize],
        );
    }
}

crate::kernel! {
    /// The same as [`struct@SumMemory`], with subgroups: only for devices that
    /// [have them](crate::engine::Device::has_subgroups).
    ///
    /// Shapes: `output` `[groups]`. Grid: [`Groups`](crate::engine::Grid::Groups) of `groups`.
    pub SumSubgroups, SumSubgroupsParams, SumSubgroupsTwin = "bench/sum_subgroups", shader!("bench/sum_subgroups");
    params {
        /// Number of workgroups.
        groups: u32,
        /// Sums of each, one after another.
        rounds: u32,
    }
    loops |p, _| looped(p.rounds, looped(256, NONE));
    write output: u32,
}

impl SumSubgroupsTwin<'_> {
    fn run(self) {
        sums(
            self.params.rounds,
            &mut self.output[..self.params.groups as usize],
        );
    }
}

fn sums(rounds: u32, output: &mut [u32]) {
    for (g, total) in output.iter_mut().enumerate() {
        *total = (g as u32) << 8;
        for _ in 0..rounds {
            let base = *total >> 8;
            *total = (0..SIZE as u32).fold(0, |sum, lane| sum.wrapping_add(base + lane));
        }
    }
}
