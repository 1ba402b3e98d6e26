//! What an adapter can do at most: memory, loads and arithmetic, each measured and checked. What waiting costs is in
//! [`super::latency`].

use std::collections::BTreeMap;
use std::time::Duration;

use super::copy::{Copy, CopyParams};
use super::latency;
use super::load::{Load, LoadParams};
use super::multiply_add::{CHAINS, MultiplyAdd, MultiplyAddParams};
use super::one_kernel::{plan_of, wrong};
use super::options::{BenchOptions, Part};
use super::reference::TOLERANCE;
use super::spread::Spread;
use super::timing::{Measured, Timed, time};
use crate::engine::{Buffer, Class, Device, Grid, Plan};
use crate::error::Result;

/// An adapter's measured ceilings, medians; the fields' names end in their units. One that other work disturbed is
/// none, with the reason in `doubts`.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Ceilings {
    /// Copying 64 MiB from one buffer to another, vec4 at a time; bytes read *plus* bytes written, in 10^9 a second.
    pub copy_gb_s: Option<f64>,
    /// Loads of whole rows of 32 vec4 at pseudo-random places in a buffer of 4096 such rows, added up in registers: the
    /// sparse products' pattern at n = 4096 and batch 128. In 10^9 f32 elements a second.
    pub vec4_loads_gelem_s: Option<f64>,
    /// The same with rows one after the other.
    pub vec4_loads_sequential_gelem_s: Option<f64>,
    /// Multiply-adds in registers, two operations each, in 10^9 operations a second.
    pub multiply_add_gflop_s: Option<f64>,
    /// One more dispatch in a pass, waiting for the one before, in microseconds.
    pub dispatch_us: Option<f64>,
    /// Submitting a pass of one dispatch and waiting for it, in microseconds.
    pub submit_us: Option<f64>,
    /// Reading 16 bytes back from an idle device, in microseconds.
    pub readback_us: Option<f64>,
    /// A barrier of a workgroup of 256 that has the device for itself, with the write and the read of workgroup memory
    /// that it orders, in nanoseconds. None on the CPU, which has no workgroups.
    pub barrier_ns: Option<f64>,
    /// A sum over a workgroup of 256 by a tree in workgroup memory, on a device full of them: seconds over sums, in
    /// nanoseconds.
    pub sum_memory_ns: Option<f64>,
    /// The same sum with subgroups. None without that feature.
    pub sum_subgroups_ns: Option<f64>,
    /// How far the samples behind each field lie apart, in its unit.
    pub spread: BTreeMap<String, Spread>,
    /// Why a field has no number, where it was measured and cannot be trusted.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub doubts: BTreeMap<String, String>,
}

