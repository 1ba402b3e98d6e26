//! The k smallest or largest magnitudes of each segment, exactly: radix select on the bits, eight per pass.
//!
//! A segment's state is two words: the leading bits of the key of the last item to take, and how many of the items that
//! agree with them are still to be taken. After four passes all 31 bits of the magnitude are known, and ties are taken
//! from the lowest indices. Only integers are compared and counted, so the order of atomics has no effect.

use rayon::prelude::*;

use super::scan::{Scan, workgroup_scan};
use crate::engine::loops::{NONE, SEARCH, further, looped};
use crate::engine::{Buffer, Class, Device, Grid, Plan, View};
use crate::error::Result;
use crate::threads::DealOut;

/// Words of a segment's state: the key so far, and how many items are left to take.
pub const STATE_WORDS: usize = 2;
/// Items that one workgroup counts.
const BLOCK: usize = 4096;
const DIGITS: usize = 256;

crate::kernel! {
    /// Counts the next eight bits of the keys that agree with the known ones. Grid: [`Grid::Groups`], one per 4096
    /// items.
    pub RadixSelectHistogram, RadixSelectHistogramParams, RadixSelectHistogramTwin =
        "primitive/radix_select_histogram", shader!("primitive/radix_select_histogram");
    params {
        length: u32,
        segments: u32,
        /// Lowest of these eight bits.
        shift: u32,
        /// 1: the largest are requested.
        largest: u32,
    }
    loops |p, _| looped(SEARCH, NONE) + looped(16, looped(0, NONE)) + further(p.segments);
    read values: f32,
    read starts: u32,
    read state: u32,
    write histogram: u32,
}

impl RadixSelectHistogramTwin<'_> {
    fn run(self) {
        let p = self.params;
        let histogram = self.histogram[..p.segments as usize * DIGITS].chunks_exact_mut(DIGITS);
        for (segment, bins) in histogram.enumerate() {
            let known = self.state[segment * STATE_WORDS];
            let counts = items(self.values, self.starts, segment, p.length)
                .par_chunks(BLOCK * 4)
                .deal_out_map(|block| {
                    let mut counts = [0u32; DIGITS];
                    for &value in block {
                        let key = select_key(value, p.largest);
                        // After the first pass, few keys agree.
                        if u64::from(key ^ known) >> (p.shift + 8) == 0 {
                            counts[(key >> p.shift) as usize % DIGITS] += 1;
                        }
                    }
                    counts
                });
            for counts in counts {
                bins.iter_mut().zip(counts).for_each(|(bin, n)| *bin += n);
            }
        }
    }
}

crate::kernel! {
    /// Appends to each segment's key the eight bits of the last item to take, and zeroes the histogram. Grid:
    /// [`Grid::Groups`] = segments.
    pub RadixSelectPick, RadixSelectPickParams, RadixSelectPickTwin =
        "primitive/radix_select_pick", shader!("primitive/radix_select_pick");
    params { segments: u32, shift: u32 }
    loops |_, _| workgroup_scan();
    write histogram: u32,
    write state: u32,
}

impl RadixSelectPickTwin<'_> {
    fn run(self) {
        let segments = self
            .state
            .chunks_exact_mut(STATE_WORDS)
            .zip(self.histogram.chunks_exact_mut(DIGITS));
        for (state, bins) in segments.take(self.params.segments as usize) {
            let left = state[1];
            let mut before = 0;
            for (digit, &count) in (0u32..).zip(bins.iter()) {
                if before < left && left <= before + count {
                    state[0] |= digit << self.params.shift;
                    state[1] = left - before;
                }
                before += count;
            }
            bins.fill(0);
        }
    }
}

crate::kernel! {
    /// `ties[i]` = 1 if item `i`, counted from the first segment's start, has the last key to take; `ties[length]` = 0.
    /// Grid: [`Grid::Items`] = length + 1.
    pub RadixSelectTies, RadixSelectTiesParams, RadixSelectTiesTwin =
        "primitive/radix_select_ties", shader!("primitive/radix_select_ties");
    params { length: u32, segments: u32, largest: u32 }
    loops |_, _| looped(SEARCH, NONE);
    read values: f32,
    read starts: u32,
    read state: u32,
    write ties: u32,
}

impl RadixSelectTiesTwin<'_> {
    fn run(self) {
        let p = self.params;
        let mut rest = &mut self.ties[..p.length as usize + 1];
        for segment in 0..p.segments as usize {
            let last = self.state[segment * STATE_WORDS];
            let values = items(self.values, self.starts, segment, p.length);
            let (own, others) = rest.split_at_mut(values.len());
            rest = others;
            own.par_iter_mut()
                .zip(values)
                .with_min_len(BLOCK)
                .deal_out(|(tie, &v)| *tie = u32::from(select_key(v, p.largest) == last));
        }
        rest.fill(0);
    }
}

