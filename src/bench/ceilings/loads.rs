//! The loads ceiling: rows of a buffer at random places and in order, from buffers that fit ever larger caches.

use std::time::Duration;

use super::load::{Load, LoadParams, Pattern};
use crate::bench::measuring::ceiling::Ceiling;
use crate::bench::measuring::guard::too_large;
use crate::bench::measuring::one_kernel::{once, plan_of, poisoned, wrong};
use crate::bench::measuring::timing::{Measured, Timed};
use crate::engine::{Class, Device, Grid};
use crate::error::Result;

/// How fast rows are loaded from a buffer of a certain size.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct LoadRate {
    /// Size of the buffer in bytes.
    pub bytes: u64,
    /// Rows of 512 bytes at random places, in 10^9 bytes per second. None if other work disturbed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub random_gb_s: Option<f64>,
    /// Such rows in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequential_gb_s: Option<f64>,
}

/// A [`LoadRate`] with its samples' spread.
pub(super) struct MeasuredRate {
    bytes: u64,
    random: Measured,
    sequential: Measured,
}

impl MeasuredRate {
    /// Passes each figure to `report` under its name, and keeps what it returns.
    pub fn told(self, report: &mut impl FnMut(&str, Measured) -> Option<f64>) -> LoadRate {
        let size = size(self.bytes).replace(' ', "_").to_lowercase();
        LoadRate {
            bytes: self.bytes,
            random_gb_s: report(&format!("loads_random_{size}_gb_s"), self.random),
            sequential_gb_s: report(&format!("loads_sequential_{size}_gb_s"), self.sequential),
        }
    }
}

/// "256 KiB", "16 MiB".
pub(in crate::bench) fn size(bytes: u64) -> String {
    match bytes >> 20 {
        0 => format!("{} KiB", bytes >> 10),
        mebibytes => format!("{mebibytes} MiB"),
    }
}

/// The name of the case, for when it is left out.
pub(super) fn name(bytes: u64) -> String {
    format!("loads from {}", size(bytes))
}

/// Elements in a row: 512 bytes, a unit's activations at batch 128.
const LANES: usize = 128;

/// Measures rows of 512 bytes from a buffer of about `bytes`, or says why they are not measured.
pub(super) fn rate(
    device: &Device,
    bytes: u64,
    budget: Duration,
) -> Result<Result<MeasuredRate, String>> {
    // Once on the device, and twice on the host on the way to it.
    if let Some(reason) = too_large(device, bytes, bytes.saturating_mul(3)) {
        return Ok(Err(reason));
    }
    let rows = (bytes as usize / (4 * LANES)).max(1);
    let of = |pattern| -> Result<Measured> {
        let rate = ceiling(device, rows, LANES, pattern, budget)?.measure(device, budget)?;
        Ok(rate.map(|elements| 4.0 * elements))
    };
    Ok(Ok(MeasuredRate {
        bytes,
        random: of(Pattern::Random)?,
        sequential: of(Pattern::Sequential)?,
    }))
}

/// Rows of the input summed for each row of the output. Writes are then 1 in 257 accesses.
const TERMS: u32 = 256;

/// Size in bytes of a buffer that fits no cache.
const LARGEST: usize = 256 << 20;

/// Rows of the output: enough to keep the device busy, without making the samples too long.
fn output_rows(device: &Device) -> usize {
    match (device.is_hardware(), device.is_cpu()) {
        (true, _) => 16_384,
        (false, true) => 4096,
        // A software adapter, which is slow.
        (false, false) => 1024,
    }
}

/// Loads of rows of `lanes` elements (a multiple of 4) from a buffer of `input_rows`; in elements.
pub(in crate::bench) fn ceiling(
    device: &Device,
    input_rows: usize,
    lanes: usize,
    pattern: Pattern,
    budget: Duration,
) -> Result<Ceiling> {
    let rows = output_rows(device);
    // Larger buffers fit no cache either.
    let input_rows = input_rows.min(LARGEST / (4 * lanes)).max(1);
    let params = LoadParams::new(rows, lanes / 4, input_rows, TERMS, pattern);
    // Small integers, whose sums are exact in any order.
    let data: Vec<f32> = (0..input_rows * lanes).map(|i| (i % 251) as f32).collect();
    let input = device.buffer_with("bench.load.input", Class::Scratch, &data)?;
    let output = poisoned(device, "bench.load.output", rows * lanes)?;
    let kernel = Load {
        params,
        input: input.all(),
        output: output.all(),
    };
    let plan = plan_of(kernel, Grid::Rows(rows))?;
    let found = once(device, &plan, &output)?;
    // Every row is checked in one lane, a different one from row to row.
    for (row, found) in found.chunks_exact(lanes).enumerate() {
        let lane = row % lanes;
        let sequence = params.sequence(row as u32);
        let expected: f64 = sequence.map(|a| ((a * lanes + lane) % 251) as f64).sum();
        if f64::from(found[lane]) != expected {
            let what = format!(
                "row {row}, lane {lane} is {} and not {expected}",
                found[lane]
            );
            return Err(wrong(device, "bench/load", &what));
        }
    }
    let elements = rows as f64 * f64::from(TERMS) * lanes as f64;
    Ok(Ceiling {
        timed: Timed::new(device, &plan, budget)?,
        amount: elements * 1e-9,
    })
}
