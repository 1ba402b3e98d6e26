//! Exclusive prefix sums: block sums, their scan, then the blocks.

use rayon::prelude::*;

use crate::engine::loops::{Loops, NONE, looped};
use crate::engine::{Buffer, Class, Device, Grid, Plan, View};
use crate::error::Result;
use crate::threads::DealOut;

/// Values that one workgroup scans.
pub(super) const BLOCK: usize = 2048;

/// Loops of `workgroup_scan` and `workgroup_total`: see `shaders/lib/workgroup_scan.wgsl`.
pub(super) fn workgroup_scan() -> Loops {
    4 * looped(16, NONE)
}

crate::kernel! {
    /// `sums[k]` = sum of the `k`-th block of 2048 values. Grid: [`Grid::Groups`], one per block.
    pub ScanReduce, ScanReduceParams, ScanReduceTwin = "primitive/scan_reduce", shader!("primitive/scan_reduce");
    params { length: u32 }
    loops |_, _| looped(8, NONE) + workgroup_scan();
    read values: u32,
    write sums: u32,
}

impl ScanReduceTwin<'_> {
    fn run(self) {
        self.values[..self.params.length as usize]
            .par_chunks(BLOCK)
            .zip(self.sums)
            .deal_out(|(block, sum)| *sum = block.iter().sum());
    }
}

crate::kernel! {
    /// Exclusive scan in place by a single workgroup, for short arrays. Grid: [`Grid::Groups`] of 1.
    pub ScanSums, ScanSumsParams, ScanSumsTwin = "primitive/scan_sums", shader!("primitive/scan_sums");
    params { length: u32 }
    loops |p, _| 2 * looped(p.length.div_ceil(256), NONE) + workgroup_scan();
    write sums: u32,
}

impl ScanSumsTwin<'_> {
    fn run(self) {
        exclusive(0, &mut self.sums[..self.params.length as usize]);
    }
}

crate::kernel! {
    /// Exclusive scan in place of each block of 2048 values, starting from the block's entry of `sums`. Grid:
    /// [`Grid::Groups`], one per block.
    pub ScanApply, ScanApplyParams, ScanApplyTwin = "primitive/scan_apply", shader!("primitive/scan_apply");
    params { length: u32 }
    loops |_, _| 2 * looped(8, NONE) + workgroup_scan();
    read sums: u32,
    write values: u32,
}

impl ScanApplyTwin<'_> {
    fn run(self) {
        self.values[..self.params.length as usize]
            .par_chunks_mut(BLOCK)
            .zip(self.sums)
            .deal_out(|(block, &before)| exclusive(before, block));
    }
}

fn exclusive(mut before: u32, values: &mut [u32]) {
    for value in values {
        before += std::mem::replace(value, before);
    }
}

/// Records exclusive scans of up to a given length; holds the block sums, 1/2048 of a word per value.
pub struct Scan {
    /// `[blocks]` u32.
    pub sums: Buffer,
}

impl Scan {
    /// Scratch for scans of up to `capacity` values.
    ///
    /// # Errors
    /// As [`Device::buffer`].
    pub fn new(device: &Device, label: &str, capacity: usize) -> Result<Self> {
        Ok(Scan {
            sums: device.buffer(label, Class::Scratch, capacity.div_ceil(BLOCK))?,
        })
    }

    /// Replaces each of the first `length` values with the sum of those before it. Three dispatches.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn record(&self, plan: &mut Plan, values: &View, length: usize) -> Result<()> {
        let blocks = length.div_ceil(BLOCK);
        let params = length as u32;
        let sums = self.sums.all();
        plan.dispatch(
            ScanReduce {
                params: ScanReduceParams { length: params },
                values: values.clone(),
                sums: sums.clone(),
            },
            Grid::Groups(blocks),
        )?;
        plan.dispatch(
            ScanSums {
                params: ScanSumsParams {
                    length: blocks as u32,
                },
                sums: sums.clone(),
            },
            Grid::Groups(1),
        )?;
        plan.dispatch(
            ScanApply {
                params: ScanApplyParams { length: params },
                sums,
                values: values.clone(),
            },
            Grid::Groups(blocks),
        )
    }
}
