//! The building blocks of the topology round, which know nothing of topology: scan, sort, select, search, gather.
//!
//! All of them work on `u32` words (or on the bits of magnitudes), so every adapter and the CPU executor give the same
//! bits. Scans are reduce-then-scan: neither forward-progress guarantees nor subgroups are assumed, and 16 KiB of
//! workgroup memory suffice.

mod gather;
mod lower_bound;
mod radix_select;
mod radix_sort;
mod scan;
mod scatter;

pub use gather::{Gather, GatherParams};
pub use lower_bound::{LowerBound, LowerBoundParams};
pub use radix_select::{
    RadixSelect, RadixSelectFlags, RadixSelectHistogram, RadixSelectPick, RadixSelectTies,
    STATE_WORDS, Selection,
};
pub use radix_sort::{Pairs, RadixSort, RadixSortHistogram, RadixSortScatter, bits_for};
pub use scan::{Scan, ScanApply, ScanReduce, ScanSums};

pub(crate) use scatter::shared;
