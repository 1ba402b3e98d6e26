//! Progress while a large file is read.

/// Called with the number of bytes of a file read so far, and the total.
pub type Watch<'a> = &'a dyn Fn(u64, u64);
