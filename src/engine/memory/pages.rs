//! Memory of the CPU executor, in large pages if the system has them.
//!
//! Twins gather rows from all over their inputs. With pages of 4 KiB, a core only remembers the places of a few MiB,
//! and neighbouring parts of a buffer fall into arbitrary sets of a cache: the same step then takes up to twice as long
//! in one process as in the next.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::UnsafeCell;
use std::ops::Range;
use std::ptr::NonNull;

/// One cache line, so that rows of activations are aligned for vector loads.
const LINE: usize = 64;

/// A large page, on x86-64, and on aarch64 with small pages of 4 KiB. Smaller allocations stay in small pages.
const LARGE: usize = 2 << 20;

/// Words that are initially zero.
pub(crate) struct HostMemory {
    first: NonNull<UnsafeCell<u32>>,
    layout: Layout,
}

#[expect(unsafe_code, reason = "memory that the executors share among threads")]
// SAFETY: it is owned, and not bound to a thread.
unsafe impl Send for HostMemory {}

#[expect(unsafe_code, reason = "memory that the executors share among threads")]
// SAFETY: all access goes through the unsafe accessors below, whose callers uphold exclusivity.
unsafe impl Sync for HostMemory {}

impl HostMemory {
    /// `None` if the system has no memory left.
    #[expect(unsafe_code, reason = "memory that begins at a large page")]
    pub(crate) fn zeroed(words: usize) -> Option<Self> {
        let bytes = words.checked_mul(size_of::<u32>())?.max(1);
        let align = if bytes < LARGE { LINE } else { LARGE };
        let layout = Layout::from_size_align(bytes.checked_next_multiple_of(LINE)?, align).ok()?;
        // SAFETY: the layout is not empty.
        let first = NonNull::new(unsafe { alloc(layout) })?;
        if align == LARGE {
            ask_for_large_pages(first, layout.size());
        }
        // SAFETY: these bytes were just allocated.
        unsafe { first.as_ptr().write_bytes(0, layout.size()) };
        let first = first.cast();
        Some(HostMemory { first, layout })
    }

    /// Number of words that fit.
    fn words(&self) -> usize {
        self.layout.size() / size_of::<u32>()
    }

    fn base(&self) -> *mut u32 {
        UnsafeCell::raw_get(self.first.as_ptr())
    }

    /// # Safety
    /// No mutable slice of an overlapping range may be alive.
    #[expect(unsafe_code, reason = "memory that the executors share among threads")]
    pub(crate) unsafe fn slice(&self, range: Range<usize>) -> &[u32] {
        assert!(range.start <= range.end && range.end <= self.words());
        // SAFETY: in bounds by the assertion, and written at the start; no mutable alias by the contract.
        unsafe { std::slice::from_raw_parts(self.base().add(range.start), range.len()) }
    }

    /// # Safety
    /// No other slice of an overlapping range may be alive.
    #[expect(unsafe_code, reason = "memory that the executors share among threads")]
    #[allow(clippy::mut_from_ref)]
    pub(crate) unsafe fn slice_mut(&self, range: Range<usize>) -> &mut [u32] {
        assert!(range.start <= range.end && range.end <= self.words());
        // SAFETY: in bounds by the assertion, and written at the start; exclusive by the contract.
        unsafe { std::slice::from_raw_parts_mut(self.base().add(range.start), range.len()) }
    }
}

impl Drop for HostMemory {
    #[expect(unsafe_code, reason = "memory that begins at a large page")]
    fn drop(&mut self) {
        // SAFETY: it was allocated with this layout, and no slice outlives `self`.
        unsafe { dealloc(self.first.as_ptr().cast(), self.layout) };
    }
}

/// Requests large pages before the memory is first written. A system that has none, or gives none, leaves small pages.
#[cfg(all(feature = "cpu", target_os = "linux"))]
#[expect(unsafe_code, reason = "a call of the system")]
fn ask_for_large_pages(first: NonNull<u8>, bytes: usize) {
    // The page in which the memory ends is shared with whatever follows.
    let own = bytes / LARGE * LARGE;
    // SAFETY: the range is allocated, and the advice does not change its contents.
    unsafe { libc::madvise(first.as_ptr().cast(), own, libc::MADV_HUGEPAGE) };
}

#[cfg(not(all(feature = "cpu", target_os = "linux")))]
fn ask_for_large_pages(_: NonNull<u8>, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(unsafe_code, reason = "access to a buffer's memory")]
    fn memory_of_any_size_starts_at_zero_and_at_a_line_or_a_large_page() {
        for words in [0, 1, 15, 16, 17, 1 << 19, (1 << 19) + 1, 3 << 19] {
            let memory = HostMemory::zeroed(words).unwrap();
            let align = if words * 4 < LARGE { LINE } else { LARGE };
            assert_eq!(memory.base().addr() % align, 0, "{words} words");
            // SAFETY: nothing else has this memory.
            let slice = unsafe { memory.slice_mut(0..words) };
            assert!(slice.iter().all(|&word| word == 0));
            slice.fill(u32::MAX);
        }
        assert!(HostMemory::zeroed(usize::MAX).is_none());
        assert!(HostMemory::zeroed(usize::MAX / 4).is_none());
    }
}
