//! Numbers on the command line: a value that is not a number is told what it should be.

use std::ops::RangeInclusive;

/// Unsigned whole numbers of one width.
pub trait Whole: TryFrom<u64> + Clone + Send + Sync + 'static {
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
/// What the value must be.
pub fn whole<T: Whole>(text: &str) -> Result<T, String> {
    within(0..=T::LARGEST)(text)
}

/// A parser that reads a whole number from a range, or says what it must be.
pub fn within<T: Whole>(
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text| {
        let number: Option<u64> = text.trim().parse().ok();
        let fits = number.filter(|number| range.contains(number));
        fits.and_then(|number| T::try_from(number).ok())
            .ok_or_else(|| {
                let (least, most) = (range.start(), range.end());
                format!("it must be a whole number from {least} to {most}")
            })
    }
}

/// Reads a number.
///
/// # Errors
/// What the value must be.
pub fn real(text: &str) -> Result<f64, String> {
    let wrong = |_| "it must be a number, as in 0.1 or 1e-4".to_owned();
    text.trim().parse().map_err(wrong)
}

/// Reads a list, such as `8,12`; an empty text or `none` is the empty list.
#[cfg(feature = "cli")]
pub(super) fn list<T>(
    text: &str,
    item: impl Fn(&str) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let text = text.trim();
    if text.is_empty() || text == "none" {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|text| item(text).map_err(|error| format!("`{}`: {error}", text.trim())))
        .collect()
}
