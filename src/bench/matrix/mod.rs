//! Real sparse matrices from files: Matrix Market (`.mtx`) and the Deep Learning Matrix Collection (`.smtx`).
//!
//! Both parsers are our own: the crates that read Matrix Market (`sprs`, `nalgebra-sparse`) do not say on which line a
//! file is wrong, and none reads `.smtx`.

mod dlmc;
mod entries;
mod market;
mod parsing;
mod read;

pub use read::read;
pub(super) use read::read_all;
pub(crate) use read::{Format, parse};
