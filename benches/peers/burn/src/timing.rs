//! Median and quartiles, computed like rootlet's.

use std::time::Instant;

use burn::tensor::Device;
use serde_json::{Value, json};

use crate::{Options, Result};

/// Seconds of a call, including everything that it submits; two calls of warm-up.
pub fn measure(device: &Device, options: &Options, mut call: impl FnMut()) -> Result<(f64, Value)> {
    let mut once = || -> Result<f64> {
        let start = Instant::now();
        call();
        device.sync().map_err(|e| format!("burn failed: {e:?}"))?;
        Ok(start.elapsed().as_secs_f64())
    };
    once()?;
    once()?;
    let begin = Instant::now();
    let mut taken = Vec::new();
    while taken.len() < options.repeats {
        taken.push(once()?);
        if taken.len() >= 3 && begin.elapsed().as_secs_f64() > options.seconds {
            break;
        }
    }
    taken.sort_by(f64::total_cmp);
    let quantile = |share: f64| {
        let at = share * (taken.len() - 1) as f64;
        let (below, above) = (taken[at.floor() as usize], taken[at.ceil() as usize]);
        below + (above - below) * at.fract()
    };
    let spread = json!({
        "min": quantile(0.0), "q1": quantile(0.25), "q3": quantile(0.75), "max": quantile(1.0), "samples": taken.len(),
    });
    Ok((quantile(0.5), spread))
}

/// Refuses a result whose error exceeds this share of the largest entry.
pub fn require(what: &str, error: f64) -> Result<f64> {
    match error <= 1e-4 {
        true => Ok(error),
        false => Err(format!(
            "{what}: wrong result, relative error {error:.2e}; nothing was timed"
        )
        .into()),
    }
}
