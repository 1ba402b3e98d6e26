//! The bounds that several numbers share, and the errors for numbers beyond them.

use std::fmt;

use crate::error::{Error, Result};
use crate::words::short;

/// Indices on the device are 32-bit words.
pub(crate) const MOST: usize = u32::MAX as usize - 3;
/// Larger factors are typing errors: no network is a thousand times as wide as another, and no round has that many
/// candidates.
pub(crate) const LARGEST_FACTOR: f64 = 1000.0;
/// Larger rates leave no weight intact.
pub(crate) const LARGEST_RATE: f64 = 1e6;
/// Only a typing error asks for more passes over the data than this.
const LAST_EPOCH: f64 = u32::MAX as f64;

/// Whether a number is above 0 and at most `most`. The device computes in f32, in which a positive f64 may become 0.
pub(crate) fn positive(x: f64, most: f64) -> bool {
    x as f32 > 0.0 && x <= most
}

/// Whether a number is a share below 1, also in f32, where a number just below 1 may become 1.
pub(crate) fn share(x: f64) -> bool {
    (0.0..1.0).contains(&(x as f32))
}

/// Whether a number is an epoch.
pub(crate) fn epoch(x: f64) -> bool {
    (0.0..=LAST_EPOCH).contains(&x)
}

/// Refuses a value unless `good` holds.
///
/// # Errors
/// [`Error::Value`]: `option` has a value that it cannot have.
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

/// Refuses a learning rate or decay that is below 0 or above [`LARGEST_RATE`].
///
/// # Errors
/// [`Error::Value`].
pub(crate) fn check_rate(rate: f64, option: &'static str) -> Result<()> {
    check(
        (0.0..=LARGEST_RATE).contains(&rate),
        option,
        "must be at least 0 and at most 1000000",
        rate,
    )
}

/// A list in the form in which it is typed.
pub(crate) fn list_text<T: ToString>(list: &[T]) -> String {
    let items: Vec<String> = list.iter().map(|item| short(&item.to_string())).collect();
    items.join(",")
}
