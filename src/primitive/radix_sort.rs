//! Stable radix sort of `u32` keys with `u32` values, least significant digit first, up to eight bits per pass.
//!
//! Each block is first sorted by itself, in two halves of the digit: private counters in 16 KiB of workgroup memory
//! only have room for four bits, and atomics have no order. Then it is moved as one run for each digit.

use std::ops::Range;
use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use super::scan::{BLOCK, Scan, ScanSums, ScanSumsParams};
use super::scatter::shared;
use crate::engine::loops::{NONE, looped};
use crate::engine::{Buffer, Class, Device, Grid, Plan, View};
use crate::error::Result;
use crate::threads::DealOut;

/// Most bits to sort by in one pass.
const BITS: u32 = 8;
const DIGITS: usize = 1 << BITS;
/// Blocks that a task of the scatter's twin moves.
const RUN: usize = 32;
/// Counters that one workgroup can scan in good time; more are scanned by several workgroups, in two further
/// dispatches.
const SCANNED: usize = 8192;

crate::kernel! {
    /// `histogram[d][k]` = number of keys in the `k`-th block of 2048 whose digit is `d`. Grid: [`Grid::Groups`], one
    /// per block.
    pub RadixSortHistogram, RadixSortHistogramParams, RadixSortHistogramTwin =
        "primitive/radix_sort_histogram", shader!("primitive/radix_sort_histogram");
    params {
        length: u32,
        shift: u32,
        /// Mask of the digit's bits after the shift: fewer than eight where the keys end.
        mask: u32,
        blocks: u32,
    }
    loops |_, _| looped(16, NONE) + 2 * looped(2, NONE);
    read keys: u32,
    write histogram: u32,
}

impl RadixSortHistogramTwin<'_> {
    fn run(self) {
        let p = self.params;
        let blocks = p.blocks as usize;
        let counts: Vec<[u32; DIGITS]> = self.keys[..p.length as usize]
            .par_chunks(BLOCK)
            .deal_out_map(|block| {
                let mut counts = [0; DIGITS];
                for key in block {
                    counts[(key >> p.shift & p.mask) as usize % DIGITS] += 1;
                }
                counts
            });
        for (k, block) in counts.iter().enumerate() {
            for (d, &count) in block[..=p.mask as usize].iter().enumerate() {
                self.histogram[d * blocks + k] = count;
            }
        }
    }
}

crate::kernel! {
    /// Moves every key and value to its place after this pass; `bases` is the scanned histogram. Grid:
    /// [`Grid::Groups`], one per block of 2048.
    pub RadixSortScatter, RadixSortScatterParams, RadixSortScatterTwin =
        "primitive/radix_sort_scatter", shader!("primitive/radix_sort_scatter");
    params {
        length: u32,
        shift: u32,
        /// Mask of the digit's bits after the shift.
        mask: u32,
        blocks: u32,
        /// 1: a key's value is its index, and `values` is not read.
        indices: u32,
    }
    loops |_, _| 2 * (4 * looped(8, NONE) + 4 * looped(16, NONE)) + 3 * looped(16, NONE);
    read bases: u32,
    read keys: u32,
    read values: u32,
    write sorted_keys: u32,
    write sorted_values: u32,
}

impl RadixSortScatterTwin<'_> {
    fn run(self) {
        let p = self.params;
        let keys = &self.keys[..p.length as usize];
        let sorted_keys = shared(self.sorted_keys);
        let sorted_values = shared(self.sorted_values);
        // The blocks of a digit follow each other, so a run of blocks only needs the bases of its first one.
        keys.par_chunks(RUN * BLOCK)
            .enumerate()
            .deal_out(|(run, keys)| {
                let first = run * RUN;
                let mut next = [0; DIGITS];
                for (d, base) in next[..=p.mask as usize].iter_mut().enumerate() {
                    *base = self.bases[d * p.blocks as usize + first];
                }
                let mut put = |key: u32, value: u32| {
                    let digit = (key >> p.shift & p.mask) as usize % DIGITS;
                    let place = next[digit] as usize;
                    next[digit] += 1;
                    sorted_keys[place].store(key, Relaxed);
                    sorted_values[place].store(value, Relaxed);
                };
                let first = first * BLOCK;
                if p.indices != 0 {
                    keys.iter()
                        .zip(first as u32..)
                        .for_each(|(&key, i)| put(key, i));
                } else {
                    keys.iter()
                        .zip(&self.values[first..])
                        .for_each(|(&key, &value)| put(key, value));
                }
            });
    }
}