impl Ceilings {
    /// Label, field, value and unit of each, in the order of tables.
    pub(super) fn rows(&self) -> [(&'static str, &'static str, Option<f64>, &'static str); 10] {
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

/// Words of each of the two buffers copied: 64 MiB, half of WebGPU's default largest binding and past any usual cache.
const COPY_WORDS: usize = 1 << 24;

/// Measures all of them where the ceilings are a part of `options`, else those that the chosen products are compared
/// with; and what was left out of all, with the reason.
///
/// # Errors
/// A wrong result, a lost device, or buffers that the device refuses.
pub(super) fn measure(
    device: &Device,
    options: &BenchOptions,
) -> Result<(Ceilings, Vec<(&'static str, String)>)> {
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
    let mut found = Ceilings {
        copy_gb_s: reported("copy_gb_s", copy(device, COPY_WORDS, budget)?),
        ..Ceilings::default()
    };
    // A full layer's products have this one measured beside them.
    if all || Part::SPARSE.into_iter().any(|part| options.has(part)) {
        let measured = multiply_add(device, budget)?.measure(device, budget)?;
        found.multiply_add_gflop_s = reported("multiply_add_gflop_s", measured);
    }
    let (dispatch, submit) = latency::dispatch(device, budget)?;
    found.dispatch_us = reported("dispatch_us", dispatch);
    found.submit_us = reported("submit_us", submit);
    let mut left_out = Vec::new();
    if all {
        let random = loads(device, 4096, 128, Pattern::Random, budget)?;
        let in_order = loads(device, 4096, 128, Pattern::Sequential, budget)?;
        let (random, in_order) = (
            random.measure(device, budget)?,
            in_order.measure(device, budget)?,
        );
        found.vec4_loads_gelem_s = reported("vec4_loads_gelem_s", random);
        found.vec4_loads_sequential_gelem_s = reported("vec4_loads_sequential_gelem_s", in_order);
        found.readback_us = reported("readback_us", latency::readback(device, budget)?);
        let together = latency::workgroup(device, budget)?;
        let mut optional = |name: &str, measured: Option<Measured>| reported(name, measured?);
        found.barrier_ns = optional("barrier_ns", together.barrier);
        found.sum_memory_ns = optional("sum_memory_ns", together.sum_memory);
        found.sum_subgroups_ns = optional("sum_subgroups_ns", together.sum_subgroups);
        left_out = together.left_out;
    }
    let ceilings = Ceilings {
        spread,
        doubts,
        ..found
    };
    Ok((ceilings, left_out))
}

/// A ceiling that can be measured in turns with what it bounds.
pub(super) struct Ceiling {
    pub timed: Timed,
    /// 10^9 elements or operations of a run.
    pub amount: f64,
}

impl Ceiling {
    /// 10^9 elements or operations a second.
    fn measure(&self, device: &Device, budget: Duration) -> Result<Measured> {
        Ok(self.timed.measure(device, budget)?.rate(self.amount))
    }
}

/// A buffer whose every word is a NaN, so that what is not written shows.
fn poisoned(device: &Device, label: &str, words: usize) -> Result<Buffer> {
    device.buffer_with(label, Class::Scratch, &vec![f32::NAN; words])
}

/// Runs a plan once, and reads `output` back.
fn once(device: &Device, plan: &Plan, output: &Buffer) -> Result<Vec<f32>> {
    let program = device.prepare(plan)?;
    device.run(&program)?;
    device.download(&output.all())
}

/// Copies `words` words; 10^9 bytes a second, reads and writes counted.
fn copy(device: &Device, words: usize, budget: Duration) -> Result<Measured> {
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
    Ok(time(device, &plan, budget)?.rate(8e-9 * words as f64))
}

/// In which order rows are loaded.
#[derive(Clone, std::marker::Copy, Debug, PartialEq, Eq)]
pub(super) enum Pattern {
    /// As the connections of a random graph have it.
    Random,
    /// One after the other.
    Sequential,
}

/// Rows of the output when loads are measured: enough for any GPU to be busy.
const LOAD_ROWS: usize = 4096;

/// Rows of the input added up for each row of the output: the writes are then 1 in 257 accesses.
const LOAD_TERMS: u32 = 256;

/// Loads of rows of `lanes` elements (a multiple of 4) from a buffer of `input_rows`; in elements.
pub(super) fn loads(
    device: &Device,
    input_rows: usize,
    lanes: usize,
    pattern: Pattern,
    budget: Duration,
) -> Result<Ceiling> {
    // The sequence has 16 bits of row number. Larger buffers are past the caches as well.
    let input_rows = input_rows.min(1 << 16);
    let (multiplier, increment) = match pattern {
        // Numerical Recipes' generator.
        Pattern::Random => (1_664_525, 1_013_904_223),
        Pattern::Sequential => (1, ((1u64 << 32) / input_rows as u64) as u32),
    };
    let params = LoadParams {
        rows: LOAD_ROWS as u32,
        vectors: (lanes / 4) as u32,
        input_rows: input_rows as u32,
        terms: LOAD_TERMS,
        multiplier,
        increment,
    };
    // Small integers: their sums are exact in any order.
    let data: Vec<f32> = (0..input_rows * lanes).map(|i| (i % 251) as f32).collect();
    let input = device.buffer_with("bench.load.input", Class::Scratch, &data)?;
    let output = poisoned(device, "bench.load.output", LOAD_ROWS * lanes)?;
    let kernel = Load {
        params,
        input: input.all(),
        output: output.all(),
    };
    let plan = plan_of(kernel, Grid::Rows(LOAD_ROWS))?;
    let found = once(device, &plan, &output)?;
    // Every row is checked in one lane, another from row to row.
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
    let elements = LOAD_ROWS as f64 * f64::from(LOAD_TERMS) * lanes as f64;
    Ok(Ceiling {
        timed: Timed::new(device, &plan, budget)?,
        amount: elements * 1e-9,
    })
}

/// Multiply-adds in registers; in operations.
pub(super) fn multiply_add(device: &Device, budget: Duration) -> Result<Ceiling> {
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
        // A thousand roundings; steps left out would show at once.
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
