//! rootlet
fn main() {}
