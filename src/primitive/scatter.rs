//! Scattered writes from several threads, for twins whose places are distinct but in no order.

use std::sync::atomic::AtomicU32;

/// The words as atomics: relaxed stores are as fast as plain ones, and safe to share.
#[expect(unsafe_code, reason = "a view of words as atomics")]
pub(crate) fn shared(words: &mut [u32]) -> &[AtomicU32] {
    // SAFETY: `AtomicU32` has the size, alignment and bit validity of `u32`, and the exclusive borrow lasts as long
    // as the result.
    unsafe { &*(std::ptr::from_mut(words) as *const [AtomicU32]) }
}
