//! What numbers may be: the bounds that several have, and what is said of one that is beyond them.

use std::fmt;

use crate::error::{Error, Result};
use crate::words::short;

/// Indices on the device are 32-bit words.
pub(crate) const MOST: usize = u32::MAX as usize - 3;
/// Factors above are typing errors: no network is a thousand times as wide as another, nor are there so many
/// candidates.
pub(crate) const LARGEST_FACTOR: f64 = 1000.0;
/// Rates above leave nothing of any weight.
pub(crate) const LARGEST_RATE: f64 = 1e6;
/// A network has passed every image so often only by a typing error.
const LAST_EPOCH: f64 = u32::MAX as f64;

/// Whether a number is above 0 and at most that. The device computes in f32, where what f64 holds may be 0.
pub(crate) fn positive(x: f64, most: f64) -> bool {
    x as f32 > 0.0 && x <= most
}

/// Whether a number is a share below 1, also in f32, where it may be 1 that nearly is.
pub(crate) fn share(x: f64) -> bool {
    (0.0..1.0).contains(&(x as f32))
}

/// Whether a number is an epoch.
pub(crate) fn epoch(x: f64) -> bool {
    (0.0..=LAST_EPOCH).contains(&x)
}

/// Refuses a value that is not good.
///
/// # Errors
/// [`Error::Value`]: `option` must be so, and is not.
pub(crate) fn check(
    good: bool,
    option: &'static str,
    must: &str,
    value: impl fmt::Display,
) -> Result<()> {
    if good {
        return Ok(());
    }
    Err(Error::Value {
        option,
        must: must.to_owned(),
        value: value.to_string(),
    })
}

/// A list as it is typed.
pub(crate) fn list_text<T: ToString>(list: &[T]) -> String {
    let items: Vec<String> = list.iter().map(|item| short(&item.to_string())).collect();
    items.join(",")
}