/// Keys with their values: two arrays of the same length.
#[derive(Clone)]
pub struct Pairs {
    /// The keys.
    pub keys: View,
    /// The values.
    pub values: View,
}

impl Pairs {
    /// The pairs with keys and values exchanged.
    pub fn swapped(self) -> Pairs {
        Pairs {
            keys: self.values,
            values: self.keys,
        }
    }
}

/// Bits that keys below `bound` have; at least one.
pub fn bits_for(bound: usize) -> u32 {
    usize::BITS - bound.saturating_sub(1).max(1).leading_zeros()
}

/// The bits of each pass, divided as evenly as possible: fewer digits mean fewer places to write to in turn.
fn digits(bits: u32) -> impl Iterator<Item = Range<u32>> {
    let width = bits.div_ceil(RadixSort::passes(bits).max(1)).max(1);
    let starts = (0..bits).step_by(width as usize);
    starts.map(move |start| start..bits.min(start + width))
}

/// Records sorts of up to a given length; holds the histograms, 1/8 of a word per key.
pub struct RadixSort {
    /// `[256][blocks]` u32.
    pub histogram: Buffer,
    /// The scratch of its scan.
    pub scan: Scan,
}

impl RadixSort {
    /// Scratch for sorts of up to `capacity` keys.
    ///
    /// # Errors
    /// As [`Device::buffer`].
    pub fn new(device: &Device, label: &str, capacity: usize) -> Result<Self> {
        let blocks = capacity.div_ceil(BLOCK);
        Ok(RadixSort {
            histogram: device.buffer(label, Class::Scratch, blocks * DIGITS)?,
            scan: Scan::new(device, &format!("{label}.sums"), blocks * DIGITS)?,
        })
    }

    /// How often a sort of keys with this many bits moves them from one pair of arrays to the other.
    pub fn passes(bits: u32) -> u32 {
        bits.div_ceil(BITS)
    }

    /// Sorts `length` pairs by the lowest `bits` of their keys, back and forth between `from` and `spare`. Returns
    /// where the result lies, and the other pair. Three dispatches per pass, five if there are many keys.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn sort(
        &self,
        plan: &mut Plan,
        length: usize,
        bits: u32,
        from: Pairs,
        spare: Pairs,
    ) -> Result<(Pairs, Pairs)> {
        let (mut from, mut to) = (from, spare);
        for digit in digits(bits) {
            self.pass(plan, length, digit, false, &from, &to)?;
            std::mem::swap(&mut from, &mut to);
        }
        Ok((from, to))
    }

    /// Writes into `order` the indices that sort `keys` stably; returns the view that then holds the sorted keys.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn argsort(
        &self,
        plan: &mut Plan,
        length: usize,
        bits: u32,
        keys: View,
        scratch: [Pairs; 2],
        order: View,
    ) -> Result<View> {
        let mut from = Pairs {
            values: keys.clone(), // not read
            keys,
        };
        for (pass, digit) in digits(bits).enumerate() {
            let mut to = scratch[pass % 2].clone();
            if digit.end == bits {
                to.values = order.clone();
            }
            self.pass(plan, length, digit, pass == 0, &from, &to)?;
            from = to;
        }
        Ok(from.keys)
    }

    fn pass(
        &self,
        plan: &mut Plan,
        length: usize,
        digit: Range<u32>,
        indices: bool,
        from: &Pairs,
        to: &Pairs,
    ) -> Result<()> {
        let blocks = length.div_ceil(BLOCK);
        let histogram = self.histogram.all();
        let (shift, mask) = (digit.start, (1 << digit.len()) - 1);
        plan.dispatch(
            RadixSortHistogram {
                params: RadixSortHistogramParams {
                    length: length as u32,
                    shift,
                    mask,
                    blocks: blocks as u32,
                },
                keys: from.keys.clone(),
                histogram: histogram.clone(),
            },
            Grid::Groups(blocks),
        )?;
        match blocks << digit.len() {
            counters @ ..=SCANNED => plan.dispatch(
                ScanSums {
                    params: ScanSumsParams {
                        length: counters as u32,
                    },
                    sums: histogram.clone(),
                },
                Grid::Groups(1),
            )?,
            counters => self.scan.record(plan, &histogram, counters)?,
        }
        plan.dispatch(
            RadixSortScatter {
                params: RadixSortScatterParams {
                    length: length as u32,
                    shift,
                    mask,
                    blocks: blocks as u32,
                    indices: u32::from(indices),
                },
                bases: histogram,
                keys: from.keys.clone(),
                values: from.values.clone(),
                sorted_keys: to.keys.clone(),
                sorted_values: to.values.clone(),
            },
            Grid::Groups(blocks),
        )
    }
}
