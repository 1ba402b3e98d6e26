//! What an adapter can do at most: memory, loads and arithmetic, each measured and checked. The cost of waiting is in
//! [`super::latency`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::copy::{Copy, CopyParams};
use super::latency;
use super::load::Pattern;
use super::loads::{self, LoadRate};
use super::multiply_add::{CHAINS, MultiplyAdd, MultiplyAddParams};
use crate::bench::measuring::ceiling::Ceiling;
use crate::bench::measuring::one_kernel::{once, plan_of, poisoned, wrong};
use crate::bench::measuring::timing::{Measured, Timed};
use crate::bench::products::reference::TOLERANCE;
use crate::bench::{BenchOptions, Part, Spread};
use crate::engine::{Class, Device, Grid, TimedBy};
use crate::error::Result;

/// An adapter's measured ceilings, as medians; the names of the fields end in their units. A ceiling that other work
/// disturbed is none, with the reason in `doubts`.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Ceilings {
    /// Copying 64 MiB from one buffer to another, one vec4 at a time: bytes read *plus* bytes written, in 10^9 per
    /// second.
    pub copy_gb_s: Option<f64>,
    /// Loads of whole rows of 32 vec4 (512 bytes) at pseudo-random places in a buffer of 4096 such rows, several in
    /// flight at once, summed in registers: the pattern of the sparse products at n = 4096 and batch 128. In 10^9 f32
    /// elements per second.
    pub vec4_loads_gelem_s: Option<f64>,
    /// The same with consecutive rows.
    pub vec4_loads_sequential_gelem_s: Option<f64>,
    /// Multiply-adds in registers, two operations each, in 10^9 operations per second.
    pub multiply_add_gflop_s: Option<f64>,
    /// Another dispatch in a pass that waits for the one before, in microseconds.
    pub dispatch_us: Option<f64>,
    /// The host's time to record and submit another dispatch, in microseconds. None on the CPU executor.
    pub encode_us: Option<f64>,
    /// Submitting a pass of one dispatch and waiting for it, in microseconds.
    pub submit_us: Option<f64>,
    /// Reading 16 bytes back from an idle device, in microseconds.
    pub readback_us: Option<f64>,
    /// A barrier in a workgroup of 256 that has the device to itself, with the write and the read of workgroup memory
    /// that it orders, in nanoseconds. None on the CPU, which has no workgroups.
    pub barrier_ns: Option<f64>,
    /// A sum over a workgroup of 256 by a tree in workgroup memory, on a device full of them: seconds divided by the
    /// number of sums, in nanoseconds.
    pub sum_memory_ns: Option<f64>,
    /// The same sum with subgroups. None without that feature.
    pub sum_subgroups_ns: Option<f64>,
    /// Loads of 512-byte rows from buffers of growing sizes, which fit ever larger caches, and at last only memory.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loads: Vec<LoadRate>,
    /// The clock for all fields except `encode_us`, `submit_us` and `readback_us`, which the host's clock times. None
    /// in files from before this was recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timed_by: Option<TimedBy>,
    /// The spread of the samples behind each field, in its unit.
    pub spread: BTreeMap<String, Spread>,
    /// Why a field has no number although it was measured: the number cannot be trusted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub doubts: BTreeMap<String, String>,
}

