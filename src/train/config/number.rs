//! Numbers on the command line: what is none is told what it should be.

use std::str::FromStr;

use clap::Arg;
use clap::builder::ValueParser;

/// Unsigned whole numbers of one width.
pub trait Whole: FromStr + Clone + Send + Sync + 'static {
    /// The largest.
    const LARGEST: u64;
}

impl Whole for u32 {
    const LARGEST: u64 = u32::MAX as u64;
}

impl Whole for u64 {
    const LARGEST: u64 = u64::MAX;
}

impl Whole for usize {
    const LARGEST: u64 = usize::MAX as u64;
}

/// Reads a whole number.
///
/// # Errors
/// What it must be.
pub fn whole<T: Whole>(text: &str) -> Result<T, String> {
    let wrong = |_| format!("it must be a whole number from 0 to {}", T::LARGEST);
    text.trim().parse().map_err(|_| ()).map_err(wrong)
}

/// Reads a number.
///
/// # Errors
/// What it must be.
pub fn real(text: &str) -> Result<f64, String> {
    let wrong = |_| "it must be a number, as in 0.1 or 1e-4".to_owned();
    text.trim().parse().map_err(wrong)
}

/// A flag that takes a number with such messages, any other as it was.
pub(super) fn told(flag: Arg) -> Arg {
    let kind = flag.get_value_parser().type_id();
    let is = |parser: ValueParser| (kind == parser.type_id()).then_some(parser);
    let parser = is(ValueParser::new(whole::<usize>))
        .or_else(|| is(ValueParser::new(whole::<u64>)))
        .or_else(|| is(ValueParser::new(whole::<u32>)))
        .or_else(|| is(ValueParser::new(real)));
    match parser {
        Some(parser) => flag.value_parser(parser),
        None => flag,
    }
}