crate::kernel! {
    /// `taken[i]` = 1 if item `i`, counted from the first segment's start, is among the requested ones of its segment;
    /// `taken[length]` = 0. Grid: [`Grid::Items`] = length + 1.
    pub RadixSelectFlags, RadixSelectFlagsParams, RadixSelectFlagsTwin =
        "primitive/radix_select_flags", shader!("primitive/radix_select_flags");
    params { length: u32, segments: u32, largest: u32 }
    loops |_, _| looped(SEARCH, NONE);
    read values: f32,
    read starts: u32,
    read state: u32,
    read ties: u32,
    write taken: u32,
}

impl RadixSelectFlagsTwin<'_> {
    fn run(self) {
        let p = self.params;
        let mut rest = &mut self.taken[..p.length as usize + 1];
        for segment in 0..p.segments as usize {
            let [last, left] = [0, 1].map(|word| self.state[segment * STATE_WORDS + word]);
            let values = items(self.values, self.starts, segment, p.length);
            let (own, others) = rest.split_at_mut(values.len());
            rest = others;
            let first = self.starts[segment] - self.starts[0];
            let ties = &self.ties[first as usize..];
            own.par_iter_mut()
                .zip(values)
                .zip(ties)
                .with_min_len(BLOCK)
                .deal_out(|((taken, &value), &tie)| {
                    let key = select_key(value, p.largest);
                    *taken = u32::from(key < last || (key == last && tie - ties[0] < left));
                });
        }
        rest.fill(0);
    }
}

/// The bits of a magnitude have the same order as magnitudes; they are inverted if the largest come first.
fn select_key(value: f32, largest: u32) -> u32 {
    let bits = value.to_bits() & 0x7fff_ffff;
    if largest != 0 {
        0x7fff_ffff - bits
    } else {
        bits
    }
}

/// The values of one segment.
fn items<'a>(values: &'a [f32], starts: &[u32], segment: usize, length: u32) -> &'a [f32] {
    let end = starts[0].saturating_add(length);
    let [start, end] = [segment, segment + 1].map(|s| starts[s].min(end) as usize);
    &values[start..end]
}

/// Records selections from up to a given number of segments.
pub struct RadixSelect {
    /// `[segments][256]` u32: zero between selections.
    pub histogram: Buffer,
}

/// The inputs of a selection.
pub struct Selection {
    /// f32; the segments cover a part of it.
    pub values: View,
    /// Number of items from the first segment's start on; the segments have no more.
    pub length: usize,
    /// `[segments + 1]` u32, rising: where the segments start, and where the last one ends.
    pub starts: View,
    /// Number of segments.
    pub segments: usize,
    /// `[segments][2]` u32: zero, and how many to take, at most the segment's length.
    pub state: View,
    /// Whether the largest magnitudes are taken, instead of the smallest.
    pub largest: bool,
}

impl RadixSelect {
    /// Scratch for selections from `segments` segments.
    ///
    /// # Errors
    /// As [`Device::buffer`].
    pub fn new(device: &Device, label: &str, segments: usize) -> Result<Self> {
        Ok(RadixSelect {
            histogram: device.buffer(label, Class::Scratch, segments * DIGITS)?,
        })
    }

    /// Writes into `ranks` (`[length + 1]` u32) how many taken items lie before each item, counted from the first
    /// segment's start. Item `i` itself is taken if `ranks[i + 1]` is larger than `ranks[i]`. `ties` (`[length + 1]`
    /// u32) is scratch. 16 dispatches.
    ///
    /// # Errors
    /// As [`Plan::dispatch`].
    pub fn record(
        &self,
        plan: &mut Plan,
        scan: &Scan,
        selection: &Selection,
        ties: &View,
        ranks: &View,
    ) -> Result<()> {
        let s = selection;
        let (length, segments) = (s.length as u32, s.segments as u32);
        let largest = u32::from(s.largest);
        for shift in [24, 16, 8, 0] {
            plan.dispatch(
                RadixSelectHistogram {
                    params: RadixSelectHistogramParams {
                        length,
                        segments,
                        shift,
                        largest,
                    },
                    values: s.values.clone(),
                    starts: s.starts.clone(),
                    state: s.state.clone(),
                    histogram: self.histogram.all(),
                },
                Grid::Groups(s.length.div_ceil(BLOCK)),
            )?;
            plan.dispatch(
                RadixSelectPick {
                    params: RadixSelectPickParams { segments, shift },
                    histogram: self.histogram.all(),
                    state: s.state.clone(),
                },
                Grid::Groups(s.segments),
            )?;
        }
        plan.dispatch(
            RadixSelectTies {
                params: RadixSelectTiesParams {
                    length,
                    segments,
                    largest,
                },
                values: s.values.clone(),
                starts: s.starts.clone(),
                state: s.state.clone(),
                ties: ties.clone(),
            },
            Grid::Items(s.length + 1),
        )?;
        scan.record(plan, ties, s.length + 1)?;
        plan.dispatch(
            RadixSelectFlags {
                params: RadixSelectFlagsParams {
                    length,
                    segments,
                    largest,
                },
                values: s.values.clone(),
                starts: s.starts.clone(),
                state: s.state.clone(),
                ties: ties.clone(),
                taken: ranks.clone(),
            },
            Grid::Items(s.length + 1),
        )?;
        scan.record(plan, ranks, s.length + 1)
    }
}