impl Ceilings {
    /// Label, field, value and unit of each, in the order of the tables.
    pub(in crate::bench) fn rows(
        &self,
    ) -> [(&'static str, &'static str, Option<f64>, &'static str); 11] {
        [
            (
                "copy",
                "copy_gb_s",
                self.copy_gb_s,
                "GB/s, read and written",
            ),
            (
                "vec4 loads",
                "vec4_loads_gelem_s",
                self.vec4_loads_gelem_s,
                "G elements/s, random rows",
            ),
            (
                "",
                "vec4_loads_sequential_gelem_s",
                self.vec4_loads_sequential_gelem_s,
                "G elements/s, rows in order",
            ),
            (
                "multiply-add",
                "multiply_add_gflop_s",
                self.multiply_add_gflop_s,
                "GFLOP/s",
            ),
            ("dispatch", "dispatch_us", self.dispatch_us, "µs in a pass"),
            (
                "",
                "encode_us",
                self.encode_us,
                "µs of the host to record one and submit it",
            ),
            (
                "",
                "submit_us",
                self.submit_us,
                "µs alone, submitted and waited for",
            ),
            (
                "read-back",
                "readback_us",
                self.readback_us,
                "µs for 16 bytes",
            ),
            (
                "barrier",
                "barrier_ns",
                self.barrier_ns,
                "ns in a workgroup of 256 alone",
            ),
            (
                "sum of 256",
                "sum_memory_ns",
                self.sum_memory_ns,
                "ns in workgroup memory, many at once",
            ),
            (
                "",
                "sum_subgroups_ns",
                self.sum_subgroups_ns,
                "ns with subgroups",
            ),
        ]
    }
}

impl Ceilings {
    fn loads_mut(&mut self, pattern: Pattern) -> &mut Option<f64> {
        match pattern {
            Pattern::Random => &mut self.vec4_loads_gelem_s,
            Pattern::Sequential => &mut self.vec4_loads_sequential_gelem_s,
        }
    }
}

/// Words in each of the two buffers: 64 MiB, half of WebGPU's default largest binding and larger than any usual cache.
const COPY_WORDS: usize = 1 << 24;

/// Measures all ceilings if they are a part of `options`, otherwise those that the chosen products are compared with.
/// Also gives whatever was left out, with the reason.
///
/// # # Errors
/// A result is wrong, the device is lost, or it refuses a buffer.
pub(in crate::bench) fn measure(
    device: &Device,
    options: &BenchOptions,
) -> Result<(Ceilings, Vec<(String, String)>)> {
    let (budget, keep) = (options.budget, options.keep_doubtful);
    let all = options.has(Part::Ceilings);
    let (mut spread, mut doubts) = (BTreeMap::new(), BTreeMap::new());
    let mut reported = |name: &str, measured: Measured| {
        spread.insert(name.to_owned(), measured.spread);
        match measured.doubt {
            Some(doubt) if !keep => {
                doubts.insert(name.to_owned(), doubt);
                None
            }
            _ => Some(measured.median),
        }
    };
    let (copied, timed_by) = copy(device, COPY_WORDS, budget)?;
    let mut found = Ceilings {
        copy_gb_s: reported("copy_gb_s", copied),
        timed_by: Some(timed_by),
        ..Ceilings::default()
    };
    // The products of a full layer measure this one themselves.
    if all || Part::SPARSE.into_iter().any(|part| options.has(part)) {
        let measured = multiply_add(device, budget)?.measure(device, budget)?;
        found.multiply_add_gflop_s = reported("multiply_add_gflop_s", measured);
    }
    let costs = latency::dispatch(device, budget)?;
    found.dispatch_us = reported("dispatch_us", costs.dispatch);
    found.encode_us = costs.encode.and_then(|e| reported("encode_us", e));
    found.submit_us = reported("submit_us", costs.submit);
    let mut left_out = Vec::new();
    if all {
        for (name, pattern) in [
            ("vec4_loads_gelem_s", Pattern::Random),
            ("vec4_loads_sequential_gelem_s", Pattern::Sequential),
        ] {
            let rate =
                loads::ceiling(device, 4096, 128, pattern, budget)?.measure(device, budget)?;
            *found.loads_mut(pattern) = reported(name, rate);
        }
        for bytes in &options.working_sets {
            match loads::rate(device, *bytes, budget)? {
                Ok(measured) => found.loads.push(measured.told(&mut reported)),
                Err(reason) => left_out.push((loads::name(*bytes), reason)),
            }
        }
        found.readback_us = reported("readback_us", latency::readback(device, budget)?);
        let together = latency::workgroup(device, budget)?;
        let mut optional = |name: &str, measured: Option<Measured>| reported(name, measured?);
        found.barrier_ns = optional("barrier_ns", together.barrier);
        found.sum_memory_ns = optional("sum_memory_ns", together.sum_memory);
        found.sum_subgroups_ns = optional("sum_subgroups_ns", together.sum_subgroups);
        let together = together.left_out.into_iter();
        left_out.extend(together.map(|(what, reason)| (what.to_owned(), reason)));
    }
    let ceilings = Ceilings {
        spread,
        doubts,
        ..found
    };
    Ok((ceilings, left_out))
}

/// Copies `words` words: 10^9 bytes per second, counting reads and writes, and the clock.
fn copy(device: &Device, words: usize, budget: Duration) -> Result<(Measured, TimedBy)> {
    let data: Vec<f32> = (0..words).map(|i| (i % 65_521) as f32).collect();
    let input = device.buffer_with("bench.copy.input", Class::Scratch, &data)?;
    let output = poisoned(device, "bench.copy.output", words)?;
    let vectors = words / 4;
    let kernel = Copy {
        params: CopyParams {
            vectors: vectors as u32,
        },
        input: input.all(),
        output: output.all(),
    };
    let plan = plan_of(kernel, Grid::Items(vectors))?;
    let found = once(device, &plan, &output)?;
    if let Some(at) = (0..words).find(|&i| found[i] != data[i]) {
        let what = format!("word {at} is {} and not {}", found[at], data[at]);
        return Err(wrong(device, "bench/copy", &what));
    }
    let timed = Timed::new(device, &plan, budget)?;
    let rate = timed.measure(device, budget)?.rate(8e-9 * words as f64);
    Ok((rate, timed.timed_by()))
}

/// Multiply-adds in registers; in operations.
pub(in crate::bench) fn multiply_add(device: &Device, budget: Duration) -> Result<Ceiling> {
    let vectors: usize = if device.is_hardware() {
        1 << 20
    } else {
        1 << 16
    };
    // The chains approach the fixed point 1 slowly, so that the result still tells how many steps were done.
    let params = MultiplyAddParams {
        vectors: vectors as u32,
        iterations: 1024,
        factor: 1.0 - 1.0 / 1024.0,
        summand: 1.0 / 1024.0,
    };
    let output = poisoned(device, "bench.multiply_add.output", vectors * 4)?;
    let kernel = MultiplyAdd {
        params,
        output: output.all(),
    };
    let plan = plan_of(kernel, Grid::Items(vectors))?;
    let found = once(device, &plan, &output)?;
    // x -> x f + s has the fixed point s / (1 - f) = 1, from which each step keeps the fraction f.
    let kept = f64::from(params.factor).powi(params.iterations as i32);
    for (e, &found) in found.iter().enumerate() {
        let chain = |k: usize| 1.0 + ((e % 64 + k) as f64 - 1.0) * kept;
        let expected: f64 = (0..CHAINS).map(chain).sum();
        let error = (f64::from(found) - expected).abs() / expected;
        // This allows for a thousand roundings; missing steps would show at once.
        if error.is_nan() || error > TOLERANCE {
            let what = format!("element {e} is {found} and not {expected}");
            return Err(wrong(device, "bench/multiply_add", &what));
        }
    }
    let operations = 2.0 * (vectors * 4 * CHAINS) as f64 * f64::from(params.iterations);
    Ok(Ceiling {
        timed: Timed::new(device, &plan, budget)?,
        amount: operations * 1e-9,
    })
}
