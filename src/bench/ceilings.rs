//! What an adapter can do at most: memory, loads, arithmetic, dispatches, read-backs, each measured and checked.

use std::time::Duration;

use super::copy::{Copy, CopyParams};
use super::count::{Count, CountParams};
use super::load::{Load, LoadParams};
use super::multiply_add::{CHAINS, MultiplyAdd, MultiplyAddParams};
use super::plan_of;
use super::reference::TOLERANCE;
use super::timing::{median, time};
use crate::engine::{Buffer, Class, Device, Grid, Plan};
use crate::error::{Error, Result};

/// An adapter's measured ceilings; the fields' names end in their units.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Ceilings {
    /// Copying 64 MiB from one buffer to another, vec4 at a time; bytes read *plus* bytes written, in 10^9 a second.
    pub copy_gb_s: f64,
    /// Loads of whole rows of 32 vec4 at pseudo-random places in a buffer of 4096 such rows, added up in registers: the
    /// sparse products' pattern at n = 4096 and batch 128. In 10^9 f32 elements a second.
    pub vec4_loads_gelem_s: f64,
    /// The same with rows one after the other.
    pub vec4_loads_sequential_gelem_s: f64,
    /// Multiply-adds in registers, two operations each, in 10^9 operations a second.
    pub multiply_add_gflop_s: f64,
    /// One more dispatch in a pass, waiting for the one before, in microseconds.
    pub dispatch_us: f64,
    /// Submitting a pass of one dispatch and waiting for it, in microseconds.
    pub submit_us: f64,
    /// Reading 16 bytes back from an idle device, in microseconds.
    pub readback_us: f64,
}

/// Words of each of the two buffers copied: 64 MiB, half of WebGPU's default largest binding and past any usual cache.
const COPY_WORDS: usize = 1 << 24;

/// Dispatches in a pass when their cost is measured.
const DISPATCHES: usize = 500;

/// Measures all of them, each for about `budget`.
///
/// # Errors
/// A wrong result, a lost device, or buffers that the device refuses.
pub fn measure(device: &Device, budget: Duration) -> Result<Ceilings> {
    let (dispatch_us, submit_us) = dispatch(device, budget)?;
    Ok(Ceilings {
        copy_gb_s: copy(device, COPY_WORDS, budget)?,
        vec4_loads_gelem_s: loads(device, 4096, 128, Pattern::Random, budget)?,
        vec4_loads_sequential_gelem_s: loads(device, 4096, 128, Pattern::Sequential, budget)?,
        multiply_add_gflop_s: multiply_add(device, budget)?,
        dispatch_us,
        submit_us,
        readback_us: readback(device, budget)?,
    })
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

fn wrong(device: &Device, kernel: &str, what: &str) -> Error {
    Error::Device(format!(
        "{} computes kernel `{kernel}` wrongly: {what}. No figure measured on it could be trusted; update its driver, or \
         choose another --adapter",
        device.name()
    ))
}

/// Copies `words` words; 10^9 bytes a second, reads and writes counted.
fn copy(device: &Device, words: usize, budget: Duration) -> Result<f64> {
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
    Ok(8.0 * words as f64 / time(device, &plan, budget)? / 1e9)
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

/// Loads rows of `stride` elements (a multiple of 4) from a buffer of `input_rows`; 10^9 elements a second.
pub(super) fn loads(
    device: &Device,
    input_rows: usize,
    stride: usize,
    pattern: Pattern,
    budget: Duration,
) -> Result<f64> {
    // The sequence has 16 bits of row number. Larger buffers are past the caches as well.
    let input_rows = input_rows.min(1 << 16);
    let (multiplier, increment) = match pattern {
        // Numerical Recipes' generator.
        Pattern::Random => (1_664_525, 1_013_904_223),
        Pattern::Sequential => (1, ((1u64 << 32) / input_rows as u64) as u32),
    };
    let params = LoadParams {
        rows: LOAD_ROWS as u32,
        vectors: (stride / 4) as u32,
        input_rows: input_rows as u32,
        terms: LOAD_TERMS,
        multiplier,
        increment,
    };
    // Small integers: their sums are exact in any order.
    let data: Vec<f32> = (0..input_rows * stride).map(|i| (i % 251) as f32).collect();
    let input = device.buffer_with("bench.load.input", Class::Scratch, &data)?;
    let output = poisoned(device, "bench.load.output", LOAD_ROWS * stride)?;
    let kernel = Load {
        params,
        input: input.all(),
        output: output.all(),
    };
    let plan = plan_of(kernel, Grid::Rows(LOAD_ROWS))?;
    let found = once(device, &plan, &output)?;
    // Every row is checked in one lane, another from row to row.
    for (row, found) in found.chunks_exact(stride).enumerate() {
        let lane = row % stride;
        let sequence = params.sequence(row as u32);
        let expected: f64 = sequence.map(|a| ((a * stride + lane) % 251) as f64).sum();
        if f64::from(found[lane]) != expected {
            let what = format!(
                "row {row}, lane {lane} is {} and not {expected}",
                found[lane]
            );
            return Err(wrong(device, "bench/load", &what));
        }
    }
    let elements = LOAD_ROWS as f64 * f64::from(LOAD_TERMS) * stride as f64;
    Ok(elements / time(device, &plan, budget)? / 1e9)
}

/// Multiply-adds in registers; 10^9 operations a second.
fn multiply_add(device: &Device, budget: Duration) -> Result<f64> {
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
    Ok(operations / time(device, &plan, budget)? / 1e9)
}

/// Microseconds of one more dispatch in a pass, and of a submission with one.
fn dispatch(device: &Device, budget: Duration) -> Result<(f64, f64)> {
    let counter = device.buffer("bench.count.counter", Class::Scratch, 4)?;
    let plan = plan_of(
        Count {
            params: CountParams { step: 1 },
            counter: counter.all(),
        },
        Grid::Groups(1),
    )?;
    let mut many = plan.clone();
    for _ in 0..DISPATCHES {
        many.append(plan.clone());
    }
    let (one, many) = (device.prepare(&plan)?, device.prepare(&many)?);
    let mut total = 0u32;
    let mut run = |program, count: usize| {
        total = total.wrapping_add(count as u32);
        device.run(program)?;
        device.wait()
    };
    run(&one, 1)?; // compiles
    let submission = median(budget / 2, || run(&one, 1))?;
    let pass = median(budget / 2, || run(&many, 1 + DISPATCHES))?;
    let found = device.download::<u32>(&counter.all())?[0];
    if found != total {
        let what = format!("after {total} dispatches the counter is {found}");
        return Err(wrong(device, "bench/count", &what));
    }
    let each = (pass - submission).max(0.0) / DISPATCHES as f64;
    Ok((each * 1e6, submission * 1e6))
}

/// Microseconds to read 16 bytes back.
fn readback(device: &Device, budget: Duration) -> Result<f64> {
    let data = [1u32, 2, 3, 4];
    let buffer = device.buffer_with("bench.readback", Class::Scratch, &data)?;
    let mut good = true;
    let mut read = || -> Result<()> {
        good &= device.download::<u32>(&buffer.all())? == data;
        Ok(())
    };
    read()?;
    let seconds = median(budget, &mut read)?;
    match good {
        true => Ok(seconds * 1e6),
        false => Err(Error::Device(format!(
            "{} reads other words back than were written; update its driver, or choose another --adapter",
            device.name()
        ))),
    }
}
