//! Who looks on while a large file is read.

/// Called with the bytes of a file that were read so far, and all of them.
pub type Watch<'a> = &'a dyn Fn(u64, u64);
